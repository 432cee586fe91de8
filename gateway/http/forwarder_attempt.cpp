// Forwarder: one attempt after the other, with the request's body.
#include "gateway/http/client_session.hpp"
#include "gateway/http/forwarder.hpp"

namespace gateway::http {

using std::chrono::milliseconds;

namespace {

// Body bytes that are kept so that an idempotent request can be sent again, and that may wait for a
// connection.
constexpr std::size_t kReplayBytes = 64 * 1024;
constexpr std::size_t kPendingBytes = 32 * 1024;

}  // namespace

void Forwarder::attempt() {
    const upstream::SteadyMs now = worker_.poller.now_ms();
    upstream::Cluster& cluster = cluster_->cluster();
    upstream::CircuitBreaker::Permit permit = cluster.breaker.allow(now);
    if (!permit) {
        Answer refusal = answer_for(Failed::circuit_open);
        refusal.retry_after_s = static_cast<unsigned>((cluster.breaker.retry_in(now) + 999) / 1000);
        return fail(refusal);
    }
    const upstream::WorkerCluster::Choice choice = cluster_->pick(hash_key_, avoid_);
    avoid_ = choice.pool;
    if (!choice.pool) {
        cluster.ask_resolve();
        return fail(answer_for(Failed::no_endpoint));
    }
    attempt_.emplace(std::move(permit), choice, answer_bytes_);
    const upstream::Endpoint& endpoint = attempt_->endpoint();
    exchange_.upstream = exchange_.text.keep(endpoint.address_text());
    name_endpoint(endpoint);
    // A request that must not be sent twice is not sent into a connection that the kernel knows to be dead.
    if (!fresh_only_ && attempt_->take_idle(*this, !wire::idempotent(exchange_.method)))
        return send_request();
    if (!choice.pool->may_connect()) {
        attempt_.reset();
        if (!cluster.in_flight.limited()) return fail(answer_for(Failed::overloaded));
        cluster_place_.reset();
        return wait_for_place(cluster.in_flight);
    }
    worker_.stats.upstream_connects.add();
    state_ = State::connecting;
    if (!attempt_->connect(*this, within_total(cluster.settings().timeouts.connect))) {
        worker_.stats.upstream_connect_failures.add();
        attempt_failed(upstream::Failure::connect, Failed::connect_failed);
    }
}

void Forwarder::on_upstream_connected() {
    send_request();
}

void Forwarder::on_upstream_connect_failed(std::string_view) {
    worker_.stats.upstream_connect_failures.add();
    cluster_->cluster().ask_resolve();
    attempt_failed(upstream::Failure::connect, Failed::connect_failed);
}

void Forwarder::send_request() {
    state_ = State::exchanging;
    attempt_->connection().count_request();
    const upstream::Connection::Sent sent = attempt_->connection().send(head_, pending_);
    if (sent == upstream::Connection::Sent::failed) {
        on_upstream_send_failed();
        return;
    }
    keep_for_replay();
    arm(body_complete_ ? first_byte_ : idle_);
    if (body_complete_) return;
    if (expect_continue_) {
        // The client holds its body back until it knows that somebody wants it.
        expect_continue_ = false;
        if (session_->send("HTTP/1.1 100 Continue\r\n\r\n") == ClientSession::Sent::failed) return;
    }
    session_->resume_body();
}

void Forwarder::keep_for_replay() {
    if (pending_.empty()) return;
    if (wire::idempotent(exchange_.method) && pending_.size() <= kReplayBytes) return;
    kept_ = false;
    forget(pending_);
}

bool Forwarder::wants_body() const {
    switch (state_) {
        case State::exchanging:
            return attempt_->request == Attempt::Request::refused || !attempt_->connection().backlog();
        case State::tunnel:
            return !attempt_->connection().backlog();
        case State::queued:
        case State::backing_off:
        case State::connecting:
            return !expect_continue_ && pending_.size() < kPendingBytes;
        default:
            return false;
    }
}

void Forwarder::on_body(std::string_view data, bool last) {
    body_complete_ = last;
    if (state_ == State::idle) return;
    const bool sending = state_ == State::exchanging;
    if (sending && attempt_->request == Attempt::Request::refused) return;
    std::string_view before;
    std::string_view after;
    wire::ChunkHeader chunk(data.empty() ? 1 : data.size());
    if (chunked_up_) {
        if (!data.empty()) before = chunk.view();
        after = data.empty() ? (last ? wire::kLastChunk : "") : (last ? "\r\n0\r\n\r\n" : wire::kChunkEnd);
    }
    if (!sending || kept_) {
        if (!sending || (wire::idempotent(exchange_.method) &&
                         pending_.size() + data.size() + before.size() + after.size() <= kReplayBytes)) {
            pending_.append(before).append(data).append(after);
        } else {
            kept_ = false;
            forget(pending_);
        }
    }
    if (!sending) return;
    if (attempt_->connection().send(before, data, after) == upstream::Connection::Sent::failed)
        return on_upstream_send_failed();
    arm(last && !attempt_->connection().backlog() ? first_byte_ : idle_);
}

void Forwarder::on_upstream_drained() {
    if (state_ == State::tunnel) {
        if (client_ended_) attempt_->connection().shutdown_write();
        session_->resume_body();
        return;
    }
    if (attempt_->progress != Attempt::Progress::head) arm(body_complete_ ? first_byte_ : idle_);
    session_->resume_body();
}

// The peer takes no more. It may have answered before it closed (413, 401): what has arrived is read first.
void Forwarder::on_upstream_send_failed() {
    if (state_ == State::tunnel) return on_answer_end(true);
    attempt_->request = Attempt::Request::refused;
    const std::uint64_t serial = serial_;
    if (!pumping_ && attempt_->connection().readable()) {
        pump();
        if (serial != serial_ || state_ != State::exchanging ||
            attempt_->request != Attempt::Request::refused)
            return;
    }
    if (attempt_->progress != Attempt::Progress::nothing) return;  // goes on until the upstream ends
    attempt_failed(upstream::Failure::reset, Failed::upstream_reset);
}

upstream::Verdict Forwarder::decide(upstream::Failure failure, std::uint16_t status) const {
    upstream::LostAttempt lost;
    lost.failure = failure;
    lost.status = status;
    lost.pooled = attempt_->pooled();
    lost.idempotent = wire::idempotent(exchange_.method);
    lost.websocket = exchange_.websocket;
    lost.replayable = kept_;
    lost.answer_started = answer_started_;
    lost.time_is_up = total_over();
    lost.route_allows = exchange_.route->retry.value_or(true);
    lost.has_choice = cluster_->has_choice();
    lost.draining = worker_.draining;
    lost.silent_used = silent_used_;
    lost.used = exchange_.retries;
    return upstream::decide(cluster_->cluster().settings().retry, lost);
}

// Ends the attempt and begins another one, now or after the back-off. False: there is none.
bool Forwarder::repeat(upstream::Verdict verdict, upstream::Failure failure) {
    if (verdict == upstream::Verdict::give_up) return false;
    if (verdict == upstream::Verdict::again_silently) {
        attempt_.reset();
        silent_used_ = true;
        fresh_only_ = true;
        worker_.stats.silent_retries.add();
        avoid_ = nullptr;
        attempt();
        return true;
    }
    if (!cluster_->budget().take(worker_.poller.now_ms())) {
        worker_.stats.retries_over_budget.add();
        return false;
    }
    attempt_.reset();
    ++exchange_.retries;
    worker_.stats.retries.add();
    fresh_only_ = failure != upstream::Failure::status;
    // Full jitter, so that those who failed together do not come back together.
    const auto base = static_cast<std::uint64_t>(cluster_->cluster().settings().retry.backoff.count());
    const auto wait = base == 0 ? 0 : worker_.ids.next() % (2 * base + 1);
    if (wait < 50) {
        attempt();
    } else {
        state_ = State::backing_off;
        worker_.wheel.set(*this, milliseconds(wait));
    }
    return true;
}

void Forwarder::attempt_failed(upstream::Failure failure, Failed what) {
    const upstream::Verdict verdict = decide(failure);
    // A pooled connection that had died says nothing about the endpoint.
    if (verdict != upstream::Verdict::again_silently) attempt_->failed(worker_.poller.now_ms());
    if (!repeat(verdict, failure)) fail(answer_for(total_over() ? Failed::total_timeout : what));
}

}  // namespace gateway::http
