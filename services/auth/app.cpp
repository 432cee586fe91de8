#include "services/auth/app.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>

#include "services/auth/api/context.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/bootstrap.hpp"
#include "shared/http/server.hpp"
#include "shared/jwt/verifier.hpp"
#include "shared/log/log.hpp"

namespace auth {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr std::chrono::seconds kDrainGrace{10};
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
        return crypto::load_key_files(*settings.signing_keys_dir, settings.jwt_secret);
    } catch (const std::exception& failure) {
        throw std::runtime_error(std::string("SIGNING_KEYS_DIR: ") + failure.what() +
                                 " (auth-service rotate-key makes the first keys)");
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
    options.body_limit_bytes = 64 * 1024;  // nothing here takes more
    options.trusted_proxies = settings.trusted_proxies;
    return options;
}

class App {
  public:
    explicit App(const Settings& settings)
        : settings_(settings),
          io_(1),
          database_(store::open_database(io_, database_options(settings))),
          // Hashing costs 19 MiB and a core each: a pool of its own, so that nothing else waits behind it.
          passwords_(crypto::PasswordHasher(settings.argon2, settings.pepper), settings.hash_threads,
                     settings.hash_queue),
          refresh_tokens_(settings.refresh_key),
          feed_(io_, database_->sessions(), shared::system_now, api::RevocationFeed::Timing{}),
          audit_(io_, database_->audit()),
          failures_by_address_(settings.failures_by_address),
          registrations_by_address_(settings.registrations_by_address),
          context_{settings_,
                   *database_,
                   passwords_,
                   issuer_keys(settings),
                   refresh_tokens_,
                   [this](std::string_view token) { return check(token); },
                   feed_,
                   audit_,
                   failures_by_address_,
                   registrations_by_address_,
                   metrics_,
                   shared::system_now},
          server_(io_, server_options(settings), shared::http::make_router(api::kEndpoints, context_),
                  context_.check_token, metrics_),
          pause_(io_),
          key_timer_(io_),
          drain_timer_(io_),
          signals_(io_, SIGTERM, SIGINT) {
        use_keys(context_.keys);
    }

    int run() {
        signals_.async_wait([this](boost::system::error_code error, int) {
            if (!error) shut_down();
        });
        spawn("preparation", prepare_and_sweep());
        if (settings_.signing_keys_dir) spawn("key files", follow_key_files());
        asio::co_spawn(io_, audit_.store_all(), [this](std::exception_ptr failure) {
            report("audit trail", failure);
            io_.stop();  // it ends last; see shut_down
        });
        server_.start();
        io_.run();
        shared::log::info("stopped");
        return 0;
    }

