// Forwarded (RFC 7239).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::pipeline {

// What we use of an element; empty: it does not say.
struct ForwardedElement {
    std::string node;  // "for": address, with a port or without, "unknown" or "_hidden"
    std::string proto;
    std::string host;
};

// All lines as one list; nothing where it is malformed anywhere: what of it could be believed is not known.
std::optional<std::vector<ForwardedElement>> parse_forwarded(std::string_view list);

}  // namespace gateway::pipeline
