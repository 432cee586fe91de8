// When a failed attempt may be repeated, and the budget that keeps retries from multiplying an outage.
#pragma once

#include <cstdint>
#include <mutex>

#include "gateway/config/config.hpp"
#include "gateway/upstream/endpoint.hpp"

namespace gateway::upstream {

enum class Failure : std::uint8_t {
    connect,     // no connection: nothing was sent
    reset,       // the connection died before a byte of the answer
    timeout,     // no byte of the answer in time
    bad_answer,  // not HTTP, or refused by the reader
    status,      // an answer with a status from `on_status`
};

// All that counts when an attempt has failed.
struct LostAttempt {
    Failure failure = Failure::connect;
    std::uint16_t status = 0;     // Failure::status
    bool pooled = false;          // the connection had carried requests before
    bool idempotent = false;      // by method (RFC 9110 section 9.2.2)
    bool websocket = false;       // asks for a tunnel
    bool replayable = false;      // the whole body so far can be sent again
    bool answer_started = false;  // a byte of the answer went to the client
    bool time_is_up = false;      // the request's total time is over
    bool route_allows = true;     // the route's `retry`
    bool has_choice = false;      // more than one endpoint takes part
    bool draining = false;        // the gateway stops: who got an answer keeps it
    bool silent_used = false;     // the one silent repetition is gone
    std::uint32_t used = 0;       // retries of this request so far
};

enum class Verdict : std::uint8_t {
    give_up,
    again_silently,  // the pooled connection was dead already: a fresh one, not counted as a retry
    again,           // on another endpoint if there is one, after the back-off, if the budget allows it
};

// The one place that decides whether a request is sent again.
Verdict decide(const config::Retry& rules, const LostAttempt& lost);

// `budget_min_per_second` of a cluster: all workers take from the same.
class RetryReserve {
  public:
    explicit RetryReserve(const config::Retry& rules)
        : per_second_(rules.budget_min_per_second), left_(rules.budget_min_per_second) {}
    bool take(SteadyMs now);

  private:
    const double per_second_;
    std::mutex mutex_;  // a retry is rare
    double left_;
    SteadyMs last_ = 0;
};

// Per worker and cluster. Retries are at most `budget_percent` of the requests of the last seconds, and what
// the cluster's reserve gives besides.
class RetryBudget {
  public:
    RetryBudget(const config::Retry& rules, RetryReserve& reserve) : rules_(rules), reserve_(reserve) {}

    void on_request(SteadyMs now);
    // Takes one retry out of the budget; false: there is none.
    bool take(SteadyMs now);

  private:
    void fade(SteadyMs now);

    config::Retry rules_;
    RetryReserve& reserve_;
    double earned_ = 0;  // by requests; bounded, so that an hour of calm does not pay for a storm
    SteadyMs last_ = 0;
};

}  // namespace gateway::upstream
