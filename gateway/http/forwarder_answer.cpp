// Forwarder: the answer on its way back, and tunnels.
#include "gateway/http/client_session.hpp"
#include "gateway/http/forwarder.hpp"

namespace gateway::http {

namespace {

// Below this, payload is copied behind the head: one send of one piece is cheaper than sendmsg.
constexpr std::size_t kCopyBytes = 4096;
constexpr int kReadsPerTurn = 4;
constexpr std::uint8_t kMostInformational = 8;

// What the upstream said about itself: these count against an endpoint (docs/configuration.md, outlier).
bool counts_as_failure(unsigned status) {
    return status == 502 || status == 503 || status == 504;
}

}  // namespace

void Forwarder::on_upstream_readable() {
    pump();
}

void Forwarder::on_client_drained() {
    if (state_ == State::exchanging || state_ == State::tunnel) pump();
}

void Forwarder::pump() {
    if (pumping_) return;
    pumping_ = true;
    const std::uint64_t serial = serial_;
    int reads = kReadsPerTurn;
    while (attempt_->connection().readable() && !session_->backlog()) {
        if (reads-- == 0) {
            attempt_->connection().again();
            break;
        }
        const net::IoResult result = attempt_->connection().read(worker_.scratch);
        if (result.bytes > 0) {
            const bool more = on_answer_bytes(worker_.scratch.data(), result.bytes);
            if (!more || serial != serial_) {
                pumping_ = false;
                return;
            }
        }
        if (result.status == net::IoStatus::closed || result.status == net::IoStatus::failed) {
            pumping_ = false;
            return on_answer_end(result.status == net::IoStatus::failed);
        }
        if (result.status == net::IoStatus::drained) break;
    }
    pumping_ = false;
}

bool Forwarder::on_answer_bytes(char* data, std::size_t size) {
    if (state_ == State::tunnel) {
        attempt_->connection().set_deadline(exchange_.snapshot->shared->config->client.tunnel_idle_timeout);
        exchange_.bytes_out += size;
        return session_->send({data, size}) != ClientSession::Sent::failed;
    }
    if (attempt_->progress == Attempt::Progress::head) {
        arm(idle_);
        return relay({}, data, size);
    }
    attempt_->progress = Attempt::Progress::some_bytes;
    const bool kept = !answer_bytes_.empty();
    if (kept) {
        answer_bytes_.append(data, size);
        data = answer_bytes_.data();
        size = answer_bytes_.size();
    }
    while (true) {
        const wire::ReadResult result = wire::read_response_head(
            {data, size}, exchange_.method, exchange_.snapshot->shared->rules, attempt_->head);
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
    if (++attempt_->informational > kMostInformational) {
        attempt_failed(upstream::Failure::bad_answer, Failed::upstream_bad_answer);
        return false;
    }
    // 100 was answered by us; 103 (early hints) goes on to clients that can know it.
    if (attempt_->head.status() != 103 || exchange_.version_minor == 0) return true;
    wire::Output out(worker_.output.data(), worker_.output.size());
    if (!wire::write_informational_head(out, attempt_->head)) return true;
    return session_->send(out.view()) != ClientSession::Sent::failed;
}

bool Forwarder::on_answer_head(char* rest, std::size_t size) {
    const upstream::SteadyMs now = worker_.poller.now_ms();
    const wire::ResponseHead& answer = attempt_->head;
    const unsigned status = answer.status();
    if (counts_as_failure(status))
        attempt_->failed(now);
    else
        attempt_->succeeded(now);
    // `on_status` knows none below (docs/configuration.md).
    if (status >= 500) {
        const auto verdict = decide(upstream::Failure::status, static_cast<std::uint16_t>(status));
        if (repeat(verdict, upstream::Failure::status)) return false;
    }
    attempt_->progress = Attempt::Progress::head;
    exchange_.upstream_us = exchange_.microseconds_until(worker_.poller.now());
    if (status == 101) return open_tunnel(rest, size);

    wire::ClientResponse out;
    out.client_version_minor = exchange_.version_minor;
    bool possible = true;
    switch (answer.body()) {
        case wire::BodyKind::none:
            out.body = wire::BodyKind::none;
            out.write_content_length = answer.has_content_length() && status != 204;
            out.content_length = answer.content_length();
            break;
        case wire::BodyKind::length:
            out.body = wire::BodyKind::length;
            out.content_length = answer.content_length();
            break;
        case wire::BodyKind::chunked:
        case wire::BodyKind::until_close:
            if (exchange_.version_minor == 0) {
                out.body = wire::BodyKind::until_close;
                possible = false;
            } else {
                out.body = wire::BodyKind::chunked;
                chunked_down_ = true;
            }
            break;
    }
    out.keep_alive = session_->decide_keep_alive(possible);
    out.request_id = exchange_.request_id;
    if (!answer.has(wire::Header::date))
        exchange_.response_additions.push_back({"Date", worker_.date, wire::Addition::Mode::set});
    out.additions = exchange_.response_additions;
    wire::Output buffer(worker_.output.data(), worker_.output.size());
    if (!wire::write_response_head(buffer, answer, out)) {
        fail(answer_for(Failed::upstream_bad_answer));
        return false;
    }
    exchange_.status = status;
    answer_started_ = true;
    attempt_->body.start(answer.body(), answer.content_length());
    arm(idle_);
    return relay(buffer.view(), rest, size);
}

bool Forwarder::relay(std::string_view head, char* data, std::size_t size) {
    const BodyReader::Step step = attempt_->body.read(data, size);
    if (step.refusal != wire::Refusal::none) {
        fail(answer_for(Failed::upstream_bad_answer));
        return false;
    }
    const bool done = attempt_->body.done();
    const bool more_than_asked =
        step.consumed < size;  // bytes behind the answer: this connection is not in step
    exchange_.bytes_out += step.data.size();

    wire::ChunkHeader chunk(step.data.empty() ? 1 : step.data.size());
    std::string_view end;
    std::string_view before = head;
    if (chunked_down_) {
        if (!step.data.empty()) {
            // The chunk's size goes right behind the head, so that there are never more than three pieces.
            if (!head.empty()) {
                wire::Output out(worker_.output.data(), worker_.output.size());
                out.advance(head.size());
                out.text(chunk.view());
                before = out.view();
            } else {
                before = chunk.view();
            }
        }
        end = step.data.empty() ? (done ? wire::kLastChunk : "") : (done ? "\r\n0\r\n\r\n" : wire::kChunkEnd);
    }
    if (!before.empty() || !step.data.empty() || !end.empty()) {
        ClientSession::Sent sent;
        if (!head.empty() && step.data.size() <= kCopyBytes) {
            wire::Output out(worker_.output.data(), worker_.output.size());
            out.advance(before.size());
            out.text(step.data);
            out.text(end);
            sent = session_->send(out.view());
        } else {
            sent = session_->send(before, step.data, end);
        }
        if (sent == ClientSession::Sent::failed) return false;
    }
    if (!done) return true;
    finish(!more_than_asked);
    return false;
}

void Forwarder::on_answer_end(bool error) {
    if (state_ == State::tunnel) {
        upstream_ended_ = true;
        if (error || client_ended_) {
            ClientSession* session = session_;
            abandon();
            return session->tunnel_finished();
        }
        return session_->shutdown_write();
    }
    if (attempt_->progress != Attempt::Progress::head) {
        // A piece of a head is an answer that has begun: whether it may be asked for again is not known.
        if (attempt_->progress == Attempt::Progress::some_bytes)
            return attempt_failed(upstream::Failure::bad_answer, Failed::upstream_bad_answer);
        return attempt_failed(upstream::Failure::reset, Failed::upstream_reset);
    }
    if (attempt_->body.kind() == wire::BodyKind::until_close && !error) {
        if (chunked_down_ && session_->send(wire::kLastChunk) == ClientSession::Sent::failed) return;
        return finish(false);
    }
    attempt_->cut_off(worker_.poller.now_ms());
    fail(answer_for(Failed::upstream_reset));
}

void Forwarder::finish(bool reusable) {
    ClientSession* session = session_;
    // The connection is in step only if the whole request went out and the whole answer came in.
    upstream::Connection& connection = attempt_->connection();
    if (reusable && attempt_->head.keep_alive() && body_complete_ &&
        attempt_->request == Attempt::Request::open && !connection.backlog() && !connection.batched() &&
        attempt_->body.kind() != wire::BodyKind::until_close)
        attempt_->give_back_connection();
    abandon();
    session->answer_finished();
}

bool Forwarder::open_tunnel(char* rest, std::size_t size) {
    if (!exchange_.websocket || !attempt_->head.upgrade_websocket() ||
        attempt_->head.value(wire::Header::sec_websocket_accept) != accept_) {
        fail(answer_for(Failed::upgrade_refused));
        return false;
    }
    wire::ClientResponse out;
    out.upgrade_websocket = true;
    out.request_id = exchange_.request_id;
    out.additions = exchange_.response_additions;
    wire::Output buffer(worker_.output.data(), worker_.output.size());
    if (!wire::write_response_head(buffer, attempt_->head, out)) {
        fail(answer_for(Failed::upstream_bad_answer));
        return false;
    }
    exchange_.status = 101;
    answer_started_ = true;
    state_ = State::tunnel;
    worker_.stats.tunnels_opened.add();
    // A tunnel may last for days: it holds no place in the limits of requests.
    release_places();
    attempt_->connection().set_deadline(exchange_.snapshot->shared->config->client.tunnel_idle_timeout);
    exchange_.bytes_out += size;
    if (session_->send(buffer.view(), {rest, size}) == ClientSession::Sent::failed) return false;
    session_->enter_tunnel();
    return true;
}

void Forwarder::on_tunnel_bytes(std::string_view bytes) {
    exchange_.bytes_in += bytes.size();
    attempt_->connection().set_deadline(exchange_.snapshot->shared->config->client.tunnel_idle_timeout);
    if (attempt_->connection().send(bytes) == upstream::Connection::Sent::failed) on_answer_end(true);
}

void Forwarder::on_tunnel_client_end() {
    client_ended_ = true;
    if (upstream_ended_) {
        ClientSession* session = session_;
        abandon();
        return session->tunnel_finished();
    }
    if (!attempt_->connection().backlog()) attempt_->connection().shutdown_write();
}

}  // namespace gateway::http
