#include "gateway/limits/keyed_limiter.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

namespace gateway::limits {
namespace {

struct Slot {
    std::uint64_t high;
    std::uint64_t low;
    BucketState state;  // 0: free
};

constexpr std::size_t kSlotsPerSet = 10;

// Four cache lines. All-zero bytes are a valid empty set: the memory comes untouched from calloc, so that
// what is never used is never resident.
struct alignas(64) Set {
    std::uint32_t lock;
    std::uint32_t unused[3];
    Slot slots[kSlotsPerSet];
};
static_assert(sizeof(Set) == 256);

// Held for a few dozen instructions; a holder that lost its CPU is waited for politely.
class SpinLock {
  public:
    explicit SpinLock(std::uint32_t& word) : word_(word) {
        for (int tries = 0; word_.exchange(1, std::memory_order_acquire) != 0; ++tries)
            if (tries > 64) std::this_thread::yield();
    }
    ~SpinLock() { word_.store(0, std::memory_order_release); }
    SpinLock(const SpinLock&) = delete;
    SpinLock& operator=(const SpinLock&) = delete;

  private:
    std::atomic_ref<std::uint32_t> word_;
};

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};

}  // namespace

struct KeyedLimiter::Impl {
    std::unique_ptr<void, Free> memory;
    Set* sets = nullptr;
    std::size_t count = 0;
    std::atomic<std::uint64_t> evicted{0};
};

KeyedLimiter::KeyedLimiter(std::size_t max_keys) : impl_(std::make_unique<Impl>()) {
    // half full on average, so that a set overflows rarely before max_keys is reached
    std::size_t count = 1;
    while (count * kSlotsPerSet / 2 < max_keys) count *= 2;
    impl_->memory.reset(std::calloc(count + 1, sizeof(Set)));
    if (!impl_->memory) throw std::bad_alloc();
    void* aligned = impl_->memory.get();
    std::size_t room = (count + 1) * sizeof(Set);
    impl_->sets = static_cast<Set*>(std::align(alignof(Set), count * sizeof(Set), aligned, room));
    impl_->count = count;
}

KeyedLimiter::~KeyedLimiter() = default;

Decision KeyedLimiter::take(KeyHash::Value key, const Rate& rate, Nanoseconds now) {
    auto& set = impl_->sets[key.high & (impl_->count - 1)];
    const SpinLock lock(set.lock);
    Slot* best = nullptr;
    for (auto& slot : set.slots) {
        if (slot.state != 0 && slot.high == key.high && slot.low == key.low) {
            best = &slot;
            break;
        }
        if (best == nullptr || slot.state < best->state) best = &slot;
    }
    if (best->high != key.high || best->low != key.low || best->state == 0) {
        if (best->state > now.count()) impl_->evicted.fetch_add(1, std::memory_order_relaxed);
        *best = {key.high, key.low, 0};
    }
    return limits::take(rate, best->state, now);
}

void KeyedLimiter::give_back(KeyHash::Value key, const Rate& rate) {
    auto& set = impl_->sets[key.high & (impl_->count - 1)];
    const SpinLock lock(set.lock);
    for (auto& slot : set.slots)
        if (slot.state != 0 && slot.high == key.high && slot.low == key.low)
            return limits::give_back(rate, slot.state);
}

std::size_t KeyedLimiter::memory_bytes() const {
    return impl_->count * sizeof(Set);
}

std::uint64_t KeyedLimiter::evicted() const {
    return impl_->evicted.load(std::memory_order_relaxed);
}

void format_fields(std::string_view policy_name, const Rate& rate, const Decision& decision,
                   RateLimitFields& out) {
    const auto seconds = [](Nanoseconds n) {
        return static_cast<long long>((n.count() + 999'999'999) / 1'000'000'000);
    };
    const int length = static_cast<int>(std::min<std::size_t>(policy_name.size(), 24));
    std::snprintf(out.limit, sizeof out.limit, "\"%.*s\";r=%u;t=%lld", length, policy_name.data(),
                  decision.remaining, seconds(decision.reset));
    std::snprintf(out.policy, sizeof out.policy, "\"%.*s\";q=%u;w=%lld", length, policy_name.data(),
                  rate.requests, std::max(1LL, seconds(rate.period)));
    std::snprintf(out.retry_after, sizeof out.retry_after, "%lld",
                  std::max(1LL, seconds(decision.retry_after)));
}

}  // namespace gateway::limits
