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

FailureState with_attempt(const FailureState& state, WallTime now, const ThrottleRules& rules) {
    FailureState next;
    next.failures = forgotten(state, now, rules) ? 1 : state.failures + 1;
    next.last_failure_at = std::chrono::floor<std::chrono::milliseconds>(now);
    const auto delay = delay_after(next.failures, rules);
    if (delay.count() > 0) next.blocked_until = next.last_failure_at + delay;
    return next;
}

FailureState without_attempt(const FailureState& state, const FailureState& counted) {
    FailureState next = state;
    next.failures = std::max<std::int64_t>(0, state.failures - 1);
    // Where nobody came after it, the wait that it brought goes with it.
    if (state == counted) next.blocked_until = WallTime{};
    return next;
}

}  // namespace auth::domain