  private:
    static void report(const char* what, std::exception_ptr failure) {
        if (!failure) return;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            shared::log::error("task_failed", {{"task", what}, {"message", error.what()}});
        }
    }

    void spawn(const char* what, awaitable<void> task) {
        asio::co_spawn(io_, std::move(task), [what](std::exception_ptr failure) { report(what, failure); });
    }

    shared::Result<shared::jwt::Claims> check(std::string_view token) const {
        auto claims = verifier_->verify(token, shared::system_now());
        if (!claims) return claims;
        // Until the list has been read once, a session that has ended would look alive.
        if (!feed_.loaded()) return shared::jwt::make_error_code(shared::jwt::Errc::sessions_unknown);
        if (feed_.view().contains(claims->sid, shared::system_now()))
            return shared::jwt::make_error_code(shared::jwt::Errc::revoked);
        return claims;
    }

    void use_keys(std::shared_ptr<const crypto::IssuerKeys> keys) {
        verifier_ = std::make_unique<const shared::jwt::Verifier>(token_rules(settings_), keys->verification);
        context_.keys = std::move(keys);
    }

    // rotate-key changes the folder, on this machine or another; a broken change leaves the keys that are in
    // use.
    awaitable<void> follow_key_files() {
        std::filesystem::file_time_type seen{};
        while (!stopping_) {
            std::error_code error;
            const auto changed =
                std::filesystem::last_write_time(*settings_.signing_keys_dir / "keys.json", error);
            if (!error && changed != seen) {
                seen = changed;
                try {
                    use_keys(issuer_keys(settings_));
                    shared::log::info("signing_keys_loaded");
                } catch (const std::exception& failure) {
                    shared::log::error("signing_keys_refused", {{"message", failure.what()}});
                }
            }
            key_timer_.expires_after(kKeyInterval);
            boost::system::error_code cut_short;
            co_await key_timer_.async_wait(asio::redirect_error(asio::use_awaitable, cut_short));
        }
    }

    awaitable<void> rest(std::chrono::milliseconds time) {
        pause_.expires_after(time);
        boost::system::error_code cut_short;
        co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, cut_short));
    }

    // Schema and indexes, however long the database takes to come up; then what is swept out at intervals.
    awaitable<void> prepare_and_sweep() {
        while (!stopping_) {
            const bool done = co_await prepare();
            if (done) break;
            co_await rest(std::chrono::seconds(1));
        }
        while (!stopping_) {
            co_await sweep();
            co_await rest(kSweepInterval);
        }
    }

    awaitable<bool> prepare() {
        auto prepared = co_await database_->prepare();
        if (prepared && settings_.first_admin) {
            prepared = co_await put_first_admin(*database_, passwords_, *settings_.first_admin);
        }
        if (!prepared) {
            shared::log::warn("database_not_prepared", {{"message", prepared.error().message()}});
            co_return false;
        }
        // The list of ended sessions too: until it is known no token can be accepted.
        const bool listed = co_await feed_.ask();
        if (!listed) co_return false;
        spawn("revocation feed", feed_.follow());
        context_.prepared = true;
        shared::log::info("database_prepared", {{"kind", database_->kind()}});
        co_return true;
    }

    // A sweep that fails is tried again in the next round; nothing depends on it but space.
    awaitable<void> sweep() {
        const auto now = shared::system_now();
        auto swept = co_await database_->sessions().sweep(now, settings_.sessions);
        (void)co_await database_->throttle().sweep(now - 2 * settings_.throttle.forget_after);
        (void)co_await database_->audit().sweep(now - settings_.audit_retention);
        if (swept && *swept > 0) shared::log::debug("swept", {{"sessions", *swept}});
    }

    // Unhealthy, but serving (drain_delay: balancers look elsewhere) → stop accepting, answer what is in
    // flight (long-polls at once), store the last audit records, stop.
    void shut_down() {
        shared::log::info("stopping");
        signals_.async_wait([](boost::system::error_code error, int) {
            if (!error) std::_Exit(1);  // asked twice: at once
        });
        context_.stopping = true;
        server_.retire();
        drain_timer_.expires_after(settings_.drain_delay);
        drain_timer_.async_wait([this](boost::system::error_code) { drain(); });
    }

    void drain() {
        stopping_ = true;
        pause_.cancel();
        key_timer_.cancel();
        feed_.stop();
        server_.drain(kDrainGrace, [this] { audit_.stop(); });
    }

    const Settings& settings_;
    asio::io_context io_;
    shared::metrics::Registry metrics_;
    std::unique_ptr<store::Database> database_;
    crypto::PasswordService passwords_;
    crypto::RefreshTokens refresh_tokens_;
    std::unique_ptr<const shared::jwt::Verifier> verifier_;
    api::RevocationFeed feed_;
    api::AuditTrail audit_;
    domain::AddressLimiter failures_by_address_;
    domain::AddressLimiter registrations_by_address_;
    api::Context context_;
    shared::http::Server server_;
    asio::steady_timer pause_;
    asio::steady_timer key_timer_;
    asio::steady_timer drain_timer_;
    asio::signal_set signals_;
    bool stopping_ = false;
};

}  // namespace

int serve(const Settings& settings) {
    return App(settings).run();
}

}  // namespace auth
