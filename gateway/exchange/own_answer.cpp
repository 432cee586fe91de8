#include "gateway/exchange/own_answer.hpp"

#include <array>
#include <cstdio>

#include "gateway/exchange/error_body.hpp"
#include "gateway/exchange/exchange.hpp"

namespace gateway::exchange {

void OwnAnswer::start(Exchange& exchange) {
    const Answer& own = answer_;
    if (!own.reason.empty()) exchange.reason = own.reason;

    body_.clear();
    std::string_view content_type = own.content_type;
    if (own.body == Answer::Body::problem) {
        append_problem(body_, own.status, own.code, own.detail, exchange.log_path, exchange.request_id);
        content_type = "application/problem+json";
    } else if (own.body == Answer::Body::text) {
        body_.assign(own.text);
    }
    using Mode = wire::Addition::Mode;
    std::array<char, 16> seconds;
    std::array<wire::Addition, 7> fields;
    std::size_t count = 0;
    const auto field = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) fields[count++] = {name, value, Mode::set};
    };
    if (!body_.empty()) field("Content-Type", content_type);
    if (!own.cacheable) field("Cache-Control", "no-store");
    field("WWW-Authenticate", own.www_authenticate);
    field("Allow", own.allow);
    field("Location", own.location);
    field("Content-Range", own.content_range);
    if (own.retry_after_s != 0) {
        const int length = std::snprintf(seconds.data(), seconds.size(), "%u", own.retry_after_s);
        field("Retry-After", {seconds.data(), static_cast<std::size_t>(length)});
    }
    Reply reply;
    reply.status = own.status;
    reply.fields = {fields.data(), count};
    reply.close = own.close;
    const bool bodiless = own.status == 204 || own.status == 304;
    reply.size = bodiless ? Reply::Size::absent : Reply::Size::known;
    reply.length = body_.size();
    const bool with_body = !bodiless && exchange.method != wire::Method::head;
    switch (exchange.send_head(reply, with_body ? std::string_view(body_) : std::string_view(), true)) {
        case Given::taken:
            return exchange.side->end();
        case Given::unwritable:
            return exchange.side->cut("own_answer_too_large");
        case Given::gone:
            return;
    }
}

}  // namespace gateway::exchange
