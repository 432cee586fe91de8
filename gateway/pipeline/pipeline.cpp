#include "gateway/pipeline/pipeline.hpp"

#include <array>

#include "gateway/pipeline/filters.hpp"

namespace gateway::pipeline {

namespace {

// The order is a decision of security. What becomes of answers, refusals included, is response_filters.cpp's:
// no filter here can leave out headers, metrics or the access log.
constexpr std::array<Filter, 8> kFilters{{
    // First: limits, logs and forwarding headers all speak of the client's address.
    {"client_address", client_address},
    // Before anything can answer: every answer and every log line carries the request id.
    {"names", names},
    // Before every rule: rules belong to routes. What no route takes ends here (deny by default).
    {"route", route},
    // Before auth: a browser's preflight carries no token, and a refusal without CORS headers is unreadable
    // to it.
    {"cors", cors},
    // Before auth: costs nothing, and a body that is too large is too large for everybody.
    {"body_limit", body_limit},
    // Before auth: a flood of bad tokens must not buy signature checks.
    {"early_rate_limits", early_rate_limits},
    // Token and rule of the route.
    {"auth", auth},
    // After auth: these count by claims, which must be true ones.
    {"claim_rate_limits", claim_rate_limits},
}};

}  // namespace

std::span<const Filter> filters() {
    return kFilters;
}

Verdict run(Context& context) {
    for (const Filter& filter : kFilters)
        if (filter.run(context) == Verdict::answered) return Verdict::answered;
    return Verdict::next;
}

}  // namespace gateway::pipeline
