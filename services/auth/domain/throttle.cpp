#include "services/auth/domain/throttle.hpp"

#include <algorithm>

namespace auth::domain {

std::chrono::seconds delay_after(std::int64_t failures, const ThrottleRules& rules) {
    const auto over = failures - rules.free_failures;
    if (over <= 0) return std::chrono::seconds(0);
    if (over >= 30)
        return rules.max_delay;  // 2^30 s is far beyond any limit; shifting further would overflow
    return std::min(std::chrono::seconds(std::int64_t{1} << over), rules.max_delay);
}

std::optional<std::chrono::seconds> remaining_block(const FailureState& state, WallTime now) {
    if (state.blocked_until <= now) return std::nullopt;
    return std::chrono::ceil<std::chrono::seconds>(state.blocked_until - now);
}

bool forgotten(const FailureState& state, WallTime now, const ThrottleRules& rules) {
    return state.failures > 0 && state.blocked_until <= now &&
           now - state.last_failure_at >= rules.forget_after;
}

}  // namespace auth::domain
