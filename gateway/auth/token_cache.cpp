#include "gateway/auth/token_cache.hpp"

#include <bit>
#include <cstring>
#include <new>

namespace gateway::auth {

TokenCache::TokenCache(std::size_t entries) : seed_(shared::jwt::HashSeed::random()) {
    if (entries == 0) return;
    const auto slots = std::bit_ceil(entries < kWays ? kWays : entries);
    tags_.resize(slots);
    last_used_.resize(slots);
    set_mask_ = slots / kWays - 1;
    // Raw memory: an entry is made when its slot is first used, so an idle gateway does not hold these pages.
    entries_ = static_cast<Entry*>(::operator new(slots * sizeof(Entry), std::align_val_t(64)));
}

TokenCache::~TokenCache() {
    for (std::size_t i = 0; i < tags_.size(); ++i)
        if (tags_[i] != 0) std::destroy_at(&entries_[i]);
    ::operator delete(entries_, std::align_val_t(64));
}

std::uint64_t TokenCache::tag_of(std::string_view token) const {
    const auto hash = shared::jwt::seeded_hash(seed_, token);
    return hash == 0 ? 1 : hash;
}

TokenCache::Entry* TokenCache::find(std::string_view token) {
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

TokenCache::Entry& TokenCache::put(std::string_view token) {
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

void TokenCache::drop(Entry& entry) {
    tags_[static_cast<std::size_t>(&entry - entries_)] = 0;
    std::destroy_at(&entry);
    --size_;
}

}  // namespace gateway::auth
