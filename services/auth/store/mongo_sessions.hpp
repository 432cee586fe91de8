// Sessions in MongoDB: collection `sessions`, one document per login, and `revocations`, one per ended
// session until no token of it can be alive. Two collections, because the feed reads the second one several
// times a second and must not wade through the first; so ending is two writes, kept together by an intent
// (mongo_changes).
#pragma once

#include "services/auth/store/mongo_client.hpp"
#include "services/auth/store/session_store.hpp"

namespace auth::store {

// Ends them and puts them on the list.
Result<> end_sessions(MongoSession& session, const std::vector<std::string>& sids, const EndReason& reason);

class MongoSessions final : public SessionStore {
  public:
    explicit MongoSessions(MongoClient& client) : client_(client) {}

    awaitable<Result<>> prepare();

    awaitable<Result<bool>> insert(Session session, AuditRecords audit) override;
    awaitable<Result<std::optional<Session>>> find(std::string sid) override;
    awaitable<Result<std::optional<Session>>> rotate(std::string sid, std::int64_t gen, WallTime now,
                                                     SessionRules rules) override;
    awaitable<Result<std::optional<Session>>> use_grace(std::string sid, std::int64_t gen, WallTime now,
                                                        SessionRules rules) override;
    awaitable<Result<std::vector<Session>>> list_live(std::string user_id, WallTime now, SessionRules rules,
                                                      std::size_t limit,
                                                      std::optional<SessionPosition> after) override;
    awaitable<Result<>> end(std::string sid, EndReason reason, AuditRecords audit) override;
    awaitable<Result<std::vector<std::string>>> end_all(std::string user_id,
                                                        std::optional<std::int64_t> below,
                                                        Ending ending) override;
    awaitable<Result<std::vector<EndedSession>>> ended_since(WallTime since, WallTime now) override;
    awaitable<Result<std::int64_t>> sweep(WallTime now, SessionRules rules) override;

  private:
    MongoClient& client_;
};

}  // namespace auth::store
