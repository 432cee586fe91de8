#include "gateway/limits/address_cap.hpp"

#include <array>
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace gateway::limits {
namespace {

struct Key {
    std::uint64_t high;
    std::uint64_t low;
    bool operator==(const Key&) const = default;
};

struct KeyHasher {
    std::size_t operator()(const Key& k) const {
        auto h = (k.high ^ (k.low * 0x9E3779B97F4A7C15)) * 0xD6E8FEB86659FD93;
        return static_cast<std::size_t>(h ^ (h >> 32));
    }
};

Key key_of(const wire::IpAddress& address) {
    Key key{};
    const auto bytes = address.counted_bytes();
    std::memcpy(&key.high, bytes.data(), 8);
    if (bytes.size() == 16) std::memcpy(&key.low, bytes.data() + 8, 8);
    return key;
}

constexpr std::size_t kShards = 32;

struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<Key, std::uint32_t, KeyHasher> counts;
};

}  // namespace

struct AddressCap::Impl {
    std::uint32_t max;
    std::array<Shard, kShards> shards;

    Shard& shard(const Key& key) { return shards[(KeyHasher()(key) >> 7) % kShards]; }
};

AddressCap::AddressCap(std::uint32_t max_per_address) : impl_(std::make_unique<Impl>()) {
    impl_->max = max_per_address;
}

AddressCap::~AddressCap() = default;

bool AddressCap::acquire(const wire::IpAddress& address) {
    if (impl_->max == 0) return true;
    const auto key = key_of(address);
    auto& shard = impl_->shard(key);
    const std::lock_guard lock(shard.mutex);
    auto& count = shard.counts[key];
    if (count >= impl_->max) return false;
    ++count;
    return true;
}

void AddressCap::release(const wire::IpAddress& address) {
    if (impl_->max == 0) return;
    const auto key = key_of(address);
    auto& shard = impl_->shard(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.counts.find(key);
    if (found != shard.counts.end() && --found->second == 0) shard.counts.erase(found);
}

std::uint32_t AddressCap::count(const wire::IpAddress& address) const {
    const auto key = key_of(address);
    auto& shard = impl_->shard(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.counts.find(key);
    return found == shard.counts.end() ? 0 : found->second;
}

}  // namespace gateway::limits
