// ClientSession: a request from its head to its target.
#include "gateway/http/client_session.hpp"
#include "gateway/pipeline/pipeline.hpp"
#include "gateway/routing/rewrite.hpp"

namespace gateway::http {

void ClientSession::begin_head() {
    leave_idle();
    request_ = worker_.take_request();
    request_->exchange.snapshot = worker_.snapshot;
    state_ = State::reading_head;
    worker_.wheel.set(*this, worker_.snapshot->shared->config->client.head_timeout);
}

void ClientSession::begin_request() {
    Exchange& exchange = request_->exchange;
    ++requests_;
    worker_.stats.requests_started.add();
    exchange.started = worker_.poller.now();
    exchange.started_wall = worker_.wall_time();
    exchange.peer = &peer_.address;
    exchange.peer_text = peer_text_;
    exchange.secure = stream_.tls();
    keep_alive_ = exchange.head.keep_alive();
    body_.start(exchange.head.body(), exchange.head.content_length());
    body_read_ = 0;
    body_began_ = worker_.wheel.now();
    body_paused_ = 0;
    state_ = State::handling;
    worker_.wheel.clear(*this);
    if (!body_.done()) body_deadline();
    Answer own;
    pipeline::Context context{exchange, worker_, own};
    if (pipeline::run(context) == pipeline::Verdict::answered) return answer(own);
    dispatch();
}

void ClientSession::dispatch() {
    Exchange& exchange = request_->exchange;
    const config::Target& target = exchange.route->target;
    if (const auto* cluster = std::get_if<config::ClusterTarget>(&target))
        return request_->forwarder.start(*this, *cluster);
    if (const auto* directory = std::get_if<config::StaticTarget>(&target)) return serve_file(*directory);
    if (const auto* builtin = std::get_if<config::BuiltinTarget>(&target)) return serve_builtin(*builtin);
    const auto& redirect = std::get<config::RedirectTarget>(target);
    Answer own;
    own.status = redirect.status;
    own.body = Answer::Body::none;
    own.location =
        exchange.text.keep(routing::redirect_location(redirect, exchange.head.host(), exchange.head.path(),
                                                      exchange.head.query(), exchange.head.has_query()));
    own.cacheable = true;
    answer(own);
}

void ClientSession::serve_builtin(const config::BuiltinTarget& target) {
    Exchange& exchange = request_->exchange;
    Answer own;
    own.status = 200;
    own.body = Answer::Body::text;
    own.content_type = "application/json";
    if (target.what == config::BuiltinTarget::What::health) {
        own.text = "{\"status\":\"ok\"}";
        return answer(own);
    }
    // Names and up or down only: the page is public.
    const upstream::SteadyMs now = worker_.poller.now_ms();
    bool ready = !worker_.shared.draining.load(std::memory_order_relaxed);
    const bool draining = !ready;
    std::string text;
    for (const auto& cluster : exchange.snapshot->shared->clusters) {
        const bool up = cluster->ready(now);
        if (!up && cluster->settings().needed_for_ready) ready = false;
        text += text.empty() ? "" : ",";
        observe::append_json_string(text, cluster->name());
        text += up ? ":\"up\"" : ":\"down\"";
    }
    if (!exchange.snapshot->shared->issuers->ready()) ready = false;
    own.status = ready ? 200 : 503;
    own.text = exchange.text.keep("{\"status\":\"" +
                                  std::string(draining ? "draining" : (ready ? "ready" : "not_ready")) +
                                  "\",\"upstreams\":{" + text + "}}");
    if (!ready) own.retry_after_s = 1;
    answer(own);
}

// A request whose head was not understood never sees the pipeline; its answer has what every answer has.
void ClientSession::begin_unreadable() {
    Exchange& exchange = request_->exchange;
    ++requests_;
    worker_.stats.requests_started.add();
    exchange.started = worker_.poller.now();
    exchange.started_wall = worker_.wall_time();
    exchange.client_text = peer_text_;
    observe::IdSource::RequestId id;
    worker_.ids.request_id(id);
    exchange.request_id = exchange.text.keep({id.data(), id.size()});
    worker_.ids.traceparent({}, exchange.traceparent);
    exchange.method = wire::Method::get;
    exchange.log_path = "/";  // nobody knows which
    body_.start(wire::BodyKind::none, 0);
    state_ = State::handling;
}

void ClientSession::refuse(wire::Refusal refusal) {
    worker_.stats.refusals[static_cast<std::size_t>(refusal)].add();
    if (state_ == State::reading_head) begin_unreadable();
    want_close_ = true;
    Answer own = answer_for(refusal);
    static const std::string kAllow = wire::MethodSet::all().to_string();
    if (refusal == wire::Refusal::method_not_allowed) own.allow = kAllow;
    if (refusal == wire::Refusal::websocket_version)
        request_->exchange.response_additions.push_back(
            {"Sec-WebSocket-Version", "13", wire::Addition::Mode::set});
    answer(own);
}

}  // namespace gateway::http
