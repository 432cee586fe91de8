// Forwarder: the answer on its way back, and tunnels.
#include "gateway/exchange/exchange.hpp"
#include "gateway/respond/forwarder.hpp"

namespace gateway::respond {

using exchange::Failed;
using exchange::Given;
using exchange::Reply;

namespace {

constexpr int kReadsPerTurn = 4;

// Of the body of an answer that waits for the decision whether somebody else is asked.
constexpr std::size_t kKeptBody = 16 * 1024;

// What the upstream said about itself: these count against an endpoint (docs/configuration.md, outlier). One
// that is busy and says so is not broken.
bool counts_as_failure(const wire::ResponseHead& answer) {
    const unsigned status = answer.status();
    return status == 502 || status == 504 || (status == 503 && !answer.shed());
}

bool is_event_stream(const wire::ResponseHead& answer) {
    static constexpr std::string_view kType = "text/event-stream";
    const std::string_view type = answer.value(wire::Header::content_type);
    return type.size() >= kType.size() && wire::equals_lower(type.substr(0, kType.size()), kType);
}

}  // namespace

void Forwarder::on_upstream_readable() {
    pump();
}

void Forwarder::on_client_ready() {
    if (state_ == State::exchanging || in_tunnel()) pump();
}

void Forwarder::pump() {
    upstream::Connection& connection = attempt_->connection();
    int reads = kReadsPerTurn;
    while (connection.readable() && !exchange_->side->full()) {
        if (reads-- == 0) return connection.again();
        const net::IoResult result = connection.read(worker_.scratch);
        if (result.bytes > 0 && !on_answer_bytes(worker_.scratch.data(), result.bytes)) return;
        if (result.status == net::IoStatus::closed || result.status == net::IoStatus::failed)
            return on_answer_end(result.status == net::IoStatus::failed);
        if (result.status == net::IoStatus::drained) break;
    }
    // The send that failed had left this to be read, and there was nothing.
    if (attempt_->request == Attempt::Request::refused && attempt_->progress == Attempt::Progress::nothing &&
        !connection.readable())
        attempt_failed(upstream::Failure::reset, Failed::upstream_reset);
}

bool Forwarder::on_answer_bytes(char* data, std::size_t size) {
    if (in_tunnel()) {
        attempt_->connection().set_deadline(exchange_->snapshot->shared->config->client.tunnel_idle_timeout);
        return exchange_->send_body({data, size}, false) == Given::taken;
    }
    if (answer_begun()) {
        arm(idle_);
        return relay(data, size);
    }
    if (keeping()) return on_kept_bytes(data, size);
    attempt_->progress = Attempt::Progress::some_bytes;
    const bool kept = !answer_bytes_.empty();
    if (kept) {
        answer_bytes_.append(data, size);
        data = answer_bytes_.data();
        size = answer_bytes_.size();
    }
    while (true) {
        const wire::ReadResult result = wire::read_response_head(
            {data, size}, exchange_->method, exchange_->snapshot->shared->answer_rules, attempt_->head);
        if (result.status == wire::ReadStatus::refused) {
            worker_.stats.refusals[static_cast<std::size_t>(result.refusal)].add();
            attempt_failed(upstream::Failure::bad_answer, Failed::upstream_bad_answer);
            return false;
        }
        if (result.status == wire::ReadStatus::incomplete) {
            if (!kept)
                answer_bytes_.assign(data, size);
            else
                answer_bytes_.erase(0, answer_bytes_.size() - size);
            return true;
        }
        data += result.consumed;
        size -= result.consumed;
        if (!attempt_->head.informational()) break;
        if (!on_informational()) return false;
        attempt_->head.clear();
        if (size == 0) {
            answer_bytes_.clear();
            return true;
        }
    }
    const bool more = on_answer_head(data, size);
    // Not before: what was read may lie in answer_bytes_. Not after the exchange is over: it is not ours any
    // more.
    if (more) answer_bytes_.clear();
    return more;
}

bool Forwarder::on_informational() {
    // 102: it is being worked on (RFC 2518 section 10.1), so the wait begins anew.
    if (attempt_->head.status() == 102 && request_body_ == Body::complete) arm(first_byte_);
    // 100 was answered by us; 103 (early hints) goes on.
    return attempt_->head.status() != 103 ||
           exchange_->side->informational(&attempt_->head, exchange_->runtime->response_headers) !=
               Given::gone;
}

bool Forwarder::on_answer_head(char* rest, std::size_t size) {
    const upstream::SteadyMs now = worker_.poller.now_ms();
    const wire::ResponseHead& answer = attempt_->head;
    const unsigned status = answer.status();
    exchange_->upstream_us = exchange_->microseconds_until(worker_.poller.now());
    if (status == 101) return open_tunnel({rest, size});
    attempt_->body.start(answer.body(), answer.content_length());
    const wire::BodyReader::Step step = attempt_->body.read(rest, size);
    if (step.refusal != wire::Refusal::none) {
        attempt_failed(upstream::Failure::bad_answer, Failed::upstream_bad_answer);
        return false;
    }
    const bool done = attempt_->body.done();
    const bool in_step = step.consumed == size;
    if (counts_as_failure(answer))
        attempt_->failed(now);
    else
        attempt_->answered(now);
    arm(idle_);
    // `on_status` knows none below (docs/configuration.md). What is shed on purpose is not asked for again.
    if (status >= 500 && !answer.shed() && step.data.size() <= kKeptBody &&
        decide(upstream::Failure::status, static_cast<std::uint16_t>(status)) != upstream::Verdict::give_up) {
        kept_head_.assign(answer.base(), static_cast<std::size_t>(rest - answer.base()));
        kept_body_.assign(step.data);
        attempt_->progress = Attempt::Progress::kept;
        return done ? repeat_kept(in_step) : true;
    }
    exchange::forget(kept_head_);
    exchange::forget(kept_body_);
    attempt_->progress = Attempt::Progress::head;
    if (!exchange_->route->end_with_client && is_event_stream(answer)) exchange_->ends_with_client = true;
    Reply reply = reply_with(answer);
    switch (exchange_->send_head(reply, step.data, done)) {
        case Given::taken:
            break;
        case Given::gone:
            return false;
        case Given::unwritable:
            exchange_->fail(Failed::upstream_bad_answer);
            return false;
    }
    if (!done) return true;
    finish(in_step);
    return false;
}

Reply Forwarder::reply_with(const wire::ResponseHead& answer) const {
    Reply reply;
    reply.status = answer.status();
    reply.upstream = &answer;
    switch (answer.body()) {
        case wire::BodyKind::none:
            if (answer.has_content_length() && answer.status() != 204) reply.size = Reply::Size::known;
            reply.length = answer.content_length();
            break;
        case wire::BodyKind::length:
            reply.size = Reply::Size::known;
            reply.length = answer.content_length();
            break;
        case wire::BodyKind::chunked:
        case wire::BodyKind::until_close:
            reply.size = Reply::Size::unknown;
            break;
    }
    return reply;
}

// More of an answer that is read to its end before somebody else is asked.
bool Forwarder::on_kept_bytes(char* data, std::size_t size) {
    arm(idle_);
    const wire::BodyReader::Step step = attempt_->body.read(data, size);
    if (step.refusal != wire::Refusal::none) {
        attempt_failed(upstream::Failure::bad_answer, Failed::upstream_bad_answer);
        return false;
    }
    kept_body_.append(step.data);
    const bool done = attempt_->body.done();
    const bool in_step = step.consumed == size;
    if (done) return repeat_kept(in_step);
    // Too large to be kept: it is the answer.
    return kept_body_.size() <= kKeptBody || send_kept_head(false);
}

bool Forwarder::repeat_kept(bool in_step) {
    const auto verdict =
        decide(upstream::Failure::status, static_cast<std::uint16_t>(attempt_->head.status()));
    if (reusable(in_step)) attempt_->give_back_connection();
    attempt_->progress = Attempt::Progress::head;
    if (!repeat(verdict, upstream::Failure::status)) pass_on_kept();
    return false;
}

// The answer that waited, to its end.
void Forwarder::pass_on_kept() {
    exchange::Exchange& exchange = *exchange_;
    if (!send_kept_head(true)) return;
    abandon();
    exchange.side->end();
}

// False: the exchange is over.
bool Forwarder::send_kept_head(bool last) {
    wire::ResponseHead head;
    head.clear();
    static_cast<void>(
        wire::read_response_head(kept_head_, exchange_->method, exchange_->snapshot->shared->rules, head));
    Reply reply = reply_with(head);
    if (last && head.body() != wire::BodyKind::none) {
        reply.size = Reply::Size::known;
        reply.length = kept_body_.size();
    }
    const Given given = exchange_->send_head(reply, kept_body_, last);
    if (given == Given::unwritable) exchange_->fail(Failed::upstream_bad_answer);
    if (given != Given::taken) return false;
    if (attempt_) attempt_->progress = Attempt::Progress::head;
    return true;
}

bool Forwarder::relay(char* data, std::size_t size) {
    const wire::BodyReader::Step step = attempt_->body.read(data, size);
    if (step.refusal != wire::Refusal::none) {
        attempt_->failed(worker_.poller.now_ms());
        exchange_->fail(Failed::upstream_bad_answer);
        return false;
    }
    const bool done = attempt_->body.done();
    if ((!step.data.empty() || done) && exchange_->send_body(step.data, done) != Given::taken) return false;
    if (!done) return true;
    finish(step.consumed == size);
    return false;
}

void Forwarder::on_answer_end(bool error) {
    if (in_tunnel()) {
        if (error || state_ == State::tunnel_client_ended) return end_tunnel();
        if (state_ == State::tunnel_upstream_ended) return;
        state_ = State::tunnel_upstream_ended;
        exchange_->send_body({}, true);
        return;
    }
    if (!answer_begun()) {
        // A piece of a head is an answer that has begun: whether it may be asked for again is not known.
        const bool whole = keeping() && attempt_->body.kind() == wire::BodyKind::until_close && !error;
        if (whole) return static_cast<void>(repeat_kept(false));
        if (attempt_->progress != Attempt::Progress::nothing)
            return attempt_failed(upstream::Failure::bad_answer, Failed::upstream_bad_answer);
        return attempt_failed(upstream::Failure::reset, Failed::upstream_reset);
    }
    if (attempt_->body.kind() == wire::BodyKind::until_close && !error) {
        if (exchange_->send_body({}, true) == Given::taken) finish(false);
        return;
    }
    attempt_->failed(worker_.poller.now_ms());
    exchange_->fail(Failed::upstream_reset);
}

// The connection is of use only if the whole request went out and the whole answer came in. `in_step`: no
// byte came behind the answer.
bool Forwarder::reusable(bool in_step) const {
    const upstream::Connection& connection = attempt_->connection();
    return in_step && attempt_->head.keep_alive() && request_body_ == Body::complete &&
           attempt_->request == Attempt::Request::open && !connection.backlog() && !connection.batched() &&
           attempt_->body.kind() != wire::BodyKind::until_close;
}

void Forwarder::finish(bool in_step) {
    exchange::Exchange& exchange = *exchange_;
    attempt_->completed(worker_.poller.now_ms());
    if (reusable(in_step)) attempt_->give_back_connection();
    abandon();
    exchange.side->end();
}

bool Forwarder::open_tunnel(std::string_view rest) {
    const wire::ResponseHead& answer = attempt_->head;
    const upstream::SteadyMs now = worker_.poller.now_ms();
    attempt_->progress = Attempt::Progress::head;
    if (!exchange_->websocket || !answer.upgrade_websocket() ||
        answer.value(wire::Header::sec_websocket_accept) != accept_) {
        attempt_->failed(now);
        exchange_->fail(Failed::upgrade_refused);
        return false;
    }
    attempt_->answered(now);
    attempt_->completed(now);
    Reply reply;
    reply.status = 101;
    reply.upstream = &answer;
    // A tunnel may last for days: it holds no place in the limits of requests.
    release_places();
    attempt_->connection().set_deadline(exchange_->snapshot->shared->config->client.tunnel_idle_timeout);
    state_ = State::tunnel;
    switch (exchange_->send_tunnel(reply, rest)) {
        case Given::taken:
            exchange_->side->want_body();
            return true;
        case Given::gone:
            return false;
        case Given::unwritable:
            break;
    }
    exchange_->fail(Failed::upstream_bad_answer);
    return false;
}

void Forwarder::end_tunnel() {
    exchange::Exchange& exchange = *exchange_;
    abandon();
    exchange.side->end();
}

}  // namespace gateway::respond
