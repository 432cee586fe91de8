#include <algorithm>

#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/response_filter.hpp"
#include "gateway/exchange/snapshot.hpp"

namespace gateway::pipeline {

namespace {

using Mode = wire::Addition::Mode;

bool sets(const std::vector<wire::Addition>& lines, std::string_view name) {
    return std::any_of(lines.begin(), lines.end(), [&](const wire::Addition& line) {
        return line.mode == Mode::set && wire::equals_ignoring_case(line.name, name);
    });
}

// The route's response headers, or the top level's for what no route took; then those of the request filters
// (CORS, RateLimit), which so stand behind what the operator wrote.
void add_headers(exchange::Exchange& exchange, exchange::Reply&, std::vector<wire::Addition>& additions) {
    const auto& configured =
        exchange.route ? exchange.runtime->response_headers : exchange.snapshot->shared->unrouted_headers;
    const auto& more = exchange.response_additions;
    if (more.empty()) {
        if (!configured.empty()) additions.insert(additions.end(), configured.begin(), configured.end());
        return;
    }
    // One line, the operator's.
    for (const wire::Addition& c : configured)
        if (c.mode != Mode::if_absent || !sets(more, c.name)) additions.push_back(c);
    for (const wire::Addition& m : more)
        if (m.mode == Mode::append || !sets(configured, m.name)) additions.push_back(m);
}

}  // namespace

extern const exchange::ResponseFilter kAnswerHeaders;
const exchange::ResponseFilter kAnswerHeaders{"answer_headers", add_headers, nullptr, nullptr};

}  // namespace gateway::pipeline
