#include "gateway/exchange/error_body.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "gateway/pipeline/filters.hpp"

namespace gateway::pipeline {

Verdict route(Context& context) {
    exchange::Exchange& exchange = context.exchange;
    const exchange::Snapshot& snapshot = *exchange.snapshot->shared;
    const wire::RequestHead& head = exchange.head;
    const routing::Match match = snapshot.routes->find(head.host(), head.method(), head.path(), head);
    switch (match.outcome) {
        case routing::Outcome::found:
            exchange.route = match.route;
            exchange.route_index = match.index;
            exchange.runtime = &snapshot.route_runtime[match.index];
            exchange.websocket = head.upgrade_websocket() && match.route->websocket;
            return Verdict::next;
        case routing::Outcome::not_found:
            context.answer = exchange::answer_for(exchange::Failed::route_not_found);
            break;
        case routing::Outcome::method_not_allowed:
            context.answer = exchange::answer_for(exchange::Failed::method_not_allowed);
            context.answer.allow = exchange.text.keep(match.allowed.to_string());
            break;
        case routing::Outcome::options:
            context.answer.status = 204;
            context.answer.body = exchange::Answer::Body::none;
            context.answer.allow = exchange.text.keep(match.allowed.to_string());
            break;
    }
    // A preflight is an OPTIONS request that no route has to name: the route that it asks about decides.
    if (head.method() == wire::Method::options && head.has(wire::Header::origin)) {
        const auto wanted = wire::parse_method(head.value(wire::Header::access_control_request_method));
        if (wanted) {
            const routing::Match target = snapshot.routes->find(head.host(), *wanted, head.path(), head);
            if (target.outcome == routing::Outcome::found && target.route->cors) {
                exchange.route = target.route;
                exchange.route_index = target.index;
                exchange.runtime = &snapshot.route_runtime[target.index];
                return Verdict::next;
            }
        }
    }
    return Verdict::answered;
}

}  // namespace gateway::pipeline
