#include "services/auth/store/pg_database.hpp"

#include "services/auth/store/pg_audit.hpp"
#include "services/auth/store/pg_sessions.hpp"
#include "services/auth/store/pg_throttle.hpp"
#include "services/auth/store/pg_users.hpp"
#include "shared/async/bounded_pool.hpp"
#include "shared/log/log.hpp"
#include "shared/pg/migrate.hpp"

namespace auth::store {
namespace {

shared::pg::PoolOptions pool_options(const DatabaseOptions& options) {
    shared::pg::PoolOptions pool;
    pool.conninfo = options.uri;
    pool.size = options.connections;
    return pool;
}

class PgDatabase final : public Database {
  public:
    PgDatabase(boost::asio::io_context& io, const DatabaseOptions& options)
        : options_(options),
          pool_(io, pool_options(options)),
          users_(pool_),
          sessions_(pool_),
          throttle_(pool_),
          audit_(pool_),
          migrations_(1, 1) {}

    std::string_view kind() const override { return "postgresql"; }

    // Migrations block, so they run on a thread of their own.
    awaitable<Result<>> prepare() override {
        auto work = [options = options_]() -> std::optional<Errc> {
            try {
                shared::pg::migrate(options.uri, options.sql_dir);
                return std::nullopt;
            } catch (const shared::pg::MigrationUnavailable&) {
                return Errc::unavailable;
            } catch (const std::exception& error) {
                shared::log::error("migration_failed", {{"message", error.what()}});
                return Errc::failed;
            }
        };
        auto outcome = co_await migrations_.run(std::move(work));
        if (!outcome) co_return Errc::busy;
        if (*outcome) co_return **outcome;
        co_return Result<>();
    }

    awaitable<bool> ping() override { return pool_.ping(std::chrono::milliseconds(1000)); }

    UserStore& users() override { return users_; }
    SessionStore& sessions() override { return sessions_; }
    ThrottleStore& throttle() override { return throttle_; }
    AuditStore& audit() override { return audit_; }

  private:
    DatabaseOptions options_;
    shared::pg::Pool pool_;
    PgUsers users_;
    PgSessions sessions_;
    PgThrottle throttle_;
    PgAudit audit_;
    shared::async::BoundedPool migrations_;
};

}  // namespace

std::unique_ptr<Database> open_pg_database(boost::asio::io_context& io, const DatabaseOptions& options) {
    return std::make_unique<PgDatabase>(io, options);
}

}  // namespace auth::store
