#include "gateway/upstream/retry_policy.hpp"

#include <algorithm>

namespace gateway::upstream {

namespace {
constexpr double kMostEarned = 100;
}

Verdict decide(const config::Retry& rules, const LostAttempt& lost) {
    if (lost.answer_started || !lost.replayable || lost.time_is_up) return Verdict::give_up;
    const bool nothing_sent = lost.failure == Failure::connect;
    // Switched off is switched off: what an upstream may have read is not sent again, not even silently.
    if (!nothing_sent && (!lost.idempotent || lost.websocket || !lost.route_allows || rules.attempts == 0))
        return Verdict::give_up;
    // The upstream had closed the idle connection just before: it never saw the request, or only its reset
    // shows that it did. Repeating an idempotent request is safe either way.
    if (lost.failure == Failure::reset && lost.pooled && !lost.silent_used) return Verdict::again_silently;
    if (lost.used >= rules.attempts) return Verdict::give_up;
    const auto again_if = [](bool yes) { return yes ? Verdict::again : Verdict::give_up; };
    switch (lost.failure) {
        case Failure::connect:
            return again_if(rules.on_connect_failure);
        case Failure::reset:
            return again_if(rules.on_reset);
        case Failure::status:
            // The same endpoint would say the same.
            return again_if(lost.has_choice && !lost.draining &&
                            std::find(rules.on_status.begin(), rules.on_status.end(), lost.status) !=
                                rules.on_status.end());
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
