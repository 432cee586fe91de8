// main() of a service: which command, the settings' problems, the exit code.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/config/environment.hpp"

namespace shared::service {

// A command that found problems in the environment returns this; run_program prints them and ends with 1.
inline constexpr int kWrongSettings = -1;

struct Command {
    std::string_view name;
    // Returns the exit code; what it throws is printed and ends with 1.
    std::function<int(config::Environment&, const std::vector<std::string>& arguments)> run;
    bool takes_arguments = false;
};

struct Program {
    const char* name;               // in logs and messages
    const char* usage;              // whole text
    std::vector<Command> commands;  // the first one is meant where none is given
};

// `help` and `--help` print the usage (0); a command that is not known, or arguments where none are taken,
// print it on stderr (2). The log is set up (LOG_LEVEL) before the command and flushed after it.
int run_program(const Program& program, int count, const char* const* arguments);

}  // namespace shared::service
