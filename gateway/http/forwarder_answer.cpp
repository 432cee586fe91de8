// Forwarder: the answer on its way back, and tunnels.
#include <algorithm>

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
    while (connection_->readable() && !session_->backlog()) {
        if (reads-- == 0) {
            connection_->again();
            break;
        }
        const net::IoResult result = connection_->read(worker_.scratch);
        if (result.bytes > 0) {
            const bool more = on_answer_bytes(worker_.scratch.data(), result.bytes);
            if (!more || serial != serial_ || !connection_) {
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
    answer_any_byte_ = true;
    if (state_ == State::tunnel) {
        connection_->set_deadline(exchange_.snapshot->shared->config->client.tunnel_idle_timeout);
        exchange_.bytes_out += size;
        return session_->send({data, size}) != ClientSession::Sent::failed;
    }
    if (answer_head_done_) {
        arm(idle_);
        return relay({}, data, size);
    }
    const bool kept = !answer_bytes_.empty();
    if (kept) {
        answer_bytes_.append(data, size);
        data = answer_bytes_.data();
        size = answer_bytes_.size();
    }
    while (true) {
        const wire::ReadResult result = wire::read_response_head({data, size}, exchange_.method,
                                                                 exchange_.snapshot->shared->rules, answer_);
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
        if (!answer_.informational()) break;
        if (!on_informational()) return false;
        answer_.clear();
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
    if (++informational_ > kMostInformational) {
        attempt_failed(upstream::Failure::bad_answer, Failed::upstream_bad_answer);
        return false;
    }
    // 100 was answered by us; 103 (early hints) goes on to clients that can know it.
    if (answer_.status() != 103 || exchange_.version_minor == 0) return true;
    wire::Output out(worker_.output.data(), worker_.output.size());
    if (!wire::write_informational_head(out, answer_)) return true;
    return session_->send(out.view()) != ClientSession::Sent::failed;
}

bool Forwarder::on_answer_head(char* rest, std::size_t size) {
    const upstream::SteadyMs now = worker_.poller.now_ms();
    const unsigned status = answer_.status();
    if (counts_as_failure(status)) {
        const auto& wanted = cluster_->cluster().settings().retry.on_status;
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), status) != wanted.end() &&
            wire::idempotent(exchange_.method) && kept_ && route_retries_ &&
            exchange_.retries < cluster_->cluster().settings().retry.attempts && cluster_->has_choice()) {
            attempt_failed(upstream::Failure::status, Failed::upstream_bad_answer,
                           static_cast<std::uint16_t>(status));
            return false;
        }
    }
    if (breaker_open_entry_) {
        breaker_open_entry_ = false;
        if (counts_as_failure(status))
            cluster_->cluster().record_failure(pool_->endpoint(), now);
        else
            cluster_->cluster().record_success(pool_->endpoint(), last_resort_, now);
    }
    answer_head_done_ = true;
    exchange_.upstream_us = exchange_.microseconds_until(worker_.poller.now());
    if (status == 101) return open_tunnel(rest, size);

    wire::ClientResponse out;
    out.client_version_minor = exchange_.version_minor;
    bool possible = true;
    switch (answer_.body()) {
        case wire::BodyKind::none:
            out.body = wire::BodyKind::none;
            out.write_content_length = answer_.has_content_length() && status != 204;
            out.content_length = answer_.content_length();
            break;
        case wire::BodyKind::length:
            out.body = wire::BodyKind::length;
            out.content_length = answer_.content_length();
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
    if (!answer_.has(wire::Header::date))
        exchange_.response_additions.push_back({"Date", worker_.date, wire::Addition::Mode::set});
    out.additions = exchange_.response_additions;
    wire::Output buffer(worker_.output.data(), worker_.output.size());
    if (!wire::write_response_head(buffer, answer_, out)) {
        fail(answer_for(Failed::upstream_bad_answer));
        return false;
    }
    exchange_.status = status;
    answer_started_ = true;
    body_.start(answer_.body(), answer_.content_length());
    arm(idle_);
    return relay(buffer.view(), rest, size);
}

bool Forwarder::relay(std::string_view head, char* data, std::size_t size) {
    const BodyReader::Step step = body_.read(data, size);
    if (step.refusal != wire::Refusal::none) {
        fail(answer_for(Failed::upstream_bad_answer));
        return false;
    }
    const bool done = body_.done();
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
    if (!answer_head_done_) {
        // A piece of a head is an answer that has begun: whether it may be asked for again is not known.
        if (answer_any_byte_)
            return attempt_failed(upstream::Failure::bad_answer, Failed::upstream_bad_answer);
        return attempt_failed(upstream::Failure::reset, Failed::upstream_reset);
    }
    if (body_.kind() == wire::BodyKind::until_close && !error) {
        if (chunked_down_ && session_->send(wire::kLastChunk) == ClientSession::Sent::failed) return;
        return finish(false);
    }
    cluster_->cluster().record_failure(pool_->endpoint(), worker_.poller.now_ms());
    fail(answer_for(Failed::upstream_reset));
}

void Forwarder::finish(bool reusable) {
    ClientSession* session = session_;
    // The connection is in step only if the whole request went out and the whole answer came in.
    if (reusable && answer_.keep_alive() && body_complete_ && !request_broken_ && !connection_->backlog() &&
        !connection_->batched() && body_.kind() != wire::BodyKind::until_close)
        connection_->pool().give_back(std::move(connection_));
    abandon();
    session->answer_finished();
}

bool Forwarder::open_tunnel(char* rest, std::size_t size) {
    if (!exchange_.websocket || !answer_.upgrade_websocket() ||
        answer_.value(wire::Header::sec_websocket_accept) != accept_) {
        fail(answer_for(Failed::upgrade_refused));
        return false;
    }
    wire::ClientResponse out;
    out.upgrade_websocket = true;
    out.request_id = exchange_.request_id;
    out.additions = exchange_.response_additions;
    wire::Output buffer(worker_.output.data(), worker_.output.size());
    if (!wire::write_response_head(buffer, answer_, out)) {
        fail(answer_for(Failed::upstream_bad_answer));
        return false;
    }
    exchange_.status = 101;
    answer_started_ = true;
    state_ = State::tunnel;
    worker_.stats.tunnels_opened.add();
    // A tunnel may last for days: it holds no place in the limits of requests.
    release_places();
    connection_->set_deadline(exchange_.snapshot->shared->config->client.tunnel_idle_timeout);
    exchange_.bytes_out += size;
    if (session_->send(buffer.view(), {rest, size}) == ClientSession::Sent::failed) return false;
    session_->enter_tunnel();
    return true;
}

void Forwarder::on_tunnel_bytes(std::string_view bytes) {
    exchange_.bytes_in += bytes.size();
    connection_->set_deadline(exchange_.snapshot->shared->config->client.tunnel_idle_timeout);
    if (connection_->send(bytes) == upstream::Connection::Sent::failed) on_answer_end(true);
}

void Forwarder::on_tunnel_client_end() {
    client_ended_ = true;
    if (upstream_ended_) {
        ClientSession* session = session_;
        abandon();
        return session->tunnel_finished();
    }
    if (!connection_->backlog()) connection_->shutdown_write();
}

}  // namespace gateway::http
