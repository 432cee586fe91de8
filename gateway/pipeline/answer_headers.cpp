#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/response_filter.hpp"
#include "gateway/exchange/snapshot.hpp"

namespace gateway::pipeline {

namespace {

// The route's response headers, or the top level's for what no route took; then those of the request filters
// (CORS, RateLimit), which so stand behind what the operator wrote.
void add_headers(exchange::Exchange& exchange, exchange::Reply&, std::vector<wire::Addition>& additions) {
    const auto& configured =
        exchange.route ? exchange.runtime->response_headers : exchange.snapshot->shared->unrouted_headers;
    const auto add = [&additions](const std::vector<wire::Addition>& more) {
        if (!more.empty()) additions.insert(additions.end(), more.begin(), more.end());
    };
    add(configured);
    add(exchange.response_additions);
}

}  // namespace

extern const exchange::ResponseFilter kAnswerHeaders;
const exchange::ResponseFilter kAnswerHeaders{"answer_headers", add_headers, nullptr, nullptr};

}  // namespace gateway::pipeline
