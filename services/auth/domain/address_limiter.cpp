#include "services/auth/domain/address_limiter.hpp"

#include <algorithm>
#include <cmath>

namespace auth::domain {

AddressLimiter::Bucket& AddressLimiter::refreshed(std::string_view address, WallTime now) {
    const auto found = buckets_.find(address);
    if (found != buckets_.end()) {
        order_.splice(order_.begin(), order_, found->second);
        Bucket& bucket = order_.front();
        const double seconds = std::chrono::duration<double>(now - bucket.at).count();
        // A clock that was set back refills nothing, and takes nothing away.
        if (seconds > 0) bucket.tokens = std::min(rules_.burst, bucket.tokens + seconds * rules_.per_second);
        bucket.at = now;
        return bucket;
    }
    if (order_.size() >= rules_.max_keys) {
        buckets_.erase(order_.back().address);
        order_.pop_back();
    }
    order_.push_front(Bucket{std::string(address), rules_.burst, now});
    buckets_.emplace(order_.front().address, order_.begin());
    return order_.front();
}

std::optional<std::chrono::seconds> AddressLimiter::blocked(std::string_view address, WallTime now) {
    const Bucket& bucket = refreshed(address, now);
    if (bucket.tokens >= 1) return std::nullopt;
    const double wait = (1 - bucket.tokens) / rules_.per_second;
    return std::chrono::seconds(std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(wait))));
}

bool AddressLimiter::charge(std::string_view address, WallTime now) {
    Bucket& bucket = refreshed(address, now);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
}

void AddressLimiter::give_back(std::string_view address, WallTime now) {
    Bucket& bucket = refreshed(address, now);
    bucket.tokens = std::min(rules_.burst, bucket.tokens + 1);
}

}  // namespace auth::domain
