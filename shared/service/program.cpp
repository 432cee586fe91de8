#include "shared/service/program.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>

#include "shared/log/log.hpp"

namespace shared::service {
namespace {

int run_command(const Program& program, const Command& command, const std::vector<std::string>& arguments) {
    config::Environment environment;
    log::init(program.name, environment.choice("LOG_LEVEL", "info", {"debug", "info", "warn", "error"}));
    int code = 1;
    try {
        code = command.run(environment, arguments);
    } catch (const std::exception& error) {
        log::flush();
        std::fprintf(stderr, "%s: %s\n", program.name, error.what());
        return 1;
    }
    log::flush();
    if (code != kWrongSettings) return code;
    std::fprintf(stderr, "%s: wrong settings\n%s\n", program.name, environment.report().c_str());
    return 1;
}

}  // namespace

int run_program(const Program& program, int count, const char* const* arguments) {
    std::vector<std::string> rest(arguments + std::min(count, 1), arguments + count);
    const std::string name = rest.empty() ? std::string(program.commands.front().name) : rest.front();
    if (!rest.empty()) rest.erase(rest.begin());
    if (name == "help" || name == "--help") {
        std::fputs(program.usage, stdout);
        return 0;
    }
    const auto command = std::find_if(program.commands.begin(), program.commands.end(),
                                      [&](const Command& each) { return each.name == name; });
    if (command == program.commands.end() || (!command->takes_arguments && !rest.empty())) {
        std::fputs(program.usage, stderr);
        return 2;
    }
    return run_command(program, *command, rest);
}

}  // namespace shared::service
