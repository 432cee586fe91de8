// ClientSession: answers, and what every request passes at its end.
#include <algorithm>
#include <array>
#include <cstdio>

#include "gateway/http/client_session.hpp"

namespace gateway::http {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds kDrainTimeout{5'000};

}  // namespace

bool ClientSession::decide_keep_alive(bool possible) {
    const config::Client& rules = worker_.snapshot->shared->config->client;
    // From the first moment of a drain, long before idle connections close: a client that sends its next
    // request just when its connection closes cannot tell whether that was taken.
    if (!possible || want_close_ || worker_.shared.draining.load(std::memory_order_relaxed) ||
        (rules.max_requests_per_connection != 0 && requests_ >= rules.max_requests_per_connection))
        keep_alive_ = false;
    // An unread body that is too long to be read away, or that may never come.
    if (!body_.done() && (request_->exchange.head.expect_continue() || body_.remaining() > rules.drain_bytes))
        keep_alive_ = false;
    return keep_alive_;
}

void ClientSession::answer(const Answer& own) {
    Exchange& exchange = request_->exchange;
    exchange.status = own.status;
    if (!own.reason.empty()) exchange.reason = own.reason;
    if (own.close) want_close_ = true;

    std::string& body = worker_.body;
    body.clear();
    std::string_view content_type = own.content_type;
    if (own.body == Answer::Body::problem) {
        append_problem(body, own.status, own.code, own.detail, exchange.log_path, exchange.request_id);
        content_type = "application/problem+json";
    } else if (own.body == Answer::Body::text) {
        body.assign(own.text);
    }
    std::array<char, 16> seconds;
    std::vector<wire::Addition> additions = exchange.response_additions;
    if (!exchange.route) {
        const auto& unrouted = exchange.snapshot->shared->unrouted_headers;
        additions.insert(additions.end(), unrouted.begin(), unrouted.end());
    }
    using Mode = wire::Addition::Mode;
    additions.push_back({"Date", worker_.date, Mode::set});
    if (!body.empty()) additions.push_back({"Content-Type", content_type, Mode::set});
    if (!own.cacheable) additions.push_back({"Cache-Control", "no-store", Mode::set});
    if (!own.www_authenticate.empty())
        additions.push_back({"WWW-Authenticate", own.www_authenticate, Mode::set});
    if (!own.allow.empty()) additions.push_back({"Allow", own.allow, Mode::set});
    if (!own.location.empty()) additions.push_back({"Location", own.location, Mode::set});
    if (own.retry_after_s != 0) {
        const int length = std::snprintf(seconds.data(), seconds.size(), "%u", own.retry_after_s);
        additions.push_back({"Retry-After", {seconds.data(), static_cast<std::size_t>(length)}, Mode::set});
    }
    wire::ClientResponse head;
    head.client_version_minor = exchange.version_minor;
    head.keep_alive = decide_keep_alive(true);
    head.request_id = exchange.request_id;
    head.additions = additions;
    const bool bodiless = own.status == 204 || own.status == 304;
    head.body = wire::BodyKind::none;
    head.write_content_length = !bodiless;
    head.content_length = body.size();
    wire::Output out(worker_.output.data(), worker_.output.size());
    if (!wire::write_own_response_head(out, own.status, head)) return client_gone("own_answer_too_large");
    const bool with_body = !bodiless && exchange.method != wire::Method::head;
    if (with_body) exchange.bytes_out += body.size();
    if (send(out.view(), with_body ? std::string_view(body) : std::string_view()) == Sent::failed) return;
    answer_finished();
}

ClientSession::Sent ClientSession::send(std::string_view first, std::string_view second,
                                        std::string_view third) {
    const bool kept_before = backlog();
    const Sent sent = out_.send(worker_.poller.batch(), stream_, *this, first, second, third);
    if (sent == Sent::failed) client_gone("client_gone");
    if (sent == Sent::kept && !kept_before) await_client();
    return sent;
}

bool ClientSession::flush_batch() {
    if (!stream_.batched()) return true;
    on_batch_sent(worker_.poller.batch().flush(stream_));
    return state_ != State::closed;
}

void ClientSession::on_batch_sent(const net::SendBatch::Outcome& outcome) {
    const Sent sent = out_.take(outcome);
    if (sent == Sent::failed) client_gone("client_gone");
    if (sent == Sent::kept) await_client();
}

void ClientSession::flush() {
    const std::size_t before = out_.size();
    switch (out_.flush(stream_)) {
        case Sent::kept:
            if (out_.size() < before) await_client();
            return;
        case Sent::all:
            return on_drained();
        case Sent::failed:
            return client_gone("client_gone");
    }
}

// Something is kept until the client takes it; on_drained() comes then.
void ClientSession::await_client() {
    leave_idle();
    worker_.wheel.set(*this, worker_.snapshot->shared->config->client.write_timeout);
}

void ClientSession::on_drained() {
    worker_.wheel.clear(*this);
    switch (state_) {
        case State::handling:
            if (!body_.done()) body_deadline();
            if (request_->forwarder.active()) return request_->forwarder.on_client_drained();
            if (request_->file.descriptor >= 0) return pump_file();
            return;
        case State::tunnel:
            if (request_->forwarder.upstream_ended()) stream_.shutdown_write();
            return request_->forwarder.on_client_drained();
        case State::closing:
            return begin_close();
        case State::draining_body:
            worker_.wheel.set(*this, kDrainTimeout);
            process_kept();
            return;
        case State::idle:
            become_idle();
            if (state_ == State::idle) process_kept();
            return;
        default:
            return;
    }
}

void ClientSession::answer_finished() {
    end_exchange();
    if (!keep_alive_ || want_close_) return begin_close();
    if (!body_.done()) {
        state_ = State::draining_body;
        body_read_ = 0;
        if (out_.empty()) worker_.wheel.set(*this, kDrainTimeout);
    } else {
        become_idle();
    }
    if (!in_process_ && (!in_.empty() || readable_)) worker_.poller.again(this);
}

void ClientSession::become_idle() {
    state_ = State::idle;
    if (worker_.draining) return begin_close();
    if (!out_.empty()) return;  // on_drained() comes back: who still takes its answer is not idle
    worker_.wheel.set(*this, worker_.snapshot->shared->config->client.idle_timeout);
    join_idle();
}

void ClientSession::answer_aborted(std::string_view reason) {
    request_->exchange.reason = reason;
    end_exchange();
    if (!flush_batch()) return;
    // HTTP/1.0 and tunnels know the end of a body by the FIN alone: only a RST says "cut off". For the others
    // the missing end of the framing says it, and a RST says it sooner.
    stream_.abort();
    close();
}

// Metrics and access log: the one place that every request passes at its end.
void ClientSession::end_exchange() {
    if (!request_) return;
    std::unique_ptr<ActiveRequest> request = std::move(request_);
    Exchange& exchange = request->exchange;
    request->forwarder.abandon();
    if (exchange.status != 0 || state_ == State::handling) {
        const std::uint64_t duration = exchange.microseconds_until(worker_.poller.now());
        observe::RouteStats& stats = exchange.route ? *exchange.snapshot->route_stats[exchange.route_index]
                                                    : *exchange.snapshot->unmatched;
        const unsigned status = exchange.status != 0 ? exchange.status : 499;
        stats.by_class[std::min<std::size_t>(status / 100, stats.by_class.size() - 1)].add();
        stats.bytes_in.add(exchange.bytes_in);
        stats.bytes_out.add(exchange.bytes_out);
        stats.duration.record(duration);
        worker_.stats.requests_finished.add();
        const config::AccessLog& rules = exchange.snapshot->shared->config->access_log;
        const bool sampled =
            status >= 400 || rules.sample <= 1 || worker_.stats.requests_finished.value() % rules.sample == 0;
        if (worker_.log.enabled() && sampled && (!exchange.route || exchange.route->access_log)) {
            observe::AccessEntry entry;
            entry.time = exchange.started_wall;
            entry.route = exchange.route ? std::string_view(exchange.route->name) : std::string_view();
            entry.method = exchange.head.base() ? wire::to_string(exchange.method) : std::string_view();
            entry.path = exchange.log_path;
            entry.status = status;
            entry.bytes_in = exchange.bytes_in;
            entry.bytes_out = exchange.bytes_out;
            entry.duration_us = duration;
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
            worker_.log.write(entry);
        }
    }
    worker_.give_back(std::move(request));
}

void ClientSession::enter_tunnel() {
    state_ = State::tunnel;
    worker_.wheel.clear(*this);
    if (!in_.empty() || readable_) worker_.poller.again(this);
}

void ClientSession::tunnel_finished() {
    worker_.stats.tunnels_closed.add();
    end_exchange();
    want_close_ = true;
    begin_close();
}

void ClientSession::shutdown_write() {
    if (flush_batch() && out_.empty()) stream_.shutdown_write();  // else on_drained() does it
}

}  // namespace gateway::http
