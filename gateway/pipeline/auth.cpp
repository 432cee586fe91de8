#include <optional>

#include "gateway/config/config.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "gateway/observe/stats.hpp"
#include "gateway/pipeline/filters.hpp"

namespace gateway::pipeline {

namespace {

std::string_view code_for(const auth::Decision& decision) {
    switch (decision.status) {
        case 401:
            return decision.reason == "token_missing" || decision.reason == "no_credentials"
                       ? "token_missing"
                       : "token_invalid";
        case 403:
            return "forbidden";
        case 422:
            return "validation_failed";
        default:
            return "token_check_unavailable";
    }
}

}  // namespace

Verdict auth(Context& context) {
    exchange::Exchange& exchange = context.exchange;
    const wire::RequestHead& head = exchange.head;
    std::optional<std::string_view> credentials;
    if (head.has(wire::Header::authorization)) credentials = head.value(wire::Header::authorization);
    auth::Decision decision = exchange.snapshot->gate.check(
        credentials, exchange.route->auth, {head.path(), head.query()}, exchange.started_wall);
    if (decision.cached) context.tools.stats.tokens_cached.add();
    exchange.identity = std::move(decision.identity);
    if (decision.allowed) {
        if (exchange.identity && !decision.cached) context.tools.stats.tokens_verified.add();
        return Verdict::next;
    }
    context.tools.stats.tokens_refused.add();
    exchange::Answer& answer = context.answer;
    answer.status = decision.status;
    answer.code = code_for(decision);
    answer.detail = decision.detail;
    answer.reason = decision.reason;
    answer.www_authenticate = decision.www_authenticate;
    answer.retry_after_s = decision.retry_after_s;
    return Verdict::answered;
}

}  // namespace gateway::pipeline
