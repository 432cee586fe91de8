// Sessions: one record per login. A refresh token carries the generation it belongs to; each refresh moves
// the session to the next one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "shared/base/clock.hpp"

namespace auth::domain {

using shared::WallTime;

struct SessionRules {
    std::chrono::seconds idle{std::chrono::days(30)};
    std::chrono::seconds absolute{std::chrono::days(90)};
    std::chrono::seconds access_ttl{600};
    std::chrono::seconds grace{10};
    int grace_uses = 2;
    // How long after an access token's `exp` somebody may still accept it: the largest leeway a verifier of
    // ours can be given (shared/jwt: 300 s).
    std::chrono::seconds leeway{300};
};

struct Session {
    std::string sid;
    std::string user_id;
    std::int64_t gen = 0;
    int grace_used = 0;  // how often the current generation has been handed out again
    WallTime created_at{};
    WallTime last_used_at{};  // login or the last rotation
    WallTime expires_at{};    // absolute
    bool revoked = false;
    std::string client_address;
    std::string user_agent;
};

enum class RefreshCase {
    rotate,   // the token of the current generation
    grace,    // the one before, just replaced: hand out the current one again
    reuse,    // an older one, or the one before too late or too often: somebody has a copy. The session ends
    invalid,  // no such session any more, or a generation that never was
};

// What to do with a token of generation `gen`. `session` as it was read; the store's atomic change decides in
// the end.
RefreshCase classify_refresh(const std::optional<Session>& session, std::int64_t gen, WallTime now,
                             const SessionRules& rules);

bool session_live(const Session& session, WallTime now, const SessionRules& rules);

// When an access token minted now expires: never later than the session itself.
WallTime access_expiry(const Session& session, WallTime now, const SessionRules& rules);

// Until when an ended session has to be refused: its last access token has expired for every verifier by
// then.
WallTime revoked_until(WallTime ended_at, const SessionRules& rules);

}  // namespace auth::domain
