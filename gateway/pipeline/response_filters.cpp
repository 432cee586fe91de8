#include "gateway/pipeline/response_filters.hpp"

#include <array>

namespace gateway::pipeline {

using exchange::ResponseFilter;

// Each is defined in the file of its name.
extern const ResponseFilter kAnswerHeaders;
extern const ResponseFilter kRequestId;
extern const ResponseFilter kDate;
extern const ResponseFilter kCounters;
extern const ResponseFilter kAccessLog;

namespace {

// Own answers, files, what upstreams say and the 101 of a tunnel all pass here. Informational answers do not:
// they are the upstream's word (103) or the protocol's (100).
constexpr std::array<const ResponseFilter*, 5> kFilters{
    // First: what comes later may look at the headers that the route and the request filters give.
    &kAnswerHeaders,
    // Before the head is written for the first time: every answer carries the id that the log has.
    &kRequestId,
    // After the headers: what an operator wrote stands first. Before counting: it is part of the head.
    &kDate,
    // Behind what may change a body: these count what the client gets.
    &kCounters,
    // Last, always: the line of the log says what all the others have made of the answer.
    &kAccessLog,
};

}  // namespace

std::span<const ResponseFilter* const> response_filters() {
    return kFilters;
}

}  // namespace gateway::pipeline
