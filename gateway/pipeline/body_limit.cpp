#include "gateway/config/config.hpp"
#include "gateway/exchange/error_body.hpp"
#include "gateway/pipeline/filters.hpp"

namespace gateway::pipeline {

// What the head announces; a chunked body is counted while it comes (Exchange::on_body).
Verdict body_limit(Context& context) {
    const wire::RequestHead& head = context.exchange.head;
    if (head.body() != wire::BodyKind::length ||
        head.content_length() <= context.exchange.route->limits.body_bytes)
        return Verdict::next;
    context.answer = exchange::answer_for(exchange::Failed::body_too_large);
    return Verdict::answered;
}

}  // namespace gateway::pipeline
