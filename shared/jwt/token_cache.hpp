// Verified tokens: full token bytes -> what was made of them. Bounded, set-associative, tokens up to
// kInlineBytes stored in the table itself. Only good tokens are put in, so nobody can fill it with forgeries.
// One thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "shared/base/clock.hpp"
#include "shared/jwt/seeded_hash.hpp"

namespace shared::jwt {

template <class Payload>
class TokenCache {
  public:
    static constexpr std::size_t kWays = 8;  // their tags fill one cache line
    // HS256 and ES256 tokens are about 300 to 400 bytes, RS256 with 2048 bits about 650.
    static constexpr std::size_t kInlineBytes = 696;

    struct Entry {
        WallTime expires;
        std::uint64_t keys_version = 0;  // of the key set that verified it
        Payload payload;
        std::uint32_t size = 0;
        std::unique_ptr<char[]> large;  // a token that is longer
        char bytes[kInlineBytes];

        std::string_view token() const { return {large ? large.get() : bytes, size}; }
    };

    // Rounded up to a power of two; 0: nothing is kept. Memory is touched as entries come, about 750 bytes
    // each and what the payload holds.
    explicit TokenCache(std::size_t entries) : seed_(HashSeed::random()) {
        if (entries == 0) return;
        const auto slots = std::bit_ceil(entries < kWays ? kWays : entries);
        tags_.resize(slots);
        last_used_.resize(slots);
        set_mask_ = slots / kWays - 1;
        // Raw memory: an entry is made when its slot is first used, so an idle process does not hold these
        // pages.
        entries_ = static_cast<Entry*>(::operator new(slots * sizeof(Entry), std::align_val_t(64)));
    }
    ~TokenCache() {
        for (std::size_t i = 0; i < tags_.size(); ++i)
            if (tags_[i] != 0) std::destroy_at(&entries_[i]);
        ::operator delete(entries_, std::align_val_t(64));
    }
    TokenCache(const TokenCache&) = delete;
    TokenCache& operator=(const TokenCache&) = delete;

    // The entry of exactly this token, or nullptr; whether it still holds is for the caller to see. Valid
    // until the next put or drop.
    Entry* find(std::string_view token);
    // Puts the token in, in the place of the set's longest unused one if need be.
    Entry& put(std::string_view token);
    void drop(Entry& entry) {
        tags_[static_cast<std::size_t>(&entry - entries_)] = 0;
        std::destroy_at(&entry);
        --size_;
    }

    bool enabled() const { return !tags_.empty(); }
    std::size_t capacity() const { return tags_.size(); }
    std::size_t size() const { return size_; }

  private:
    std::uint64_t tag_of(std::string_view token) const {
        const auto hash = seeded_hash(seed_, token);
        return hash == 0 ? 1 : hash;
    }

    const HashSeed seed_;
    std::vector<std::uint64_t> tags_;  // 0: the slot is empty and its entry does not exist
    // Parallel to tags_: the clock at the last use. Not in the entries, where to find the longest unused one
    // of a set would be a cache miss for each.
    std::vector<std::uint32_t> last_used_;
    std::size_t set_mask_ = 0;
    Entry* entries_ = nullptr;  // parallel to tags_, made when needed
    std::uint32_t clock_ = 0;
    std::size_t size_ = 0;
};

template <class Payload>
typename TokenCache<Payload>::Entry* TokenCache<Payload>::find(std::string_view token) {
    if (tags_.empty()) return nullptr;
    const auto tag = tag_of(token);
    const std::size_t first = (tag & set_mask_) * kWays;
    for (std::size_t i = first; i < first + kWays; ++i) {
        if (tags_[i] != tag) continue;
        auto& entry = entries_[i];
        if (entry.size != token.size() || std::memcmp(entry.token().data(), token.data(), token.size()) != 0)
            continue;
        last_used_[i] = ++clock_;
        return &entry;
    }
    return nullptr;
}

template <class Payload>
typename TokenCache<Payload>::Entry& TokenCache<Payload>::put(std::string_view token) {
    const auto tag = tag_of(token);
    const std::size_t first = (tag & set_mask_) * kWays;
    std::size_t victim = first;
    std::uint32_t oldest = 0;
    for (std::size_t i = first; i < first + kWays; ++i) {
        if (tags_[i] == 0) {
            victim = i;
            break;
        }
        const std::uint32_t unused_for = clock_ - last_used_[i];  // right across the counter's wrap
        if (unused_for >= oldest) {
            oldest = unused_for;
            victim = i;
        }
    }
    auto& entry = entries_[victim];
    if (tags_[victim] != 0) {
        std::destroy_at(&entry);
        --size_;
    }
    ::new (&entry) Entry;  // default-initialized: `bytes` is not zeroed
    tags_[victim] = tag;
    ++size_;
    entry.size = static_cast<std::uint32_t>(token.size());
    if (token.size() > kInlineBytes) entry.large = std::make_unique_for_overwrite<char[]>(token.size());
    std::memcpy(entry.large ? entry.large.get() : entry.bytes, token.data(), token.size());
    last_used_[victim] = ++clock_;
    return entry;
}

}  // namespace shared::jwt
