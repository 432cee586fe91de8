// Sessions and the list of ended ones. Each change of a session is one atomic step on one record; expiry is
// compared in the statement, so it does not depend on when somebody sweeps.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "services/auth/domain/revocation_view.hpp"
#include "services/auth/domain/session.hpp"
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

// Where a page of an account's sessions begins: behind this one.
struct SessionPosition {
    WallTime created_at{};
    std::string sid;
};

class SessionStore {
  public:
    virtual ~SessionStore() = default;

    virtual awaitable<Result<>> insert(Session session) = 0;
    virtual awaitable<Result<std::optional<Session>>> find(std::string sid) = 0;
    // Moves a live session from `gen` to the next generation, for exactly one of any number of callers; the
    // session as it is afterwards. nullopt: it is not live or not at `gen`.
    virtual awaitable<Result<std::optional<Session>>> rotate(std::string sid, std::int64_t gen, WallTime now,
                                                             SessionRules rules) = 0;
    // Counts one more hand-out of the successor of `gen`, if the grace window still allows it; the session
    // with its current generation. nullopt: it does not.
    virtual awaitable<Result<std::optional<Session>>> use_grace(std::string sid, std::int64_t gen,
                                                                WallTime now, SessionRules rules) = 0;
    // Live ones, newest login first; of the same millisecond in the order of their ids.
    virtual awaitable<Result<std::vector<Session>>> list_live(std::string user_id, WallTime now,
                                                              SessionRules rules, std::size_t limit,
                                                              std::optional<SessionPosition> after) = 0;
    // Ends it and puts it on the list of ended sessions. Ending twice is no error. An error means that it may
    // or may not have ended, and the caller must say so.
    virtual awaitable<Result<>> end(std::string sid, EndReason reason) = 0;
    // All of an account's but `except` (may be empty); the ids of those it ended.
    virtual awaitable<Result<std::vector<std::string>>> end_all(std::string user_id, std::string except,
                                                                EndReason reason) = 0;
    // Those that ended after `since` and still have to be known at `now`.
    virtual awaitable<Result<std::vector<EndedSession>>> ended_since(WallTime since, WallTime now) = 0;
    // Deletes what nobody needs any more; how many records.
    virtual awaitable<Result<std::int64_t>> sweep(WallTime now, SessionRules rules) = 0;
};

}  // namespace auth::store
