// Stops sending to a cluster that fails most of what it gets, and tries again with a few requests.
#pragma once

#include <atomic>
#include <cstdint>

#include "gateway/config/config.hpp"
#include "gateway/upstream/endpoint.hpp"

namespace gateway::upstream {

// Shared by all workers. The counts of a window are approximate where workers race, the state changes are
// not.
class CircuitBreaker {
  public:
    enum class State : std::uint8_t { closed, open, half_open };

    explicit CircuitBreaker(const config::CircuitBreaker& rules) : rules_(rules) {}

    // May a request go out? Each true must be followed by one record() or cancel().
    bool allow(SteadyMs now);
    void record(bool success, SteadyMs now);
    // The request ended without saying anything about the cluster (the client went away).
    void cancel();

    State state() const { return state_.load(std::memory_order_relaxed); }
    std::uint64_t opened() const { return opened_.load(std::memory_order_relaxed); }
    // Milliseconds until the next trial, at least 1.
    SteadyMs retry_in(SteadyMs now) const;

  private:
    void open(SteadyMs now);

    const config::CircuitBreaker rules_;
    std::atomic<State> state_{State::closed};
    std::atomic<SteadyMs> window_start_{0};
    std::atomic<std::uint32_t> requests_{0};
    std::atomic<std::uint32_t> failures_{0};
    std::atomic<SteadyMs> opened_at_{0};
    std::atomic<std::uint32_t> trials_{0};  // requests let through while half open
    std::atomic<std::uint32_t> trials_good_{0};
    std::atomic<std::uint64_t> opened_{0};
};

}  // namespace gateway::upstream
