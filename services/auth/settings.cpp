#include "services/auth/settings.hpp"

#include "services/auth/crypto/mac.hpp"
#include "services/auth/domain/identifiers.hpp"
#include "services/auth/domain/unicode.hpp"
#include "services/auth/store/database.hpp"
#include "shared/base/encoding.hpp"

namespace auth {
namespace {

using shared::config::Environment;

constexpr std::size_t kSecretBytes = 32;  // RFC 7518 section 3.2: as long as the hash

std::size_t count(Environment& environment, const std::string& name, std::int64_t fallback, std::int64_t min,
                  std::int64_t max) {
    return static_cast<std::size_t>(environment.integer(name, fallback, min, max));
}

domain::BucketRules bucket(Environment& environment, const std::string& burst_name, std::int64_t burst,
                           const std::string& rate_name, std::int64_t per_minute) {
    domain::BucketRules rules;
    rules.burst = static_cast<double>(environment.integer(burst_name, burst, 1, 1000000));
    rules.per_second = static_cast<double>(environment.integer(rate_name, per_minute, 1, 1000000)) / 60.0;
    return rules;
}

void read_sessions(Environment& environment, domain::SessionRules& rules) {
    rules.access_ttl = std::chrono::seconds(environment.integer("ACCESS_TOKEN_TTL_S", 600, 30, 3600));
    rules.idle = std::chrono::seconds(environment.integer("SESSION_IDLE_S", 30 * 86400, 60, 400 * 86400));
    rules.absolute = std::chrono::seconds(environment.integer("SESSION_MAX_S", 90 * 86400, 60, 400 * 86400));
    rules.grace = std::chrono::seconds(environment.integer("REFRESH_GRACE_S", 30, 0, 60));
    rules.grace_uses = static_cast<int>(environment.integer("REFRESH_GRACE_USES", 10, 0, 10));
    if (rules.absolute < rules.idle)
        environment.problem(
            "SESSION_MAX_S",
            "is shorter than SESSION_IDLE_S: a session cannot be idle for longer than it lives");
}

void read_first_admin(Environment& environment, Settings& settings) {
    const auto password = environment.optional_secret("FIRST_ADMIN_PASSWORD", settings.passwords.min_length);
    FirstAdmin admin;
    admin.username = environment.text("FIRST_ADMIN_USERNAME", "admin");
    admin.email = environment.text("FIRST_ADMIN_EMAIL", admin.username + "@kampus.example");
    if (!password) return;
    admin.password = *password;
    if (domain::username_problem(admin.username))
        environment.problem("FIRST_ADMIN_USERNAME",
                            "is no user name: 3 to 64 letters, digits, '.', '_' or '-'");
    if (domain::email_problem(admin.email)) environment.problem("FIRST_ADMIN_EMAIL", "is no e-mail address");
    const domain::PasswordContext context{admin.username, admin.email, ""};
    const auto normalized = domain::to_nfc(admin.password).value_or(admin.password);
    if (domain::password_problem(normalized, context, settings.passwords))
        environment.problem("FIRST_ADMIN_PASSWORD", "is too easy to guess: choose another one");
    settings.first_admin = std::move(admin);
}

}  // namespace

Settings read_settings(Environment& environment) {
    Settings settings;
    settings.listen_address = environment.text("LISTEN_ADDRESS", "0.0.0.0");
    settings.port = environment.port("PORT", 3001);
    settings.trusted_proxies = environment.list("TRUSTED_PROXIES", "127.0.0.0/8,::1/128");
    settings.drain_delay = std::chrono::milliseconds(environment.integer("DRAIN_DELAY_MS", 0, 0, 600'000));

    settings.database_uri =
        environment.required_text("MONGO_URI", "the user database, mongodb://… or postgresql://…");
    if (!settings.database_uri.empty())
        if (const auto problem = store::uri_problem(settings.database_uri); !problem.empty())
            environment.problem("MONGO_URI", "cannot be used: " + problem);
    settings.sql_dir = environment.text("SQL_DIR", "sql/auth");
    settings.database_connections = count(environment, "DATABASE_CONNECTIONS", 8, 1, 100);

    settings.jwt_secret = environment.required_secret("JWT_SECRET", kSecretBytes);
    if (const auto folder = environment.optional_text("SIGNING_KEYS_DIR"))
        settings.signing_keys_dir = *folder;
    settings.key_publish_time =
        std::chrono::seconds(environment.integer("SIGNING_KEY_PUBLISH_S", 600, 0, 86400));
    settings.issuer = environment.text("JWT_ISSUER", "kampus-auth");
    settings.audience = environment.text("JWT_AUDIENCE", "kampus-api");
    settings.refresh_key = environment.optional_secret("REFRESH_KEY", kSecretBytes)
                               .value_or(crypto::hmac_sha256(settings.jwt_secret, "kampus refresh token v1"));
    settings.device_key = crypto::hmac_sha256(settings.refresh_key, "kampus device token v1");
    settings.feed_token =
        environment.optional_secret("FEED_TOKEN", kSecretBytes)
            .value_or(shared::to_hex(crypto::hmac_sha256(settings.jwt_secret, "kampus revocation feed v1")));
    read_sessions(environment, settings.sessions);

    settings.pepper = environment.optional_secret("PASSWORD_PEPPER", kSecretBytes);
    settings.argon2.memory_kib =
        static_cast<std::uint32_t>(environment.integer("ARGON2_MEMORY_KIB", 19456, 19456, 1048576));
    settings.argon2.passes = static_cast<std::uint32_t>(environment.integer("ARGON2_PASSES", 2, 2, 20));
    settings.hash_threads = count(environment, "HASH_THREADS", 4, 1, 8);
    settings.hash_queue = count(environment, "HASH_QUEUE", 256, 0, 1000);
    settings.passwords.min_length = count(environment, "PASSWORD_MIN_LENGTH", 12, 8, 64);

    settings.first_password_life =
        std::chrono::seconds(environment.integer("FIRST_PASSWORD_LIFE_S", 14 * 86400, 1, 365 * 86400));

    settings.registration_open = environment.choice("REGISTRATION", "closed", {"open", "closed"}) == "open";
    settings.throttle.free_failures = environment.integer("LOGIN_FREE_FAILURES", 5, 1, 100);
    settings.throttle.max_delay =
        std::chrono::seconds(environment.integer("LOGIN_MAX_DELAY_S", 900, 1, 86400));
    settings.failures_by_address =
        bucket(environment, "ADDRESS_FAILURE_BURST", 100, "ADDRESS_FAILURES_PER_MINUTE", 60);
    settings.registrations_by_address =
        bucket(environment, "ADDRESS_REGISTRATION_BURST", 300, "ADDRESS_REGISTRATIONS_PER_MINUTE", 60);
    settings.password_changes_by_account =
        bucket(environment, "PASSWORD_CHANGE_BURST", 10, "PASSWORD_CHANGES_PER_MINUTE", 10);
    settings.audit_retention = std::chrono::days(environment.integer("AUDIT_RETENTION_DAYS", 365, 1, 3650));
    read_first_admin(environment, settings);
    return settings;
}

}  // namespace auth
