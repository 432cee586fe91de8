#include "services/acad/settings.hpp"

#include "shared/http/client.hpp"
#include "shared/pg/conninfo.hpp"
#include "shared/session/feed_token.hpp"

namespace acad {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kPasswordBytes = 8;

// As libpq's keyword=value strings want it.
std::string quoted(const std::string& value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

std::string read_conninfo(shared::config::Environment& environment) {
    if (const auto url = environment.optional_text("DATABASE_URL")) {
        if (environment.optional_text("DB_HOST")) {
            environment.problem("DATABASE_URL", "is set together with DB_HOST; use one of them");
        }
        try {
            shared::pg::parse_conninfo(*url);
        } catch (const std::exception& error) {
            environment.problem("DATABASE_URL", error.what());
        }
        return *url;
    }
    const auto host =
        environment.required_text("DB_HOST", "the database server's name (or set DATABASE_URL)");
    const auto port = environment.port("DB_PORT", 5432);
    const auto name = environment.required_text("DB_NAME", "the database's name");
    const auto user = environment.required_text("DB_USER", "the database user");
    // Through a socket in the file system the server knows the user itself.
    const bool by_socket = host.starts_with('/');
    const auto password = by_socket ? environment.optional_secret("DB_PASSWORD", kPasswordBytes).value_or("")
                                    : environment.required_secret("DB_PASSWORD", kPasswordBytes);
    auto conninfo = "host=" + quoted(host) + " port=" + std::to_string(port) + " dbname=" + quoted(name) +
                    " user=" + quoted(user);
    if (!password.empty()) conninfo += " password=" + quoted(password);
    return conninfo;
}

void read_keys(shared::config::Environment& environment, Settings& settings) {
    settings.jwks = environment.text("JWKS", "");
    if (const auto url = environment.optional_text("JWKS_URL")) {
        if (!shared::http::parse_url(*url)) environment.problem("JWKS_URL", "is no http:// or https:// URL");
        auto& options = settings.jwks_url.emplace();
        options.url = *url;
        options.refresh = std::chrono::seconds(environment.integer("JWKS_REFRESH_S", 300, 1, 86'400));
        options.max_stale =
            std::chrono::seconds(environment.integer("JWKS_MAX_STALE_S", 86'400, 0, 30 * 86'400));
    }
    if (settings.jwks.empty() && !settings.jwks_url)
        settings.jwt_secret = environment.required_secret("JWT_SECRET", kSecretBytes);
    else
        settings.jwt_secret = environment.optional_secret("JWT_SECRET", kSecretBytes).value_or("");
}

void read_feed(shared::config::Environment& environment, Settings& settings) {
    settings.feed_url = environment.text("AUTH_FEED_URL", "");
    const auto token = environment.optional_secret("FEED_TOKEN", kSecretBytes);
    settings.feed_max_age = std::chrono::seconds(environment.integer("AUTH_FEED_MAX_AGE_S", 60, 1, 86'400));
    settings.refuse_when_stale =
        environment.choice("AUTH_FEED_STALE", "allow", {"allow", "refuse"}) == "refuse";
    if (!settings.feed_url.empty() && !shared::http::parse_url(settings.feed_url))
        environment.problem("AUTH_FEED_URL", "is no http:// or https:// URL");
    const bool has_jwks = !settings.jwks.empty() || settings.jwks_url;
    if (token)
        settings.feed_token = *token;
    else if (!settings.jwt_secret.empty())
        settings.feed_token = shared::session::derive_feed_token(settings.jwt_secret);
    else if (!settings.feed_url.empty() && has_jwks)
        environment.problem("FEED_TOKEN",
                            "is missing: the feed's token can only be derived where JWT_SECRET is set");
}

void read_token_settings(shared::config::Environment& environment, Settings& settings) {
    read_keys(environment, settings);
    settings.jwt_issuer = environment.text("JWT_ISSUER", "kampus-auth");
    settings.jwt_audience = environment.text("JWT_AUDIENCE", "kampus-api");
    read_feed(environment, settings);
}

}  // namespace

DatabaseSettings read_database_settings(shared::config::Environment& environment) {
    DatabaseSettings settings;
    settings.conninfo = read_conninfo(environment);
    settings.sql_dir = environment.text("SQL_DIR", "sql/acad");
    settings.seed_dir = environment.text("SEED_DIR", (settings.sql_dir.parent_path() / "seed").string());
    if (!std::filesystem::is_directory(settings.sql_dir)) {
        environment.problem("SQL_DIR",
                            "no folder at " + settings.sql_dir.string() + "; it holds the migrations");
    }
    return settings;
}

Settings read_settings(shared::config::Environment& environment) {
    Settings settings;
    settings.database = read_database_settings(environment);
    settings.pool_size = static_cast<std::size_t>(environment.integer("DB_POOL_SIZE", 8, 1, 200));
    settings.statement_timeout =
        std::chrono::milliseconds(environment.integer("DB_STATEMENT_TIMEOUT_MS", 5000, 100, 300'000));
    settings.address = environment.text("LISTEN_ADDRESS", "0.0.0.0");
    settings.port = environment.port("PORT", 3002);
    settings.body_limit_bytes = static_cast<std::size_t>(
        environment.integer("BODY_LIMIT_BYTES", 8 * 1024 * 1024, 1024, 256 * 1024 * 1024));
    settings.trusted_proxies = environment.list("TRUSTED_PROXIES", "127.0.0.0/8,::1/128");
    settings.drain_delay = std::chrono::milliseconds(environment.integer("DRAIN_DELAY_MS", 0, 0, 600'000));
    read_token_settings(environment, settings);
    settings.ketentuan.rounding =
        domain::parse_rounding(
            environment.choice("ROUNDING", "half_up", {"half_up", "truncate", "half_even"}))
            .value_or(domain::Rounding::half_up);
    settings.ketentuan.repeat =
        domain::parse_repeat_rule(environment.choice("REPEAT_RULE", "best", {"best", "last"}))
            .value_or(domain::RepeatRule::best);
    return settings;
}

}  // namespace acad
