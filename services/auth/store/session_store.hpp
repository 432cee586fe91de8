// Sessions and the list of ended ones. Each change of a session is one atomic step on one record; expiry is
// compared in the statement, so it does not depend on when somebody sweeps.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "services/auth/domain/revocation_view.hpp"
#include "services/auth/domain/session.hpp"
#include "services/auth/store/audit_store.hpp"
#include "services/auth/store/errors.hpp"

namespace auth::store {

using boost::asio::awaitable;
using domain::EndedSession;
using domain::Session;
using domain::SessionRules;
using domain::WallTime;

struct EndReason {
    WallTime now{};
    WallTime until{};    // how long others must know that it has ended (domain::revoked_until)
    std::string reason;  // snake_case: logout, reuse, password_changed, …
};

// Ends an account's sessions together with a change of it.
struct Ending {
    EndReason reason;
    std::string kept;  // the one session that goes on; may be empty
};

// Where a page of an account's sessions begins: behind this one.
struct SessionPosition {
    WallTime created_at{};
    std::string sid;
};

class SessionStore {
  public:
    virtual ~SessionStore() = default;

    // Only while the account has the session's stamp and is enabled, unless that stamp is 0; false: it is not
    // so (any more), and there is no session.
    virtual awaitable<Result<bool>> insert(Session session, AuditRecords audit) = 0;
    virtual awaitable<Result<std::optional<Session>>> find(std::string sid) = 0;
    // Moves a live session from `gen` to the next generation, for exactly one of any number of callers; the
    // session as it is afterwards. nullopt: it is not live or not at `gen`.
    virtual awaitable<Result<std::optional<Session>>> rotate(std::string sid, std::int64_t gen, WallTime now,
                                                             SessionRules rules) = 0;
    // Counts one more hand-out of the successor of `gen`, which has been used, if the grace window still
    // allows it; the session with its current generation. nullopt: it does not.
    virtual awaitable<Result<std::optional<Session>>> use_grace(std::string sid, std::int64_t gen,
                                                                WallTime now, SessionRules rules) = 0;
    // Live ones, newest login first; of the same millisecond in the order of their ids.
    virtual awaitable<Result<std::vector<Session>>> list_live(std::string user_id, WallTime now,
                                                              SessionRules rules, std::size_t limit,
                                                              std::optional<SessionPosition> after) = 0;
    // Ends it and puts it on the list of ended sessions. Ending twice is no error. An error means that it may
    // or may not have ended, and the caller must say so.
    virtual awaitable<Result<>> end(std::string sid, EndReason reason, AuditRecords audit) = 0;
    // All that an account has left, by stamps below `below` (none: by any) and but for one; the ids of those
    // it ended. For repeating a change that failed half-way: the change itself ends them (UserStore).
    virtual awaitable<Result<std::vector<std::string>>> end_all(std::string user_id,
                                                                std::optional<std::int64_t> below,
                                                                Ending ending) = 0;
    // Those that ended after `since` and still have to be known at `now`.
    virtual awaitable<Result<std::vector<EndedSession>>> ended_since(WallTime since, WallTime now) = 0;
    // Deletes what nobody needs any more; how many records.
    virtual awaitable<Result<std::int64_t>> sweep(WallTime now, SessionRules rules) = 0;
};

}  // namespace auth::store
