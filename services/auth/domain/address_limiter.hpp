// A token bucket per client (its network, or its account), for what costs something: guesses, registrations,
// new passwords. A campus sits behind few addresses, so their buckets are generous, and what succeeds is free
// where the caller wants it so.
#pragma once

#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "shared/base/clock.hpp"

namespace auth::domain {

using shared::WallTime;

struct BucketRules {
    double burst = 100;            // tokens of a full bucket
    double per_second = 1.0;       // refill
    std::size_t max_keys = 10000;  // the address that was seen least recently leaves first
};

// For one thread.
class AddressLimiter {
  public:
    explicit AddressLimiter(BucketRules rules) : rules_(rules) {}

    // Time until the address has a token again; nullopt: it has one now.
    std::optional<std::chrono::seconds> blocked(std::string_view address, WallTime now);
    // Takes one token; false: there was none.
    bool charge(std::string_view address, WallTime now);
    // Gives back what was charged for an attempt that turned out to be none.
    void give_back(std::string_view address, WallTime now);

    std::size_t size() const { return buckets_.size(); }

  private:
    struct Bucket {
        std::string address;
        double tokens;
        WallTime at;
    };
    Bucket& refreshed(std::string_view address, WallTime now);

    BucketRules rules_;
    std::list<Bucket> order_;                                                    // most recently used first
    std::unordered_map<std::string_view, std::list<Bucket>::iterator> buckets_;  // keys live in order_
};

}  // namespace auth::domain
