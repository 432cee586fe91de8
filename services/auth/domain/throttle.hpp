// How long to wait after failed attempts at a password. Never for good: a permanent lock is a weapon against
// the account's owner.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "shared/base/clock.hpp"

namespace auth::domain {

using shared::WallTime;

struct ThrottleRules {
    std::int64_t free_failures = 5;
    std::chrono::seconds max_delay{900};
    std::chrono::hours forget_after{24};  // a series of failures that is older than this counts no more
};

// What the store keeps of one budget: attempts that failed, or of which nobody knows yet. Times are whole
// milliseconds, as the stores keep them.
struct FailureState {
    std::int64_t failures = 0;
    WallTime last_failure_at{};
    WallTime blocked_until{};

    friend bool operator==(const FailureState&, const FailureState&) = default;
};

// How long to wait after failure number `failures` (1, 2, …): nothing for the free ones, then 2, 4, 8 …
// seconds.
std::chrono::seconds delay_after(std::int64_t failures, const ThrottleRules& rules);

// Time left until the next attempt may be made; nullopt: it may be made now. Rounded up to whole seconds.
std::optional<std::chrono::seconds> remaining_block(const FailureState& state, WallTime now);

bool forgotten(const FailureState& state, WallTime now, const ThrottleRules& rules);

// The state with one attempt more. It is counted before the password is looked at, so that thirty guesses at
// once are thirty, and given back where it was none.
FailureState with_attempt(const FailureState& state, WallTime now, const ThrottleRules& rules);
// `counted`: what with_attempt() made for it; others may have been counted since.
FailureState without_attempt(const FailureState& state, const FailureState& counted);

}  // namespace auth::domain
