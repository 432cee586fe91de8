// Forwarder: what surrounds the attempts: the head, places in the limits, deadlines, the end.
#include "gateway/http/forwarder.hpp"

#include <algorithm>

#include "gateway/http/client_session.hpp"
#include "gateway/routing/rewrite.hpp"
#include "gateway/wire/websocket.hpp"

namespace gateway::http {

using std::chrono::milliseconds;

namespace {

// Capacity that a reused buffer may keep.
constexpr std::size_t kKeptCapacity = 16 * 1024;

std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3ULL;
    }
    return hash;
}

}  // namespace

void Forwarder::forget(std::string& text) {
    if (text.capacity() > kKeptCapacity)
        std::string().swap(text);
    else
        text.clear();
}

void Forwarder::start(ClientSession& session, const config::ClusterTarget& target) {
    ++serial_;
    session_ = &session;
    cluster_ = exchange_.snapshot->clusters[target.cluster_index].get();
    const config::Cluster& settings = cluster_->cluster().settings();
    const config::RouteTimeouts& route = exchange_.route->timeouts;
    first_byte_ = route.first_byte.value_or(settings.timeouts.first_byte);
    idle_ = route.idle.value_or(settings.timeouts.idle);
    const milliseconds total = route.total.value_or(settings.timeouts.total);
    total_due_ = total.count() > 0
                     ? worker_.wheel.now() + static_cast<std::uint32_t>(total / net::DeadlineWheel::kTick) + 1
                     : 0;
    avoid_ = nullptr;
    body_complete_ =
        exchange_.head.body() == wire::BodyKind::none ||
        (exchange_.head.body() == wire::BodyKind::length && exchange_.head.content_length() == 0);
    expect_continue_ = exchange_.head.expect_continue() && !body_complete_;
    kept_ = true;
    fresh_only_ = silent_used_ = false;
    answer_started_ = chunked_down_ = false;
    upstream_ended_ = client_ended_ = false;
    state_ = State::queued;
    if (settings.balancer == config::Balancer::hash) {
        if (settings.hash_on.source == config::HashOn::Source::header) {
            const wire::HeaderLine* line = exchange_.head.find(settings.hash_on.header);
            hash_key_ = fnv1a(line ? exchange_.head.value(*line) : std::string_view());
        } else {
            hash_key_ = fnv1a(exchange_.client_text);
        }
    }
    if (!write_head(target)) return fail(answer_for(Failed::internal));
    cluster_->budget().on_request(worker_.poller.now_ms());
    admit();
}

bool Forwarder::write_head(const config::ClusterTarget& target) {
    const wire::RequestHead& head = exchange_.head;
    std::string rewritten;
    wire::UpstreamRequest out;
    out.path = routing::upstream_path(target, head.path(), rewritten);
    out.has_query = head.has_query();
    out.query = head.query();
    switch (target.host) {
        case config::ClusterTarget::Host::preserve:
            out.host = head.authority();
            break;
        case config::ClusterTarget::Host::fixed:
            out.host = target.fixed_host;
            break;
        case config::ClusterTarget::Host::endpoint:
            break;
    }
    // The head is written once for all attempts: each writes its endpoint over this (name_endpoint).
    const bool of_endpoint = out.host.empty();
    if (of_endpoint) out.host = "endpoint";
    out.forwarded_for = exchange_.forwarded_for;
    out.forwarded_proto = exchange_.forwarded_proto;
    out.forwarded_host = exchange_.forwarded_host;
    out.real_ip = exchange_.client_text;
    out.request_id = exchange_.request_id;
    out.traceparent = {exchange_.traceparent.data(), exchange_.traceparent.size()};
    if (exchange_.identity) out.identity_lines = exchange_.identity->header_block();
    std::vector<wire::Addition> additions;
    if (exchange_.forwarded.empty()) {
        out.additions = exchange_.runtime->request_headers;
    } else {
        additions = exchange_.runtime->request_headers;
        additions.push_back({"Forwarded", exchange_.forwarded, wire::Addition::Mode::set});
        out.additions = additions;
    }
    out.body = body_complete_ ? wire::BodyKind::none : head.body();
    out.content_length = head.content_length();
    out.send_zero_length =
        body_complete_ && (head.method() == wire::Method::post || head.method() == wire::Method::put ||
                           head.method() == wire::Method::patch);
    out.upgrade_websocket = exchange_.websocket;
    chunked_up_ = out.body == wire::BodyKind::chunked;
    wire::Output buffer(worker_.output.data(), worker_.output.size());
    if (!wire::write_request_head(buffer, head, out)) return false;
    head_.assign(buffer.view());
    static constexpr std::string_view kHost = "\r\nHost: ";
    host_at_ = of_endpoint ? static_cast<std::uint16_t>(head_.find(kHost) + kHost.size()) : 0;
    host_length_ = static_cast<std::uint16_t>(out.host.size());
    if (exchange_.websocket) accept_ = wire::websocket_accept(head.value(wire::Header::sec_websocket_key));
    return true;
}

