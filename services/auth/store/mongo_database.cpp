#include "services/auth/store/mongo_database.hpp"

#include "services/auth/store/mongo_audit.hpp"
#include "services/auth/store/mongo_client.hpp"
#include "services/auth/store/mongo_sessions.hpp"
#include "services/auth/store/mongo_throttle.hpp"
#include "services/auth/store/mongo_users.hpp"

namespace auth::store {
namespace {

class MongoDatabase final : public Database {
  public:
    explicit MongoDatabase(const DatabaseOptions& options)
        : client_(options.uri, options.connections),
          users_(client_),
          sessions_(client_),
          throttle_(client_),
          audit_(client_) {}

    std::string_view kind() const override { return "mongodb"; }

    awaitable<Result<>> prepare() override {
        auto done = co_await sessions_.prepare();
        if (!done) co_return done;
        done = co_await audit_.prepare();
        if (!done) co_return done;
        co_return co_await users_.prepare();
    }

    awaitable<bool> ping() override {
        auto work = [](MongoSession& session) -> Result<bool> {
            auto code = session.command(Bson().small_integer("ping", 1));
            if (!code) return to_errc(code.error());
            return *code == 0;
        };
        auto answered = co_await client_.run(std::move(work));
        co_return answered&&* answered;
    }

    UserStore& users() override { return users_; }
    SessionStore& sessions() override { return sessions_; }
    ThrottleStore& throttle() override { return throttle_; }
    AuditStore& audit() override { return audit_; }

  private:
    MongoClient client_;
    MongoUsers users_;
    MongoSessions sessions_;
    MongoThrottle throttle_;
    MongoAudit audit_;
};

}  // namespace

std::unique_ptr<Database> open_mongo_database(const DatabaseOptions& options) {
    return std::make_unique<MongoDatabase>(options);
}

}  // namespace auth::store
