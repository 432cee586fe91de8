// The verified tokens of one worker and one issuer: full token bytes -> identity. Bounded, set-associative,
// tokens up to kInlineBytes stored in the table itself. Only good tokens are put in, so nobody can fill it
// with forgeries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "gateway/auth/identity.hpp"
#include "shared/base/clock.hpp"
#include "shared/jwt/seeded_hash.hpp"

namespace gateway::auth {

class TokenCache {
  public:
    static constexpr std::size_t kWays = 8;  // their tags fill one cache line
    // HS256 and ES256 tokens are about 300 to 400 bytes, RS256 with 2048 bits about 650.
    static constexpr std::size_t kInlineBytes = 696;

    struct Entry {
        shared::WallTime expires;
        std::uint64_t keys_version = 0;      // of the key set that verified it
        std::uint64_t sessions_version = 0;  // of the ended sessions it was last checked against
        IdentityRef identity;
        std::uint32_t size = 0;
        std::unique_ptr<char[]> large;  // a token that is longer
        char bytes[kInlineBytes];

        std::string_view token() const { return {large ? large.get() : bytes, size}; }
    };

    // Rounded up to a power of two; 0: nothing is kept. Memory is touched as entries come, about 750 bytes
    // each.
    explicit TokenCache(std::size_t entries);
    ~TokenCache();
    TokenCache(const TokenCache&) = delete;
    TokenCache& operator=(const TokenCache&) = delete;

    // The entry of exactly this token, or nullptr; whether it still holds is for the caller to see. Valid
    // until the next put or drop.
    Entry* find(std::string_view token);
    // Puts the token in, in the place of the set's longest unused one if need be.
    Entry& put(std::string_view token);
    void drop(Entry& entry);

    bool enabled() const { return !tags_.empty(); }
    std::size_t capacity() const { return tags_.size(); }
    std::size_t size() const { return size_; }

  private:
    std::uint64_t tag_of(std::string_view token) const;

    const shared::jwt::HashSeed seed_;
    std::vector<std::uint64_t> tags_;  // 0: the slot is empty and its entry does not exist
    // Parallel to tags_: the clock at the last use. Not in the entries, where to find the longest unused one
    // of a set would be a cache miss for each.
    std::vector<std::uint32_t> last_used_;
    std::size_t set_mask_ = 0;
    Entry* entries_ = nullptr;  // parallel to tags_, made when needed
    std::uint32_t clock_ = 0;
    std::size_t size_ = 0;
};

}  // namespace gateway::auth
