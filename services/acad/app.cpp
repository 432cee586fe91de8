#include "services/acad/app.hpp"

#include <boost/asio/post.hpp>
#include <csignal>

#include "services/acad/api/endpoints.hpp"
#include "shared/log/log.hpp"
#include "shared/pg/migrate.hpp"
#include "shared/session/token_check.hpp"

namespace acad {

namespace log = shared::log;
namespace {

constexpr std::chrono::seconds kGrace{10};
constexpr std::chrono::seconds kMigrationRetry{1};
constexpr std::size_t kMaxRevocations = 1'000'000;

shared::pg::PoolOptions pool_options(const Settings& settings) {
    shared::pg::PoolOptions options;
    options.conninfo = settings.database.conninfo;
    options.size = settings.pool_size;
    options.statement_timeout = settings.statement_timeout;
    options.application_name = "acad-service";
    return options;
}

shared::http::ServerOptions server_options(const Settings& settings) {
    shared::http::ServerOptions options;
    options.service = "acad-service";
    options.address = settings.address;
    options.port = settings.port;
    options.body_limit_bytes = settings.body_limit_bytes;
    options.trusted_proxies = settings.trusted_proxies;
    return options;
}

}  // namespace

App::App(Settings settings)
    : settings_(std::move(settings)),
      pool_(io_, pool_options(settings_)),
      keys_(make_keys()),
      context_(
          pool_, metrics_, *keys_, settings_.ketentuan,
          {.migrated = [this] { return migrated_.load(); },
           .stopping = [this] { return draining_; },
           // Not judged by a feed that fell silent later: then the setting says what happens to requests.
           .sessions_known =
               [this] { return !follower_ || follower_->ready() || !follower_->must_refuse(); }}),
      signals_(io_, SIGTERM, SIGINT) {
    auto check = make_token_check();
    auto router = api::make_router(context_, context_.state.migrated);
    server_.emplace(io_, server_options(settings_), std::move(router), std::move(check), metrics_);
}

App::~App() = default;

std::shared_ptr<const shared::keys::KeySource> App::make_keys() {
    constexpr const char* kIssuer = "auth";  // in logs
    std::vector<shared::jwt::Key> fixed;
    if (!settings_.jwks.empty()) {
        try {
            fixed = shared::keys::read_jwks(settings_.jwks, kIssuer);
        } catch (const std::runtime_error& error) {
            throw std::runtime_error(std::string("JWKS ") + error.what());
        }
    }
    if (!settings_.jwt_secret.empty()) {
        auto key = shared::jwt::Key::from_secret(settings_.jwt_secret);
        if (!key) throw std::runtime_error("JWT_SECRET: " + key.error().message());
        fixed.push_back(std::move(*key));
    }
    if (settings_.jwks_url)
        jwks_ = std::make_shared<shared::keys::JwksFollower>(kIssuer, *settings_.jwks_url);
    shared::jwt::Rules rules;
    rules.issuer = settings_.jwt_issuer;
    rules.audience = settings_.jwt_audience;
    return std::make_shared<const shared::keys::KeySource>(std::move(rules), std::move(fixed), jwks_);
}

shared::http::TokenCheck App::make_token_check() {
    if (settings_.feed_url.empty()) {
        log::warn("revocation_feed_not_followed", {{"reason", "AUTH_FEED_URL is not set"}});
    } else {
        shared::session::FollowerOptions options;
        options.url = settings_.feed_url;
        options.token = settings_.feed_token;
        options.max_age = settings_.feed_max_age;
        options.refuse_when_stale = settings_.refuse_when_stale;
        auto set = std::make_shared<shared::jwt::RevocationSet>(kMaxRevocations);
        follower_ = std::make_shared<shared::session::Follower>(std::move(options), std::move(set));
        shared::session::export_metrics(*follower_, metrics_);
    }
    return shared::session::make_token_check(keys_, follower_);
}

int App::run() {
    on_signal();
    if (jwks_) jwks_->start(io_);
    if (follower_) follower_->start(io_);
    server_->start();
    migrator_ = std::thread([this] { migrate_until_done(); });
    io_.run();

    // A migration that cannot be interrupted is not waited for: the server rolls it back when we are gone.
    bool finished = false;
    {
        std::unique_lock lock(migrator_mutex_);
        stopping_ = true;
        migrator_wake_.notify_all();
        finished =
            migrator_wake_.wait_for(lock, std::chrono::seconds(2), [this] { return migrator_finished_; });
    }
    if (!finished) {
        log::warn("stopped_during_migration");
        log::flush();
        std::_Exit(exit_code_);
    }
    migrator_.join();
    log::info("stopped");
    return exit_code_;
}

// Runs on the migrator's thread. The service listens meanwhile and says 503.
void App::migrate_until_done() {
    bool reported = false;
    bool again = true;
    while (again) {
        again = false;
        try {
            const int count =
                shared::pg::migrate(settings_.database.conninfo, settings_.database.sql_dir, "acad");
            migrated_ = true;
            log::info("schema_ready", {{"applied", count}});
        } catch (const shared::pg::MigrationUnavailable& error) {
            if (!reported) log::warn("migration_waits_for_database", {{"reason", error.what()}});
            reported = true;
            again = true;
        } catch (const std::exception& error) {
            log::error("migration_failed", {{"reason", error.what()}});
            boost::asio::post(io_, [this] {
                exit_code_ = 1;
                shut_down(std::chrono::milliseconds(0));
            });
        }
        std::unique_lock lock(migrator_mutex_);
        if (again && migrator_wake_.wait_for(lock, kMigrationRetry, [this] { return stopping_; }))
            again = false;
        if (!again) {
            migrator_finished_ = true;
            migrator_wake_.notify_all();
        }
    }
}

void App::on_signal() {
    signals_.async_wait([this](boost::system::error_code error, int number) {
        if (error) return;
        if (draining_) {
            log::flush();
            std::_Exit(128 + number);
        }
        on_signal();
        log::info("stopping", {{"signal", number}});
        shut_down(settings_.drain_delay);
    });
}

void App::shut_down(std::chrono::milliseconds delay) {
    if (draining_) return;
    draining_ = true;
    server_->retire();
    drain_timer_.expires_after(delay);
    drain_timer_.async_wait([this](boost::system::error_code) { drain(); });
}

// No new connections; what is in flight is answered; then the database connections go.
void App::drain() {
    if (jwks_) jwks_->stop();
    if (follower_) follower_->stop();
    server_->drain(kGrace, [this] {
        pool_.close();
        signals_.cancel();
        io_.stop();
    });
}

}  // namespace acad
