#include "gateway/upstream/retry_policy.hpp"

#include <algorithm>

namespace gateway::upstream {

namespace {
constexpr double kMostEarned = 100;
}

Verdict decide(const config::Retry& rules, bool route_allows, const Attempt& attempt, std::uint32_t used,
               bool silent_used) {
    if (attempt.answer_started || !attempt.replayable) return Verdict::give_up;
    const bool nothing_sent = attempt.failure == Failure::connect;
    if (!nothing_sent && !attempt.idempotent) return Verdict::give_up;
    // The upstream had closed the idle connection just before: it never saw the request, or only its reset
    // shows that it did. Repeating an idempotent request is safe either way.
    if (attempt.failure == Failure::reset && attempt.pooled && !silent_used) return Verdict::again_silently;
    if (!route_allows || used >= rules.attempts) return Verdict::give_up;
    switch (attempt.failure) {
        case Failure::connect:
            return rules.on_connect_failure ? Verdict::again : Verdict::give_up;
        case Failure::reset:
            return rules.on_reset ? Verdict::again : Verdict::give_up;
        case Failure::status:
            return std::find(rules.on_status.begin(), rules.on_status.end(), attempt.status) !=
                           rules.on_status.end()
                       ? Verdict::again
                       : Verdict::give_up;
        case Failure::timeout:     // the client has waited long enough
        case Failure::bad_answer:  // it will not get better by asking again
            break;
    }
    return Verdict::give_up;
}

void RetryBudget::on_request(SteadyMs now) {
    refill(now);
    earned_ = std::min(kMostEarned, earned_ + rules_.budget_percent / 100.0);
}

bool RetryBudget::take(SteadyMs now) {
    refill(now);
    if (earned_ >= 1) {
        earned_ -= 1;
        return true;
    }
    if (reserve_ >= 1) {
        reserve_ -= 1;
        return true;
    }
    return false;
}

void RetryBudget::refill(SteadyMs now) {
    if (last_ == 0) {
        last_ = now;
        reserve_ = rules_.budget_min_per_second;
        return;
    }
    if (now == last_) return;
    const double seconds = static_cast<double>(now - last_) / 1000.0;
    last_ = now;
    reserve_ =
        std::min<double>(rules_.budget_min_per_second, reserve_ + seconds * rules_.budget_min_per_second);
    // What requests earned fades within ten seconds of calm.
    earned_ = std::max(0.0, earned_ - seconds * kMostEarned / 10);
}

}  // namespace gateway::upstream
