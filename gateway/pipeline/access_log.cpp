#include "gateway/observe/access_log.hpp"

#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/response_filter.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "gateway/exchange/tools.hpp"
#include "gateway/net/poller.hpp"

namespace gateway::pipeline {

namespace {

// Behind the counters: sampling counts finished requests.
void write_line(exchange::Exchange& exchange) {
    const exchange::Tools& tools = exchange.tools;
    const unsigned status = exchange.logged_status();
    const config::AccessLog& rules = exchange.snapshot->shared->config->access_log;
    const bool sampled =
        status >= 400 || rules.sample <= 1 || tools.stats.requests_finished.value() % rules.sample == 0;
    if (!tools.log.enabled() || !sampled || (exchange.route && !exchange.route->access_log)) return;
    observe::AccessEntry entry;
    entry.time = exchange.started_wall;
    entry.route = exchange.route ? std::string_view(exchange.route->name) : std::string_view();
    entry.method = exchange.head.base() ? wire::to_string(exchange.method) : std::string_view();
    entry.path = exchange.log_path;
    entry.status = status;
    entry.bytes_in = exchange.bytes_in;
    entry.bytes_out = exchange.bytes_out;
    entry.duration_us = exchange.microseconds_until(tools.clock.now());
    entry.upstream_us = exchange.upstream_us;
    entry.upstream = exchange.upstream;
    entry.client = exchange.client_text;
    entry.request_id = exchange.request_id;
    entry.trace_id = {exchange.traceparent.data() + 3, 32};
    if (exchange.identity) {
        entry.subject = exchange.identity->user_id();
        entry.session = exchange.identity->session_id();
        entry.token_id = exchange.identity->token_id();
    }
    entry.user_agent = exchange.log_user_agent;
    entry.reason = exchange.reason;
    entry.retries = exchange.retries;
    if (exchange.refused)
        tools.log.write_refusal(entry, exchange.client, tools.clock.now());
    else
        tools.log.write(entry);
}

}  // namespace

extern const exchange::ResponseFilter kAccessLog;
const exchange::ResponseFilter kAccessLog{"access_log", nullptr, nullptr, write_line};

}  // namespace gateway::pipeline
