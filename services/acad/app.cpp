#include "services/acad/app.hpp"

#include "services/acad/api/endpoints.hpp"
#include "shared/log/log.hpp"
#include "shared/pg/migrate.hpp"
#include "shared/session/token_check.hpp"

namespace acad {

namespace log = shared::log;
using shared::service::Prepared;
namespace {

constexpr std::size_t kMaxRevocations = 1'000'000;

shared::service::Timing timing(const Settings& settings) {
    shared::service::Timing timing;
    timing.drain_delay = settings.drain_delay;
    return timing;
}

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
    // One client leaves others half of the database, and what is costly leaves half of it to what is not; a
    // few more requests are let in than it can answer at once, so that it is never idle.
    const auto connections = settings.pool_size;
    options.ordinary = {4 * connections, (connections + 1) / 2};
    options.costly = {(connections + 1) / 2, (connections + 3) / 4};
    return options;
}

}  // namespace

App::App(Settings settings)
    : settings_(std::move(settings)),
      service_(timing(settings_)),
      pool_(service_.context(), pool_options(settings_)),
      keys_(make_keys()),
      context_(
          pool_, service_.metrics(), *keys_, settings_.ketentuan,
          {.migrated = [this] { return service_.prepared(); },
           .stopping = [this] { return service_.stopping(); },
           // Not judged by a feed that fell silent later: then the setting says what happens to requests.
           .sessions_known =
               [this] { return !follower_ || follower_->ready() || !follower_->must_refuse(); }}) {
    auto check = make_token_check();
    auto router = api::make_router(context_, context_.state.migrated);
    service_.serve(server_options(settings_), std::move(router), std::move(check));
    service_.prepare([this] { return migrate(); });
    if (jwks_) jwks_->start(service_.context());
    if (follower_) follower_->start(service_.context());
    service_.on_drain([this] {
        if (jwks_) jwks_->stop();
        if (follower_) follower_->stop();
    });
    service_.on_drained([this] { pool_.close(); });
}

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
        shared::session::export_metrics(*follower_, service_.metrics());
    }
    return shared::session::make_token_check(keys_, follower_);
}

boost::asio::awaitable<Prepared> App::migrate() {
    auto work = [database = settings_.database] {
        return shared::pg::migrate(database.conninfo, database.sql_dir, "acad");
    };
    try {
        auto step = service_.blocking(std::move(work));
        const auto applied = co_await std::move(step);
        if (!applied) co_return Prepared::not_yet;
        log::info("schema_ready", {{"applied", *applied}});
        co_return Prepared::yes;
    } catch (const shared::pg::MigrationUnavailable& error) {
        if (!waiting_reported_) log::warn("migration_waits_for_database", {{"reason", error.what()}});
        waiting_reported_ = true;
        co_return Prepared::not_yet;
    } catch (const std::exception& error) {
        log::error("migration_failed", {{"reason", error.what()}});
        co_return Prepared::never;
    }
}

}  // namespace acad
