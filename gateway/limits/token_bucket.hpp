// Token bucket as arithmetic (the generic cell rate algorithm: one number of state). No clock inside.
#pragma once

#include <chrono>
#include <cstdint>

namespace gateway::limits {

using Nanoseconds = std::chrono::nanoseconds;

// `requests` per `period`, with room for `burst` at once.
struct Rate {
    Rate(std::uint32_t requests, Nanoseconds period, std::uint32_t burst);

    std::uint32_t burst;
    Nanoseconds interval;  // between two requests at the steady rate
    Nanoseconds period;
    std::uint32_t requests;
};

struct Decision {
    bool allowed = true;
    std::uint32_t limit = 0;      // bucket size
    std::uint32_t remaining = 0;  // requests that would pass right now
    Nanoseconds retry_after{0};   // refused: until one request passes
    Nanoseconds reset{0};         // until the bucket is full again
};

// State of one bucket: the theoretical arrival time, on the same clock as `now`. 0 is a full bucket.
using BucketState = std::int64_t;

// Takes one request out of the bucket, or leaves it as it is when there is none.
Decision take(const Rate& rate, BucketState& state, Nanoseconds now);

// Puts back one request that take() has allowed.
void give_back(const Rate& rate, BucketState& state);

}  // namespace gateway::limits
