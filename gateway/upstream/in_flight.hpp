// How many requests a cluster or route has under way, over all workers, and how many more may wait.
#pragma once

#include <atomic>
#include <cstdint>

#include "gateway/config/config.hpp"

namespace gateway::upstream {

class InFlightLimit {
  public:
    explicit InFlightLimit(const config::InFlight& rules) : rules_(rules) {}

    bool limited() const { return rules_.max != 0; }
    // Takes a place; each true is followed by one release().
    bool try_acquire() { return !limited() || take(active_, rules_.max); }
    void release() {
        if (limited()) active_.fetch_sub(1, std::memory_order_relaxed);
    }
    // Takes a place in the queue; each true is followed by one leave_queue().
    bool try_queue() { return take(waiting_, rules_.queue); }
    void leave_queue() { waiting_.fetch_sub(1, std::memory_order_relaxed); }

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
