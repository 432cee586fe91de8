// How many requests a cluster or route has under way, over all workers, and how many more may wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "gateway/config/config.hpp"

namespace gateway::upstream {

class InFlightLimit;

// One place of a limit; its destructor gives it back. Must not outlive the limit.
template <void (InFlightLimit::*give_back)()>
class [[nodiscard]] HeldPlace {
  public:
    HeldPlace() = default;
    explicit HeldPlace(InFlightLimit& limit) : limit_(&limit) {}
    HeldPlace(HeldPlace&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)) {}
    HeldPlace& operator=(HeldPlace&& other) noexcept {
        std::swap(limit_, other.limit_);
        return *this;
    }
    ~HeldPlace() { reset(); }

    explicit operator bool() const { return limit_ != nullptr; }
    bool of(const InFlightLimit& limit) const { return limit_ == &limit; }
    void reset() {
        if (InFlightLimit* limit = std::exchange(limit_, nullptr)) (limit->*give_back)();
    }

  private:
    InFlightLimit* limit_ = nullptr;
};

class InFlightLimit {
    void release() {
        if (limited()) active_.fetch_sub(1, std::memory_order_relaxed);
    }
    void leave_queue() { waiting_.fetch_sub(1, std::memory_order_relaxed); }

  public:
    using Place = HeldPlace<&InFlightLimit::release>;
    using QueuePlace = HeldPlace<&InFlightLimit::leave_queue>;

    explicit InFlightLimit(const config::InFlight& rules) : rules_(rules) {}

    bool limited() const { return rules_.max != 0; }
    // An empty place: all are taken.
    Place try_acquire() { return !limited() || take(active_, rules_.max) ? Place(*this) : Place(); }
    // A place in the queue, or an empty one.
    QueuePlace try_queue() { return take(waiting_, rules_.queue) ? QueuePlace(*this) : QueuePlace(); }

    config::milliseconds queue_timeout() const { return rules_.queue_timeout; }
    std::uint32_t active() const { return active_.load(std::memory_order_relaxed); }
    std::uint32_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

  private:
    static bool take(std::atomic<std::uint32_t>& places, std::uint32_t max) {
        if (places.fetch_add(1, std::memory_order_relaxed) < max) return true;
        places.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }

    const config::InFlight rules_;
    std::atomic<std::uint32_t> active_{0};
    std::atomic<std::uint32_t> waiting_{0};
};

}  // namespace gateway::upstream
