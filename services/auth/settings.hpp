// Everything an operator can set, checked once at start-up. Names, defaults and bounds are in settings.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "services/auth/crypto/password_hasher.hpp"
#include "services/auth/domain/address_limiter.hpp"
#include "services/auth/domain/password_policy.hpp"
#include "services/auth/domain/session.hpp"
#include "services/auth/domain/throttle.hpp"
#include "shared/config/environment.hpp"

namespace auth {

struct FirstAdmin {
    std::string username;
    std::string email;
    std::string password;
};

struct Settings {
    // the port
    std::string listen_address;
    std::uint16_t port = 3001;
    std::vector<std::string> trusted_proxies;
    std::chrono::milliseconds drain_delay{0};  // from SIGTERM until no more connections are accepted

    // the database
    std::string database_uri;
    std::filesystem::path sql_dir;
    std::size_t database_connections = 8;

    // tokens
    std::string jwt_secret;
    std::optional<std::filesystem::path> signing_keys_dir;  // none: HS256 with jwt_secret
    std::chrono::seconds key_publish_time{600};
    std::string issuer;
    std::string audience;
    std::string refresh_key;  // given, or derived from jwt_secret
    std::string device_key;   // of device tokens; derived from refresh_key
    std::string feed_token;   // given, or derived from jwt_secret
    domain::SessionRules sessions;

    // passwords
    std::optional<std::string> pepper;
    crypto::Argon2Cost argon2;
    std::size_t hash_threads = 4;
    std::size_t hash_queue = 256;
    domain::PasswordRules passwords;
    std::chrono::seconds first_password_life{std::chrono::days(14)};

    // limits
    bool registration_open = false;
    domain::ThrottleRules throttle;
    domain::BucketRules failures_by_address;
    domain::BucketRules registrations_by_address;
    domain::BucketRules password_changes_by_account;

    std::chrono::days audit_retention{365};
    std::optional<FirstAdmin> first_admin;
};

// Reads all settings; every problem is left in `environment`, and the result is of use only if
// environment.ok().
Settings read_settings(shared::config::Environment& environment);

}  // namespace auth
