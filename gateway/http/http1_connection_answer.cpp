// Http1Connection: answers in the form of HTTP/1, and what the socket takes of them.
#include <algorithm>

#include "gateway/http/http1_connection.hpp"

namespace gateway::http {

using exchange::Given;
using exchange::Reply;
using std::chrono::milliseconds;
using Sent = net::Outbox::Sent;

namespace {

constexpr milliseconds kDrainTimeout{5'000};
// Below this, payload is copied behind the head: one send of one piece is cheaper than sendmsg.
constexpr std::size_t kCopyBytes = 4096;

}  // namespace

// Whether the connection goes on after this answer.
void Http1Connection::decide_keep_alive(const Reply& reply) {
    const exchange::Exchange& exchange = request_->exchange;
    const config::Client& rules = worker_.snapshot->shared->config->client;
    const bool until_close = reply.size == Reply::Size::unknown && exchange.version_minor == 0;
    // Draining: from its first moment, long before idle connections close: a client that sends its next
    // request just when its connection closes cannot tell whether that was taken.
    if (reply.close || until_close || worker_.shared.draining.load(std::memory_order_relaxed) ||
        (rules.max_requests_per_connection != 0 && requests_ >= rules.max_requests_per_connection))
        after_ = After::close;
    // An unread body that is too long to be read away, or that may never come.
    if (!body_.done() && (exchange.head.expect_continue() || body_.remaining() > rules.drain_bytes))
        after_ = After::close;
}

Given Http1Connection::head(const Reply& reply, std::string_view first, bool last) {
    decide_keep_alive(reply);
    wire::ClientResponse add;
    add.client_version_minor = request_->exchange.version_minor;
    framing_ = Framing::plain;
    switch (reply.size) {
        case Reply::Size::absent:
            break;
        case Reply::Size::known:
            add.body = wire::BodyKind::length;
            add.content_length = reply.length;
            break;
        case Reply::Size::unknown:
            // HTTP/1.0 knows no chunks: the FIN is the end.
            add.body = add.client_version_minor == 0 ? wire::BodyKind::until_close : wire::BodyKind::chunked;
            if (add.body == wire::BodyKind::chunked) framing_ = Framing::chunked;
            break;
    }
    add.keep_alive = after_ == After::keep;
    // The kind of the answer may say so only now.
    if (!last && left()) {
        client_gone("client_gone");
        return Given::gone;
    }
    wire::Output out(worker_.answer_head.data(), worker_.answer_head.size());
    return write_head(out, reply, add) ? hand_out(out, first, last) : Given::unwritable;
}

Given Http1Connection::tunnel(const Reply& reply, std::string_view first) {
    wire::ClientResponse add;
    add.upgrade_websocket = true;
    framing_ = Framing::plain;
    wire::Output out(worker_.answer_head.data(), worker_.answer_head.size());
    if (!write_head(out, reply, add)) return Given::unwritable;
    state_ = State::tunnel;
    inflow_ = Inflow::held;
    after_ = After::close;
    worker_.stats.tunnels_opened.add();
    worker_.wheel.clear(*this);
    return hand_out(out, first, false);
}

// The one place where an answer's head gets its form, whoever answers.
bool Http1Connection::write_head(wire::Output& out, const Reply& reply, wire::ClientResponse& add) {
    add.request_id = reply.request_id;
    add.additions = reply.additions;
    add.own = reply.fields;
    return reply.upstream ? wire::write_response_head(out, *reply.upstream, add)
                          : wire::write_own_response_head(out, reply.status, add);
}

Given Http1Connection::informational(const wire::ResponseHead* lines,
                                     std::span<const wire::Addition> overrides) {
    if (!lines) return send("HTTP/1.1 100 Continue\r\n\r\n");
    // HTTP/1.0 does not know them.
    if (request_->exchange.version_minor == 0) return Given::taken;
    wire::Output out(worker_.answer_head.data(), worker_.answer_head.size());
    return wire::write_informational_head(out, *lines, overrides) ? send(out.view()) : Given::taken;
}

Given Http1Connection::body(std::string_view data, bool last) {
    wire::Output out(worker_.answer_head.data(), worker_.answer_head.size());
    const Given given = hand_out(out, data, last);
    if (last && given == Given::taken && in_tunnel()) {
        state_ = State::tunnel_ending;
        if (flush_batch() && out_.empty()) stream_.shutdown_write();  // else on_drained() does it
    }
    return given;
}

// Puts the framing round `data`; what stands in `out` goes before it.
Given Http1Connection::hand_out(wire::Output& out, std::string_view data, bool last) {
    const bool with_head = out.size() != 0;
    std::string_view end;
    if (framing_ == Framing::chunked) {
        // Right behind the head, so that there are never more than three pieces.
        if (!data.empty()) out.text(wire::ChunkHeader(data.size()).view());
        end = data.empty() ? (last ? wire::kLastChunk : "") : (last ? "\r\n0\r\n\r\n" : wire::kChunkEnd);
    }
    if (with_head && data.size() <= kCopyBytes && data.size() + end.size() <= out.room()) {
        out.text(data);
        out.text(end);
        return send(out.view());
    }
    if (out.size() == 0 && data.empty() && end.empty()) return Given::taken;
    return send(out.view(), data, end);
}

Given Http1Connection::send(std::string_view first, std::string_view second, std::string_view third) {
    const bool kept_before = full();
    switch (out_.send(worker_.poller.batch(), stream_, *this, first, second, third)) {
        case Sent::failed:
            client_gone("client_gone");
            return Given::gone;
        case Sent::kept:
            if (!kept_before) await_client();
            break;
        case Sent::all:
            break;
    }
    return Given::taken;
}

bool Http1Connection::flush_batch() {
    if (!stream_.batched()) return true;
    on_batch_sent(worker_.poller.batch().flush(stream_));
    return state_ != State::closed;
}

void Http1Connection::on_batch_sent(const net::SendBatch::Outcome& outcome) {
    const Sent sent = out_.take(outcome);
    if (sent == Sent::failed) client_gone("client_gone");
    if (sent == Sent::kept) await_client();
}

void Http1Connection::flush() {
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
void Http1Connection::await_client() {
    stop_waiting();
    worker_.wheel.set(*this, worker_.snapshot->shared->config->client.write_timeout);
}

void Http1Connection::on_drained() {
    worker_.wheel.clear(*this);
    switch (state_) {
        case State::tunnel_ending:
            stream_.shutdown_write();
            [[fallthrough]];
        case State::tunnel:
            return request_->exchange.responder->on_client_ready();
        case State::handling:
            if (!body_.done()) body_deadline();
            return request_->exchange.responder->on_client_ready();
        case State::reading_head:  // begun behind the answers before
            wait_as(Waiting::idle);
            return worker_.wheel.set(*this, worker_.snapshot->shared->config->client.head_timeout);
        case State::closing:
            return begin_close();
        case State::draining_body:
            await_rest();
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

// Of a body that nobody wants any more.
void Http1Connection::await_rest() {
    worker_.wheel.set(*this, kDrainTimeout);
    wait_as(Waiting::expendable);
}

void Http1Connection::end() {
    end_exchange();
    if (after_ == After::close) return begin_close();
    if (!body_.done()) {
        state_ = State::draining_body;
        body_read_ = 0;
        if (out_.empty()) await_rest();
    } else {
        become_idle();
    }
    if (!in_process_ && (!in_.empty() || readable_)) worker_.poller.again(this);
}

void Http1Connection::cut(std::string_view reason) {
    request_->exchange.reason = reason;
    request_->exchange.cut_off = true;
    end_exchange();
    if (!flush_batch()) return;
    // HTTP/1.0 and tunnels know the end of a body by the FIN alone: only a RST says "cut off". For the others
    // the missing end of the framing says it, and a RST says it sooner.
    stream_.abort();
    close();
}

}  // namespace gateway::http
