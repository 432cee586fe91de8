// acad-service [serve | migrate | seed-demo]
#include <cstdio>
#include <string_view>

#include "services/acad/app.hpp"
#include "shared/log/log.hpp"
#include "shared/pg/migrate.hpp"

namespace {

constexpr const char* kUsage =
    "usage: acad-service [serve | migrate | seed-demo]\n"
    "  serve      answers HTTP on PORT (default); brings the schema up to date first\n"
    "  migrate    brings the schema up to date and ends\n"
    "  seed-demo  the same, and loads the demo students\n"
    "Settings come from the environment: see services/acad/README.md.\n";

int refuse(const shared::config::Environment& environment) {
    std::fputs("acad-service: wrong settings\n", stderr);
    std::fputs(environment.report().c_str(), stderr);
    std::fputc('\n', stderr);
    return 1;
}

int serve(shared::config::Environment& environment) {
    auto settings = acad::read_settings(environment);
    if (!environment.ok()) return refuse(environment);
    acad::App app(std::move(settings));
    return app.run();
}

int prepare(shared::config::Environment& environment, bool seed) {
    const auto settings = acad::read_database_settings(environment);
    if (!environment.ok()) return refuse(environment);
    const int count = shared::pg::migrate(settings.conninfo, settings.sql_dir, "acad");
    shared::log::info("schema_ready", {{"applied", count}});
    if (seed) {
        shared::pg::run_file(settings.conninfo, settings.seed_dir / "demo.sql");
        shared::log::info("demo_data_loaded");
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view command = count > 1 ? arguments[1] : "serve";
    if (command == "help" || command == "--help") {
        std::fputs(kUsage, stdout);
        return 0;
    }
    if (count > 2 || (command != "serve" && command != "migrate" && command != "seed-demo")) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    shared::config::Environment environment;
    shared::log::init("acad-service",
                      environment.choice("LOG_LEVEL", "info", {"debug", "info", "warn", "error"}));
    int code = 1;
    try {
        code = command == "serve" ? serve(environment) : prepare(environment, command == "seed-demo");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "acad-service: %s\n", error.what());
    }
    shared::log::flush();
    return code;
}
