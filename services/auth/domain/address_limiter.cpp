#include "services/auth/domain/address_limiter.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace auth::domain {

std::string network_of(std::string_view address) {
    const std::string text(address.substr(0, address.find('%')));  // without the zone
    in6_addr parsed{};
    if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return std::string(address);
    std::array<char, INET6_ADDRSTRLEN> written{};
    if (IN6_IS_ADDR_V4MAPPED(&parsed)) {
        inet_ntop(AF_INET, &parsed.s6_addr[12], written.data(), written.size());
        return written.data();
    }
    std::fill(std::begin(parsed.s6_addr) + 8, std::end(parsed.s6_addr), std::uint8_t{0});
    inet_ntop(AF_INET6, &parsed, written.data(), written.size());
    return std::string(written.data()) + "/64";
}

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
