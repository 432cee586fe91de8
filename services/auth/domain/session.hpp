// Sessions: one record per login. A refresh token carries the generation it belongs to; each refresh moves
// the session to the next one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "services/auth/domain/account.hpp"
#include "shared/base/clock.hpp"

namespace auth::domain {

using shared::WallTime;

struct SessionRules {
    std::chrono::seconds idle{std::chrono::days(30)};
    std::chrono::seconds absolute{std::chrono::days(90)};
    std::chrono::seconds access_ttl{600};
    // How long and how often a token is still answered whose successor has been used already.
    std::chrono::seconds grace{30};
    int grace_uses = 10;
    // How long after an access token's `exp` somebody may still accept it: the largest leeway a verifier of
    // ours can be given (shared/jwt: 300 s).
    std::chrono::seconds leeway{300};
};

struct Session {
    std::string sid;
    std::string user_id;
    std::int64_t stamp = 0;  // of the account when it began; 0: not known (before stamps), counts as current
    std::int64_t gen = 0;
    int grace_used = 0;  // how often the one before the current generation has been handed out again
    WallTime created_at{};
    WallTime last_used_at{};  // login or the last rotation
    WallTime expires_at{};    // absolute
    bool revoked = false;
    std::string client_address;
    std::string user_agent;
};

enum class RefreshCase {
    rotate,   // the token of the current generation
    again,    // the one before: its successor has not been used, perhaps never arrived. Hand it out again
    grace,    // the one before that, for a while (a slow tab): hand out the same successor as then
    reuse,    // an older one, or that one too late or too often: somebody has a copy. The session ends
    invalid,  // no such session any more, or a generation that never was
};

// What to do with a token of generation `gen`. `session` as it was read; the store's atomic change decides in
// the end.
RefreshCase classify_refresh(const std::optional<Session>& session, std::int64_t gen, WallTime now,
                             const SessionRules& rules);

// False: the account's credentials or rights are other ones than those that the session began with, or the
// account is disabled.
bool session_current(const Session& session, const Account& account);

bool session_live(const Session& session, WallTime now, const SessionRules& rules);

// When an access token minted now expires: never later than the session itself.
WallTime access_expiry(const Session& session, WallTime now, const SessionRules& rules);

// Until when an ended session has to be refused: its last access token has expired for every verifier by
// then.
WallTime revoked_until(WallTime ended_at, const SessionRules& rules);

}  // namespace auth::domain
