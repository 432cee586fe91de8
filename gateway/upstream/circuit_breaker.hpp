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
        Permit(Permit&& other) noexcept
            : breaker_(std::exchange(other.breaker_, nullptr)), round_(other.round_), used_(other.used_) {}
        Permit& operator=(Permit&& other) noexcept {
            std::swap(breaker_, other.breaker_);
            std::swap(round_, other.round_);
            std::swap(used_, other.used_);
            return *this;
        }
        ~Permit() {
            if (*this) breaker_->cancel(round_);
        }
        // False: none was given, or it has been used.
        explicit operator bool() const { return breaker_ != nullptr && !used_; }
        // How the request went; uses the permit up.
        void record(bool success, SteadyMs now) {
            if (*this) breaker_->record(success, now, round_);
            used_ = true;
        }
        // What was recorded as a success turned out to be none: the answer is cut off.
        void take_back(SteadyMs now) {
            if (breaker_) breaker_->take_back(now, round_);
        }

      private:
        friend class CircuitBreaker;
        Permit(CircuitBreaker& breaker, std::uint32_t round) : breaker_(&breaker), round_(round) {}
        CircuitBreaker* breaker_ = nullptr;
        std::uint32_t round_ = 0;
        bool used_ = false;
    };

    explicit CircuitBreaker(const config::CircuitBreaker& rules) : rules_(rules) {}

    // May a request go out? The permit must not outlive the breaker.
    Permit allow(SteadyMs now) {
        std::uint32_t round = kNoTrial;
        return let_through(now, round) ? Permit(*this, round) : Permit();
    }

    State state() const { return state_.load(std::memory_order_relaxed); }
    std::uint64_t opened() const { return opened_.load(std::memory_order_relaxed); }
    // Milliseconds until the next trial, at least 1.
    SteadyMs retry_in(SteadyMs now) const;

  private:
    // Requests that go out while it is half open are the trials of that round. What was let through before
    // says nothing about now.
    static constexpr std::uint32_t kNoTrial = 0;

    bool let_through(SteadyMs now, std::uint32_t& round);
    void record(bool success, SteadyMs now, std::uint32_t round);
    void take_back(SteadyMs now, std::uint32_t round);
    void cancel(std::uint32_t round);
    bool is_trial(std::uint32_t round) const {
        return round != kNoTrial && round == round_.load(std::memory_order_relaxed);
    }
    void count_failure(std::uint32_t requests, SteadyMs now);
    void open(SteadyMs now);

    const config::CircuitBreaker rules_;
    std::atomic<State> state_{State::closed};
    std::atomic<SteadyMs> window_start_{0};
    std::atomic<std::uint32_t> requests_{0};
    std::atomic<std::uint32_t> failures_{0};
    std::atomic<SteadyMs> opened_at_{0};
    std::atomic<std::uint32_t> round_{kNoTrial};  // how many times it has been half open
    std::atomic<std::uint32_t> trials_{0};        // requests let through while half open
    std::atomic<std::uint32_t> trials_good_{0};
    std::atomic<std::uint64_t> opened_{0};
};

}  // namespace gateway::upstream
