// Bytes that all workers together keep of something, and how many they may.
#pragma once

#include <atomic>
#include <cstdint>

namespace gateway::limits {

// Thread-safe. The bound comes with each call, so that a reload changes it.
class ByteBudget {
  public:
    // False: that would be more than `max`, and nothing is taken.
    bool take(std::uint64_t bytes, std::uint64_t max) {
        if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= max) return true;
        give_back(bytes);
        return false;
    }
    void give_back(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
    std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> used_{0};
};

}  // namespace gateway::limits
