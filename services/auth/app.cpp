#include "services/auth/app.hpp"

#include <memory>
#include <stdexcept>

#include "services/auth/api/context.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/bootstrap.hpp"
#include "shared/jwt/cached_verifier.hpp"
#include "shared/log/log.hpp"
#include "shared/service/service.hpp"

namespace auth {
namespace {

using boost::asio::awaitable;
using shared::service::Prepared;

constexpr std::chrono::seconds kSweepInterval{60};
constexpr std::chrono::seconds kKeyInterval{2};

store::DatabaseOptions database_options(const Settings& settings) {
    store::DatabaseOptions options;
    options.uri = settings.database_uri;
    options.sql_dir = settings.sql_dir;
    options.connections = settings.database_connections;
    return options;
}

std::shared_ptr<const crypto::IssuerKeys> issuer_keys(const Settings& settings) {
    if (!settings.signing_keys_dir) return crypto::make_secret_keys(settings.jwt_secret);
    try {
        if (crypto::make_first_key_files(*settings.signing_keys_dir, shared::system_now()))
            shared::log::info("first_signing_keys_made", {{"folder", settings.signing_keys_dir->string()}});
        return crypto::load_key_files(*settings.signing_keys_dir, settings.jwt_secret);
    } catch (const std::exception& failure) {
        throw std::runtime_error(std::string("SIGNING_KEYS_DIR: ") + failure.what());
    }
}

shared::jwt::Rules token_rules(const Settings& settings) {
    shared::jwt::Rules rules;
    rules.issuer = settings.issuer;
    rules.audience = settings.audience;
    return rules;
}

shared::http::ServerOptions server_options(const Settings& settings) {
    shared::http::ServerOptions options;
    options.service = "auth-service";
    options.address = settings.listen_address;
    options.port = settings.port;
    options.trusted_proxies = settings.trusted_proxies;
    // One client leaves others half of the database; a few more wait so that it is never idle.
    const auto connections = settings.database_connections;
    options.ordinary = {4 * connections, (connections + 1) / 2};
    return options;
}

shared::service::Timing timing(const Settings& settings) {
    shared::service::Timing timing;
    timing.drain_delay = settings.drain_delay;
    return timing;
}

class App {
  public:
    explicit App(const Settings& settings)
        : settings_(settings),
          service_(timing(settings)),
          database_(store::open_database(service_.context(), database_options(settings))),
          // Hashing costs 19 MiB and a core each: a pool of its own, so that nothing else waits behind it.
          passwords_(crypto::PasswordHasher(settings.argon2, settings.pepper), settings.hash_threads,
                     settings.hash_queue),
          refresh_tokens_(settings.refresh_key),
          device_tokens_(settings.device_key),
          feed_(service_.context(), database_->sessions(), shared::system_now, api::RevocationFeed::Timing{}),
          audit_(service_.context(), database_->audit()),
          failures_by_address_(settings.failures_by_address),
          registrations_by_address_(settings.registrations_by_address),
          password_changes_by_account_(settings.password_changes_by_account),
          guessing_(service_.context()),
          context_{settings_,
                   service_,
                   *database_,
                   passwords_,
                   issuer_keys(settings),
                   refresh_tokens_,
                   device_tokens_,
                   [this](std::string_view token) { return check(token); },
                   feed_,
                   audit_,
                   failures_by_address_,
                   registrations_by_address_,
                   password_changes_by_account_,
                   guessing_,
                   service_.metrics(),
                   shared::system_now} {
        use_keys(context_.keys);
        service_.prepare([this] { return prepare(); });
        if (settings_.signing_keys_dir)
            service_.every("key files", kKeyInterval, [this] { return look_at_key_files(); });
        service_.spawn_last("audit trail", audit_.store_all());
        service_.on_drain([this] { feed_.stop(); });  // long-polls are answered at once
        service_.on_drained([this] { audit_.stop(); });
        service_.serve(server_options(settings), shared::http::make_router(api::kEndpoints, context_),
                       context_.check_token);
    }

    int run() { return service_.run(); }

  private:
    shared::Result<shared::jwt::Claims> check(std::string_view token) {
        auto claims = verifier_.verify(token, shared::system_now());
        if (!claims) return claims;
        // Until the list has been read once, a session that has ended would look alive.
        if (!feed_.loaded()) return shared::jwt::make_error_code(shared::jwt::Errc::sessions_unknown);
        if (feed_.view().contains(claims->sid, shared::system_now()))
            return shared::jwt::make_error_code(shared::jwt::Errc::revoked);
        return claims;
    }

    void use_keys(std::shared_ptr<const crypto::IssuerKeys> keys) {
        verifier_.use(
            std::make_shared<const shared::jwt::Verifier>(token_rules(settings_), keys->verification));
        context_.keys = std::move(keys);
    }

    // rotate-key changes the folder, on this machine or another; a broken change leaves the keys that are in
    // use.
    awaitable<void> look_at_key_files() {
        std::error_code error;
        const auto changed =
            std::filesystem::last_write_time(*settings_.signing_keys_dir / "keys.json", error);
        if (error || changed == keys_seen_) co_return;
        keys_seen_ = changed;
        try {
            use_keys(issuer_keys(settings_));
            shared::log::info("signing_keys_loaded");
        } catch (const std::exception& failure) {
            shared::log::error("signing_keys_refused", {{"message", failure.what()}});
        }
    }

    // Schema, indexes and the first account, however long the database takes to come up.
    awaitable<Prepared> prepare() {
        auto prepared = co_await database_->prepare();
        if (prepared && settings_.first_admin)
            prepared = co_await put_first_admin(*database_, passwords_, *settings_.first_admin);
        if (!prepared) {
            shared::log::warn("database_not_prepared", {{"message", prepared.error().message()}});
            co_return Prepared::not_yet;
        }
        // The list of ended sessions too: until it is known no token can be accepted.
        const bool listed = co_await feed_.ask();
        if (!listed) co_return Prepared::not_yet;
        service_.spawn("revocation feed", feed_.follow());
        service_.every("sweep", kSweepInterval, [this] { return sweep(); });
        shared::log::info("database_prepared", {{"kind", database_->kind()}});
        co_return Prepared::yes;
    }

    // A sweep that fails is tried again in the next round; nothing depends on it but space.
    awaitable<void> sweep() {
        const auto now = shared::system_now();
        const auto swept = co_await database_->sessions().sweep(now, settings_.sessions);
        (void)co_await database_->throttle().sweep(now - 2 * settings_.throttle.forget_after);
        (void)co_await database_->audit().sweep(now - settings_.audit_retention);
        if (swept && *swept > 0) shared::log::debug("swept", {{"sessions", *swept}});
    }

    const Settings& settings_;
    shared::service::Service service_;
    std::unique_ptr<store::Database> database_;
    crypto::PasswordService passwords_;
    crypto::RefreshTokens refresh_tokens_;
    crypto::DeviceTokens device_tokens_;
    shared::jwt::CachedVerifier verifier_;
    std::filesystem::file_time_type keys_seen_{};
    api::RevocationFeed feed_;
    api::AuditTrail audit_;
    domain::AddressLimiter failures_by_address_;
    domain::AddressLimiter registrations_by_address_;
    domain::AddressLimiter password_changes_by_account_;
    api::Guessing guessing_;
    api::Context context_;
};

}  // namespace

int serve(const Settings& settings) {
    return App(settings).run();
}

}  // namespace auth
