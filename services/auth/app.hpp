// Composition root of the auth-service: builds every object in order, runs until a signal, shuts down in
// order.
#pragma once

#include "services/auth/settings.hpp"

namespace auth {

// Serves until SIGTERM or SIGINT (shared/service); the process's exit code. Throws
// std::runtime_error where it cannot start (port in use, a proxy list that is none).
int serve(const Settings& settings);

}  // namespace auth
