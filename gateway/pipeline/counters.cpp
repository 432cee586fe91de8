#include <algorithm>

#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/response_filter.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "gateway/exchange/tools.hpp"
#include "gateway/net/poller.hpp"

namespace gateway::pipeline {

namespace {

std::string_view count_bytes(exchange::Exchange& exchange, std::string_view data, bool) {
    exchange.bytes_out += data.size();
    return data;
}

// The numbers of the route, or of what no route took.
void count_request(exchange::Exchange& exchange) {
    observe::RouteStats& stats = exchange.route ? *exchange.snapshot->route_stats[exchange.route_index]
                                                : *exchange.snapshot->unmatched;
    stats.by_class[std::min<std::size_t>(exchange.logged_status() / 100, stats.by_class.size() - 1)].add();
    stats.bytes_in.add(exchange.bytes_in);
    stats.bytes_out.add(exchange.bytes_out);
    stats.duration.record(exchange.microseconds_until(exchange.tools.clock.now()));
    exchange.tools.stats.requests_finished.add();
}

}  // namespace

extern const exchange::ResponseFilter kCounters;
const exchange::ResponseFilter kCounters{"counters", nullptr, count_bytes, count_request};

}  // namespace gateway::pipeline
