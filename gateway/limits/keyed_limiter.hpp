// One bucket a key, shared by all workers: the limit is the same however many workers there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "gateway/limits/key_hash.hpp"
#include "gateway/limits/token_bucket.hpp"

namespace gateway::limits {

// Thread-safe. Memory is fixed at construction: when a set of slots is full, the bucket that is nearest to
// full gives way (a full bucket is forgotten for free).
class KeyedLimiter {
  public:
    explicit KeyedLimiter(std::size_t max_keys);
    ~KeyedLimiter();

    // `now` is a steady clock's time, the same for all workers.
    Decision take(KeyHash::Value key, const Rate& rate, Nanoseconds now);

    // Puts back what take() has just allowed; nothing where the bucket has given way since.
    void give_back(KeyHash::Value key, const Rate& rate);

    std::size_t memory_bytes() const;
    std::uint64_t evicted()
        const;  // buckets that were not full when they gave way: raise max_keys if it grows

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Values of the RateLimit and RateLimit-Policy header fields (draft-ietf-httpapi-ratelimit-headers) and
// Retry-After.
struct RateLimitFields {
    char limit[64];        // "\"login\";r=3;t=12"
    char policy[64];       // "\"login\";q=5;w=60"
    char retry_after[24];  // whole seconds, rounded up
};
void format_fields(std::string_view policy_name, const Rate& rate, const Decision& decision,
                   RateLimitFields& out);

}  // namespace gateway::limits
