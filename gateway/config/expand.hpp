// References to the environment in a string of the file. Internal to this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/load.hpp"

namespace gateway::config {

// A string with its references resolved. `names` are the variables that were used, for messages about
// secrets.
struct Expanded {
    std::string text;
    std::vector<std::string> names;
    std::string problem;  // empty: none
};
Expanded expand(std::string_view raw, const Lookup& environment);

}  // namespace gateway::config
