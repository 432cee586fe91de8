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

bool RetryReserve::take(SteadyMs now) {
    const std::lock_guard lock(mutex_);
    if (last_ != 0)
        left_ = std::min(per_second_, left_ + static_cast<double>(now - last_) / 1000.0 * per_second_);
    last_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
}

void RetryBudget::on_request(SteadyMs now) {
    fade(now);
    earned_ = std::min(kMostEarned, earned_ + rules_.budget_percent / 100.0);
}

bool RetryBudget::take(SteadyMs now) {
    fade(now);
    if (earned_ < 1) return reserve_.take(now);
    earned_ -= 1;
    return true;
}

// What requests earned is gone within ten seconds of calm.
void RetryBudget::fade(SteadyMs now) {
    if (last_ != 0 && now != last_)
        earned_ = std::max(0.0, earned_ - static_cast<double>(now - last_) / 1000.0 * kMostEarned / 10);
    last_ = now;
}

}  // namespace gateway::upstream
