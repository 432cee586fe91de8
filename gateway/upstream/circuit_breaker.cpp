#include "gateway/upstream/circuit_breaker.hpp"

#include <algorithm>

namespace gateway::upstream {

bool CircuitBreaker::let_through(SteadyMs now, std::uint32_t& round) {
    if (!rules_.enabled) return true;
    State state = state_.load(std::memory_order_acquire);
    if (state == State::closed) return true;
    if (state == State::open) {
        if (now - opened_at_.load(std::memory_order_relaxed) < rules_.open_for.count()) return false;
        if (state_.compare_exchange_strong(state, State::half_open, std::memory_order_acq_rel)) {
            round_.fetch_add(1, std::memory_order_relaxed);
            trials_.store(0, std::memory_order_relaxed);
            trials_good_.store(0, std::memory_order_relaxed);
            // A trial that never reports (its worker lost it) must not block the circuit for ever.
            opened_at_.store(now, std::memory_order_relaxed);
        } else if (state == State::closed) {
            return true;
        }
    }
    if (now - opened_at_.load(std::memory_order_relaxed) >= 2 * rules_.open_for.count() + 60'000) {
        opened_at_.store(now, std::memory_order_relaxed);
        trials_.store(0, std::memory_order_relaxed);
    }
    round = round_.load(std::memory_order_relaxed);
    if (trials_.fetch_add(1, std::memory_order_relaxed) < rules_.half_open_requests) return true;
    trials_.fetch_sub(1, std::memory_order_relaxed);
    return false;
}

void CircuitBreaker::record(bool success, SteadyMs now, std::uint32_t round) {
    if (!rules_.enabled) return;
    const State state = state_.load(std::memory_order_acquire);
    if (state == State::half_open) {
        if (!is_trial(round)) return;
        if (!success) return open(now);
        if (trials_good_.fetch_add(1, std::memory_order_relaxed) + 1 >= rules_.half_open_requests) {
            requests_.store(0, std::memory_order_relaxed);
            failures_.store(0, std::memory_order_relaxed);
            window_start_.store(now, std::memory_order_relaxed);
            state_.store(State::closed, std::memory_order_release);
        }
        return;
    }
    if (state == State::open) return;  // an answer to a request from before it opened
    if (now - window_start_.load(std::memory_order_relaxed) >= rules_.window.count()) {
        window_start_.store(now, std::memory_order_relaxed);
        requests_.store(0, std::memory_order_relaxed);
        failures_.store(0, std::memory_order_relaxed);
    }
    const std::uint32_t requests = requests_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (!success) count_failure(requests, now);
}

void CircuitBreaker::take_back(SteadyMs now, std::uint32_t round) {
    if (!rules_.enabled) return;
    const State state = state_.load(std::memory_order_acquire);
    if (state == State::closed) return count_failure(requests_.load(std::memory_order_relaxed), now);
    if (state == State::half_open && is_trial(round)) open(now);
}

void CircuitBreaker::count_failure(std::uint32_t requests, SteadyMs now) {
    const std::uint32_t failures = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (requests >= rules_.min_requests &&
        std::uint64_t{failures} * 100 >= std::uint64_t{requests} * rules_.failure_percent)
        open(now);
}

void CircuitBreaker::cancel(std::uint32_t round) {
    if (!rules_.enabled || state() != State::half_open || !is_trial(round)) return;
    // The trial's place is free again.
    std::uint32_t trials = trials_.load(std::memory_order_relaxed);
    while (trials > 0 && !trials_.compare_exchange_weak(trials, trials - 1, std::memory_order_relaxed)) {
    }
}

SteadyMs CircuitBreaker::retry_in(SteadyMs now) const {
    return std::max<SteadyMs>(1, opened_at_.load(std::memory_order_relaxed) + rules_.open_for.count() - now);
}

void CircuitBreaker::open(SteadyMs now) {
    opened_at_.store(now, std::memory_order_relaxed);
    if (state_.exchange(State::open, std::memory_order_acq_rel) != State::open)
        opened_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace gateway::upstream
