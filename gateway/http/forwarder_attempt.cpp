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
    if (!cluster.breaker.allow(now)) {
        Answer refusal = answer_for(Failed::circuit_open);
        refusal.retry_after_s = static_cast<unsigned>((cluster.breaker.retry_in(now) + 999) / 1000);
        return fail(refusal);
    }
    breaker_open_entry_ = true;
    const upstream::WorkerCluster::Choice choice = cluster_->pick(hash_key_, pool_);
    pool_ = choice.pool;
    last_resort_ = choice.last_resort;
    if (!pool_) {
        cluster.ask_resolve();
        return fail(answer_for(Failed::no_endpoint));
    }
    upstream::Endpoint& endpoint = pool_->endpoint();
    exchange_.upstream = exchange_.text.keep(endpoint.address_text());
    name_endpoint(endpoint);
    endpoint.in_flight.fetch_add(1, std::memory_order_relaxed);
    endpoint.requests.fetch_add(1, std::memory_order_relaxed);
    attempt_open_ = true;
    if (!fresh_only_) {
        // A request that must not be sent twice is not sent into a connection that the kernel knows to be
        // dead.
        connection_ = pool_->take_idle(!wire::idempotent(exchange_.method));
        if (connection_) {
            connection_->assign(this);
            return send_request();
        }
    }
    if (!pool_->may_connect()) {
        end_attempt();
        if (!cluster.in_flight.limited()) return fail(answer_for(Failed::overloaded));
        if (holds_cluster_) cluster.in_flight.release();
        holds_cluster_ = false;
        return wait_for_place(cluster.in_flight);
    }
    worker_.stats.upstream_connects.add();
    state_ = State::connecting;
    connection_ = std::make_unique<upstream::Connection>(pool_->shared_from_this());
    if (!connection_->connect(this, within_total(cluster.settings().timeouts.connect))) {
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
    answer_any_byte_ = answer_head_done_ = request_broken_ = false;
    answer_bytes_.clear();
    answer_.clear();
    informational_ = 0;
    connection_->count_request();
    const upstream::Connection::Sent sent = connection_->send(head_, pending_);
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
            return request_broken_ || !connection_->backlog();
        case State::tunnel:
            return !connection_->backlog();
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
    if (state_ == State::idle || request_broken_) return;
    const bool sending = state_ == State::exchanging;
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
    if (connection_->send(before, data, after) == upstream::Connection::Sent::failed)
        return on_upstream_send_failed();
    arm(last && !connection_->backlog() ? first_byte_ : idle_);
}

void Forwarder::on_upstream_drained() {
    if (state_ == State::tunnel) {
        if (client_ended_) connection_->shutdown_write();
        session_->resume_body();
        return;
    }
    if (!answer_head_done_) arm(body_complete_ ? first_byte_ : idle_);
    session_->resume_body();
}

// The peer takes no more. It may have answered before it closed (413, 401): what has arrived is read first.
void Forwarder::on_upstream_send_failed() {
    if (state_ == State::tunnel) return on_answer_end(true);
    request_broken_ = true;
    const std::uint64_t serial = serial_;
    if (!pumping_ && connection_->readable()) {
        pump();
        if (serial != serial_ || state_ != State::exchanging || !request_broken_) return;
    }
    if (answer_head_done_ || answer_any_byte_) return;  // goes on until the upstream ends
    attempt_failed(upstream::Failure::reset, Failed::upstream_reset);
}

void Forwarder::end_attempt() {
    if (breaker_open_entry_) cluster_->cluster().breaker.cancel();
    breaker_open_entry_ = false;
    if (attempt_open_) pool_->endpoint().in_flight.fetch_sub(1, std::memory_order_relaxed);
    attempt_open_ = false;
}

void Forwarder::drop_connection() {
    if (connection_) connection_->pool().drop(std::move(connection_));
}

void Forwarder::attempt_failed(upstream::Failure failure, Failed what, std::uint16_t status) {
    const bool pooled = connection_ && connection_->reused();
    upstream::Attempt lost;
    lost.failure = failure;
    lost.pooled = pooled;
    lost.idempotent = wire::idempotent(exchange_.method) && !exchange_.websocket;
    lost.replayable = kept_;
    lost.answer_started = answer_started_;
    lost.status = status;
    drop_connection();
    const config::Retry& rules = cluster_->cluster().settings().retry;
    upstream::Verdict verdict =
        worker_.draining && failure == upstream::Failure::status
            ? upstream::Verdict::give_up
            : upstream::decide(rules, route_retries_, lost, exchange_.retries, silent_used_);
    const upstream::SteadyMs now = worker_.poller.now_ms();
    // A pooled connection that had died says nothing about the endpoint.
    if (verdict != upstream::Verdict::again_silently && breaker_open_entry_) {
        breaker_open_entry_ = false;
        cluster_->cluster().record_failure(pool_->endpoint(), now);
    }
    end_attempt();
    if (total_over()) return fail(answer_for(Failed::total_timeout));
    if (verdict == upstream::Verdict::again_silently) {
        silent_used_ = true;
        fresh_only_ = true;
        worker_.stats.silent_retries.add();
        pool_ = nullptr;
        return attempt();
    }
    if (verdict == upstream::Verdict::again) {
        if (!cluster_->budget().take(now)) {
            worker_.stats.retries_over_budget.add();
        } else {
            ++exchange_.retries;
            worker_.stats.retries.add();
            fresh_only_ = failure != upstream::Failure::status;
            // Full jitter, so that those who failed together do not come back together.
            const auto base = static_cast<std::uint64_t>(rules.backoff.count());
            const auto wait = base == 0 ? 0 : worker_.ids.next() % (2 * base + 1);
            if (wait < 50) return attempt();
            state_ = State::backing_off;
            worker_.wheel.set(*this, milliseconds(wait));
            return;
        }
    }
    fail(answer_for(what));
}

}  // namespace gateway::http
