#include <malloc.h>

#include "services/auth/app.hpp"
#include "services/auth/commands.hpp"
#include "shared/service/program.hpp"

namespace {

using Arguments = std::vector<std::string>;

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

template <class F>
auto with_settings(F command) {
    return [command](shared::config::Environment& environment, const Arguments& arguments) {
        const auth::Settings settings = auth::read_settings(environment);
        return environment.ok() ? command(settings, arguments) : shared::service::kWrongSettings;
    };
}

int serve(const auth::Settings& settings, const Arguments&) {
    return auth::serve(settings);
}

int migrate(const auth::Settings& settings, const Arguments&) {
    return auth::migrate(settings);
}

}  // namespace

int main(int count, char** arguments) {
    keep_memory_small();
    return shared::service::run_program({"auth-service",
                                         kUsage,
                                         {{"serve", with_settings(serve)},
                                          {"migrate", with_settings(migrate)},
                                          {"create-admin", with_settings(auth::create_admin), true},
                                          {"seed-demo", with_settings(auth::seed_demo), true},
                                          {"rotate-key", with_settings(auth::rotate_key), true}}},
                                        count, arguments);
}
