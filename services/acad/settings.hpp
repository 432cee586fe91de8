// Every setting of the service, from the environment; described in services/acad/README.md.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "services/acad/domain/studi.hpp"
#include "shared/config/environment.hpp"
#include "shared/keys/jwks_follower.hpp"
#include "shared/pg/pg.hpp"

namespace acad {

struct DatabaseSettings {
    std::string conninfo;
    std::filesystem::path sql_dir;
    std::filesystem::path seed_dir;
};

struct Settings {
    DatabaseSettings database;
    std::size_t pool_size = 8;
    std::chrono::milliseconds statement_timeout{5000};
    std::string address;
    std::uint16_t port = 0;
    std::size_t body_limit_bytes = 0;
    std::vector<std::string> trusted_proxies;
    std::chrono::milliseconds drain_delay{0};  // from SIGTERM until no more connections are accepted
    std::string jwt_secret;                    // empty: none, then there is a JWK set
    std::string jwks;                          // the text of a JWK set; empty: none
    std::optional<shared::keys::JwksOptions> jwks_url;
    std::string jwt_issuer;
    std::string jwt_audience;
    std::string feed_url;  // empty: not followed
    std::string feed_token;
    std::chrono::seconds feed_max_age{60};
    bool refuse_when_stale = false;
    domain::Ketentuan ketentuan;
};

// Problems are left in `environment`; look at environment.ok() before using the result.
DatabaseSettings read_database_settings(shared::config::Environment& environment);
Settings read_settings(shared::config::Environment& environment);

}  // namespace acad
