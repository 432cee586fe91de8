#include "services/auth/domain/session.hpp"

#include <algorithm>

namespace auth::domain {

bool session_current(const Session& session, const Account& account) {
    if (account.disabled) return false;
    return session.stamp == 0 || session.stamp == account.stamp || session.sid == account.kept_session;
}

bool session_live(const Session& session, WallTime now, const SessionRules& rules) {
    return !session.revoked && session.expires_at > now && session.last_used_at > now - rules.idle;
}

RefreshCase classify_refresh(const std::optional<Session>& session, std::int64_t gen, WallTime now,
                             const SessionRules& rules) {
    if (!session || !session_live(*session, now, rules)) return RefreshCase::invalid;
    if (gen == session->gen) return RefreshCase::rotate;
    // A correctly signed token of a later generation exists only if the database was put back to an older
    // state.
    if (gen > session->gen) return RefreshCase::invalid;
    if (gen + 1 == session->gen) return RefreshCase::again;
    const bool just_used = gen + 2 == session->gen && session->last_used_at > now - rules.grace;
    if (just_used && session->grace_used < rules.grace_uses) return RefreshCase::grace;
    return RefreshCase::reuse;
}

WallTime access_expiry(const Session& session, WallTime now, const SessionRules& rules) {
    return std::min<WallTime>(now + rules.access_ttl, session.expires_at);
}

WallTime revoked_until(WallTime ended_at, const SessionRules& rules) {
    // A refresh that was under way when the session ended, at another replica perhaps, mints a moment later.
    constexpr std::chrono::seconds kLateMint{30};
    return ended_at + kLateMint + rules.access_ttl + rules.leeway;
}

}  // namespace auth::domain
