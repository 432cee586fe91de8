// Sessions in PostgreSQL: tables auth_service.sessions and auth_service.revocations, changed together in one
// statement.
#pragma once

#include "services/auth/store/session_store.hpp"
#include "shared/pg/pg.hpp"

namespace auth::store {

// Ends an account's sessions and puts them on the list, for a transaction of more than that.
shared::pg::Statement pg_end_all_statement();
shared::pg::Params pg_end_all_params(std::string user_id, std::optional<std::int64_t> below, Ending ending);

class PgSessions final : public SessionStore {
  public:
    explicit PgSessions(shared::pg::Pool& pool) : pool_(pool) {}

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
    awaitable<Result<std::optional<Session>>> one(shared::pg::Statement statement, shared::pg::Params params);

    shared::pg::Pool& pool_;
};

}  // namespace auth::store
