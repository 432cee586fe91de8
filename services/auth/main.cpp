#include <malloc.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "services/auth/app.hpp"
#include "services/auth/commands.hpp"
#include "shared/log/log.hpp"

namespace {

constexpr const char* kUsage =
    "usage: auth-service [serve]\n"
    "       auth-service migrate\n"
    "       auth-service create-admin --username NAME --email ADDRESS < password\n"
    "       auth-service seed-demo FILE\n"
    "       auth-service rotate-key [--alg ES256|RS256|PS256|EdDSA]\n"
    "Settings come from the environment; MONGO_URI and JWT_SECRET are required.\n";

// Each password hash takes 19 MiB for some milliseconds. glibc would learn from the first one to keep such
// blocks in its arenas, one per thread, for good; with a fixed threshold they go back to the system.
void keep_memory_small() {
    mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
    mallopt(M_ARENA_MAX, 2);
}

int run(const std::string& command, const std::vector<std::string>& arguments) {
    shared::config::Environment environment;
    const auth::Settings settings = auth::read_settings(environment);
    if (!environment.ok()) {
        std::cerr << environment.report();
        return 1;
    }
    shared::log::init("auth-service", settings.log_level);
    if (command == "serve") return auth::serve(settings);
    if (command == "migrate") return auth::migrate(settings);
    if (command == "create-admin") return auth::create_admin(settings, arguments);
    if (command == "rotate-key") return auth::rotate_key(settings, arguments);
    return auth::seed_demo(settings, arguments);
}

}  // namespace

int main(int count, char** values) {
    keep_memory_small();
    std::vector<std::string> arguments(values + 1, values + count);
    const std::string command = arguments.empty() ? "serve" : arguments.front();
    if (!arguments.empty()) arguments.erase(arguments.begin());
    const std::vector<std::string> known{"serve", "migrate", "create-admin", "seed-demo", "rotate-key"};
    if (std::find(known.begin(), known.end(), command) == known.end()) {
        std::cerr << kUsage;
        return command == "help" || command == "--help" ? 0 : 2;
    }
    try {
        const int code = run(command, arguments);
        shared::log::flush();
        return code;
    } catch (const std::exception& error) {
        shared::log::flush();
        std::cerr << "auth-service: " << error.what() << '\n';
        return 1;
    }
}