void Forwarder::name_endpoint(const upstream::Endpoint& endpoint) {
    if (host_at_ == 0) return;
    head_.replace(host_at_, host_length_, endpoint.authority());
    host_length_ = static_cast<std::uint16_t>(endpoint.authority().size());
}

bool Forwarder::take_places() {
    const auto take = [this](upstream::InFlightLimit& limit, upstream::InFlightLimit::Place& place) {
        if (!place) place = limit.try_acquire();
        if (!place) wait_for_place(limit);
        return static_cast<bool>(place);
    };
    return take(*exchange_.runtime->in_flight, route_place_) &&
           take(cluster_->cluster().in_flight, cluster_place_);
}

void Forwarder::wait_for_place(upstream::InFlightLimit& limit) {
    if (!queue_place_.of(limit)) {
        leave_queue();
        queue_place_ = limit.try_queue();
        if (!queue_place_) return fail(answer_for(Failed::overloaded));
        worker_.stats.queued.add();
        worker_.wheel.set(*this, within_total(limit.queue_timeout()));
    }
    state_ = State::queued;
    cluster_->wait(this);
}

void Forwarder::leave_queue() {
    if (!queue_place_) return;
    queue_place_.reset();
    worker_.wheel.clear(*this);
}

void Forwarder::admit() {
    if (!take_places()) return;
    leave_queue();
    attempt();
}

void Forwarder::on_place_free() {
    if (state_ == State::queued) admit();
}

void Forwarder::release_places() {
    const bool held = route_place_ || cluster_place_;
    cluster_place_.reset();
    route_place_.reset();
    if (held) cluster_->wake_one();
}

void Forwarder::on_deadline() {
    if (state_ == State::backing_off) {
        if (total_over()) return fail(answer_for(Failed::total_timeout));
        return attempt();
    }
    if (state_ != State::queued) return;
    cluster_->stop_waiting(this);
    if (total_over()) return fail(answer_for(Failed::total_timeout));
    worker_.stats.queue_timeouts.add();
    fail(answer_for(Failed::queue_timeout));
}

void Forwarder::fail(Answer answer) {
    ClientSession* session = session_;
    const bool started = answer_started_;
    abandon();
    if (started)
        session->answer_aborted(answer.reason);
    else
        session->answer(answer);
}

void Forwarder::abandon() {
    if (state_ == State::idle) return;
    if (state_ == State::queued) cluster_->stop_waiting(this);
    leave_queue();
    worker_.wheel.clear(*this);
    attempt_.reset();
    state_ = State::idle;
    ++serial_;
    forget(head_);
    forget(pending_);
    forget(answer_bytes_);
    release_places();
    session_ = nullptr;
}

milliseconds Forwarder::within_total(milliseconds phase) const {
    if (total_due_ == 0) return phase;
    const std::uint32_t now = worker_.wheel.now();
    return std::min<milliseconds>(phase,
                                  net::DeadlineWheel::kTick * (total_due_ > now ? total_due_ - now : 0));
}

void Forwarder::arm(milliseconds phase) {
    attempt_->connection().set_deadline(within_total(phase));
}

bool Forwarder::total_over() const {
    return total_due_ != 0 && worker_.wheel.now() >= total_due_;
}

void Forwarder::on_upstream_deadline() {
    if (state_ == State::tunnel) {
        exchange_.reason = "tunnel_idle_timeout";
        ClientSession* session = session_;
        abandon();
        return session->tunnel_finished();
    }
    if (total_over()) {
        attempt_->failed(worker_.poller.now_ms());
        return fail(answer_for(Failed::total_timeout));
    }
    // A client that takes nothing, or sends nothing, has its own deadline; the upstream is not to blame.
    if (session_->backlog() || (!body_complete_ && !attempt_->connection().backlog() &&
                                attempt_->progress != Attempt::Progress::head)) {
        arm(idle_);
        return;
    }
    if (answer_started_) return fail(answer_for(Failed::upstream_timeout));
    attempt_failed(upstream::Failure::timeout, Failed::upstream_timeout);
}

void Forwarder::on_upstream_exception() noexcept {
    pumping_ = false;
    if (session_) session_->on_exception();
}

}  // namespace gateway::http
