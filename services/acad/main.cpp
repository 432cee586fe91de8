// acad-service [serve | migrate | seed-demo]
#include "services/acad/app.hpp"
#include "shared/log/log.hpp"
#include "shared/pg/migrate.hpp"
#include "shared/service/program.hpp"

namespace {

constexpr const char* kUsage =
    "usage: acad-service [serve | migrate | seed-demo]\n"
    "  serve      answers HTTP on PORT (default); brings the schema up to date first\n"
    "  migrate    brings the schema up to date and ends\n"
    "  seed-demo  the same, and loads the demo students\n"
    "Settings come from the environment: see services/acad/README.md.\n";

using shared::config::Environment;
using Arguments = std::vector<std::string>;

int serve(Environment& environment, const Arguments&) {
    auto settings = acad::read_settings(environment);
    if (!environment.ok()) return shared::service::kWrongSettings;
    acad::App app(std::move(settings));
    return app.run();
}

int prepare(Environment& environment, bool seed) {
    const auto settings = acad::read_database_settings(environment);
    if (!environment.ok()) return shared::service::kWrongSettings;
    const int count = shared::pg::migrate(settings.conninfo, settings.sql_dir, "acad");
    shared::log::info("schema_ready", {{"applied", count}});
    if (seed) {
        shared::pg::run_file(settings.conninfo, settings.seed_dir / "demo.sql");
        shared::log::info("demo_data_loaded");
    }
    return 0;
}

int migrate(Environment& environment, const Arguments&) {
    return prepare(environment, false);
}

int seed_demo(Environment& environment, const Arguments&) {
    return prepare(environment, true);
}

}  // namespace

int main(int count, char** arguments) {
    const shared::service::Program program{
        "acad-service", kUsage, {{"serve", serve}, {"migrate", migrate}, {"seed-demo", seed_demo}}};
    return shared::service::run_program(program, count, arguments);
}
