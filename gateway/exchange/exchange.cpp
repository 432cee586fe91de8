#include "gateway/exchange/exchange.hpp"

#include "gateway/config/config.hpp"
#include "gateway/exchange/response_filter.hpp"
#include "gateway/exchange/snapshot.hpp"

namespace gateway::exchange {

Exchange::Exchange(const Tools& worker_tools, std::span<const ResponseFilter* const> response_filters)
    : tools(worker_tools), filters_(response_filters) {
    reset();
}

Exchange::~Exchange() = default;

bool Exchange::on_body(std::string_view data, bool last) {
    bytes_in += data.size();
    // What goes through a tunnel is no body.
    if (status != 101 && bytes_in > route->limits.body_bytes) {
        fail(Failed::body_too_large);
        return false;
    }
    return data.empty() && !last ? true : responder->on_body(data, last);
}

void Exchange::filter_head(Reply& reply) {
    additions_.clear();
    for (const ResponseFilter* filter : filters_)
        if (filter->head) filter->head(*this, reply, additions_);
    reply.additions = additions_;
    status = reply.status;
}

std::string_view Exchange::filter_body(std::string_view data, bool last) {
    for (const ResponseFilter* filter : filters_)
        if (filter->body) data = filter->body(*this, data, last);
    return data;
}

Given Exchange::send_head(Reply& reply, std::string_view first, bool last) {
    filter_head(reply);
    const Given given = side->head(reply, filter_body(first, last), last);
    if (given == Given::unwritable) status = 0;
    return given;
}

Given Exchange::send_body(std::string_view data, bool last) {
    return side->body(filter_body(data, last), last);
}

Given Exchange::send_tunnel(Reply& reply, std::string_view first) {
    filter_head(reply);
    const Given given = side->tunnel(reply, filter_body(first, false));
    if (given == Given::unwritable) status = 0;
    return given;
}

void Exchange::answer(const Answer& own) {
    own_.set(own);
    refused = own.status >= 400 && own.status < 500;
    responder = &own_;
    own_.start(*this);
}

void Exchange::fail(const Answer& own) {
    if (responder) responder->abandon();
    if (begun())
        side->cut(own.reason);
    else
        answer(own);
}

void Exchange::finish() {
    for (const ResponseFilter* filter : filters_)
        if (filter->end) filter->end(*this);
}

void Exchange::reset() {
    snapshot.reset();
    head.clear();
    peer = nullptr;
    peer_text = client_text = {};
    secure = peer_trusted = peer_unknown = false;
    forwarded_for = forwarded_proto = forwarded_host = forwarded = {};
    request_id = {};
    route = nullptr;
    runtime = nullptr;
    identity.reset();
    response_additions.clear();
    websocket = ends_with_client = refused = cut_off = false;
    log_path = log_user_agent = reason = upstream = {};
    method = wire::Method::get;
    version_minor = 1;
    status = 0;
    bytes_in = bytes_out = upstream_us = 0;
    retries = 0;
    text.clear();
    side = nullptr;
    responder = nullptr;
}

}  // namespace gateway::exchange
