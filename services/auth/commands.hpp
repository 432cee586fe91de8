// The one-shot commands of the auth-service. Each waits up to 30 s for the database.
#pragma once

#include <string>
#include <vector>

#include "services/auth/settings.hpp"

namespace auth {

// Schema and indexes, old accounts taken over. Exit code.
int migrate(const Settings& settings);

// create-admin --username NAME --email ADDRESS; the password is the first line of standard input.
int create_admin(const Settings& settings, const std::vector<std::string>& arguments);

// seed-demo FILE (or - for standard input): creates or updates the accounts of a JSON file (bootstrap.hpp).
int seed_demo(const Settings& settings, const std::vector<std::string>& arguments);

// rotate-key [--alg ES256|RS256|PS256|EdDSA]: one step of the key files in SIGNING_KEYS_DIR
// (crypto/issuer_keys.hpp). Needs no database.
int rotate_key(const Settings& settings, const std::vector<std::string>& arguments);

}  // namespace auth
