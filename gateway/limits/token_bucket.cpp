#include "gateway/limits/token_bucket.hpp"

#include <algorithm>
#include <limits>

namespace gateway::limits {

Rate::Rate(std::uint32_t count, Nanoseconds per, std::uint32_t at_once)
    : burst(std::max(at_once, 1U)),
      interval(std::max<Nanoseconds>(per / std::max(count, 1U), Nanoseconds(1))),
      period(per),
      requests(std::max(count, 1U)) {
    // a bucket that takes longer to fill than half the clock's range would overflow the arithmetic
    const auto longest = std::numeric_limits<std::int64_t>::max() / 2 / interval.count();
    burst =
        static_cast<std::uint32_t>(std::clamp<std::int64_t>(burst, 1, std::max<std::int64_t>(longest, 1)));
}

Decision take(const Rate& rate, BucketState& state, Nanoseconds now) {
    const auto interval = rate.interval.count();
    const auto capacity = interval * static_cast<std::int64_t>(rate.burst);
    // a state further ahead than a whole bucket comes from a rate that has since been made stricter
    const auto arrival = std::min(std::max(state, now.count()), now.count() + capacity);
    const auto used = arrival - now.count();

    Decision decision;
    decision.limit = rate.burst;
    if (used + interval > capacity) {
        decision.allowed = false;
        decision.retry_after = Nanoseconds(used + interval - capacity);
        decision.reset = Nanoseconds(used);
        return decision;
    }
    state = arrival + interval;
    decision.remaining = static_cast<std::uint32_t>((capacity - used - interval) / interval);
    decision.reset = Nanoseconds(used + interval);
    return decision;
}

void give_back(const Rate& rate, BucketState& state) {
    state -= std::min(state, rate.interval.count());
}

}  // namespace gateway::limits
