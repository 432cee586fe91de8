// Stops sending to a cluster that fails most of what it gets, and tries again with a few requests.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "gateway/config/config.hpp"
#include "gateway/upstream/endpoint.hpp"

namespace gateway::upstream {

// Shared by all workers. The counts of a window are approximate where workers race, the state changes are
// not.
class CircuitBreaker {
  public:
    enum class State : std::uint8_t { closed, open, half_open };

    // Leave for one request to go out. Where it ends without saying anything about the cluster (the client
    // went away), destroying the permit gives a trial's place back.
    class [[nodiscard]] Permit {
      public:
        Permit() = default;
        Permit(Permit&& other) noexcept : breaker_(std::exchange(other.breaker_, nullptr)) {}
        Permit& operator=(Permit&& other) noexcept {
            std::swap(breaker_, other.breaker_);
            return *this;
        }
        ~Permit() {
            if (breaker_) breaker_->cancel();
        }
        // False: none was given, or it has been used.
        explicit operator bool() const { return breaker_ != nullptr; }
        // How the request went; uses the permit up.
        void record(bool success, SteadyMs now) {
            if (CircuitBreaker* breaker = std::exchange(breaker_, nullptr)) breaker->record(success, now);
        }

      private:
        friend class CircuitBreaker;
        explicit Permit(CircuitBreaker& breaker) : breaker_(&breaker) {}
        CircuitBreaker* breaker_ = nullptr;
    };

    explicit CircuitBreaker(const config::CircuitBreaker& rules) : rules_(rules) {}

    // May a request go out? The permit must not outlive the breaker.
    Permit allow(SteadyMs now) { return let_through(now) ? Permit(*this) : Permit(); }
    // An outcome that nobody holds a permit for any more: an answer that was good so far is cut off.
    void record(bool success, SteadyMs now);

    State state() const { return state_.load(std::memory_order_relaxed); }
    std::uint64_t opened() const { return opened_.load(std::memory_order_relaxed); }
    // Milliseconds until the next trial, at least 1.
    SteadyMs retry_in(SteadyMs now) const;

  private:
    bool let_through(SteadyMs now);
    void cancel();
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
