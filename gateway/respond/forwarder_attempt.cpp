// Forwarder: one attempt after the other, with the request's body.
#include "gateway/exchange/exchange.hpp"
#include "gateway/respond/forwarder.hpp"

namespace gateway::respond {

using exchange::Failed;
using exchange::Given;
using std::chrono::milliseconds;
using Sent = upstream::Connection::Sent;

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
        exchange::Answer refusal = exchange::answer_for(Failed::circuit_open);
        refusal.retry_after_s = static_cast<unsigned>((cluster.breaker.retry_in(now) + 999) / 1000);
        return give_up(refusal);
    }
    const upstream::WorkerCluster::Choice choice = cluster_->pick(hash_key_, avoid_);
    if (!choice.pool) {
        cluster.ask_resolve();
        return give_up(Failed::no_endpoint);
    }
    if (cluster_->must_wait(*this) || !choice.pool->has_room()) return wait_for_connection();
    waits_for_connection_ = false;
    worker_.wheel.clear(*this);
    avoid_ = choice.pool;
    answer_bytes_.clear();
    attempt_.emplace(std::move(permit), choice);
    const upstream::Endpoint& endpoint = attempt_->endpoint();
    exchange_->upstream = exchange_->text.keep(endpoint.address_text());
    name_endpoint(endpoint);
    // A request that must not be sent twice is not sent into a connection that the kernel knows to be dead.
    if (take_ == Take::kept_connection && attempt_->take_idle(*this, never_repeated())) return send_request();
    choice.pool->make_room();
    worker_.stats.upstream_connects.add();
    state_ = State::connecting;
    if (!attempt_->connect(*this, within_total(settings().timeouts.connect))) {
        worker_.stats.upstream_connect_failures.add();
        attempt_failed(upstream::Failure::connect, Failed::connect_failed);
    }
}

bool Forwarder::never_repeated() const {
    return !wire::idempotent(exchange_->method) || exchange_->websocket || replay_ == Replay::lost ||
           settings().retry.attempts == 0 || !exchange_->route->retry.value_or(true);
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
    upstream::Connection& connection = attempt_->connection();
    connection.count_request();
    if (connection.send(head_, pending_) == Sent::failed) return on_upstream_send_failed();
    // What the connection has is not pending any more, unless it may be needed again.
    if (!pending_.empty() && (!wire::idempotent(exchange_->method) || pending_.size() > kReplayBytes))
        lose_replay();
    arm(request_body_ == Body::complete && !connection.backlog() ? first_byte_ : idle_);
    if (request_body_ == Body::complete) return;
    if (request_body_ == Body::held_back) {
        // The client holds its body back until it knows that somebody wants it.
        request_body_ = Body::coming;
        if (exchange_->side->informational(nullptr) == Given::gone) return;
    }
    exchange_->side->want_body();
}

bool Forwarder::wants_body() const {
    switch (state_) {
        case State::exchanging:
            return attempt_->request == Attempt::Request::refused || !attempt_->connection().backlog();
        case State::tunnel:
        case State::tunnel_upstream_ended:
            return !attempt_->connection().backlog();
        case State::queued:
        case State::backing_off:
        case State::connecting:
            return request_body_ == Body::coming && pending_.size() < kPendingBytes;
        case State::gathering:
            return true;
        case State::idle:
        case State::crowded_out:
        case State::tunnel_client_ended:
            break;
    }
    return false;
}

bool Forwarder::on_body(std::string_view data, bool last) {
    if (state_ == State::idle || state_ == State::crowded_out) return false;
    if (in_tunnel()) return on_tunnel_bytes(data, last);
    if (state_ == State::gathering) return gather_more(data, last);
    if (last) request_body_ = Body::complete;
    const bool sending = state_ == State::exchanging;
    std::string_view before;
    std::string_view after;
    wire::ChunkHeader chunk(data.empty() ? 1 : data.size());
    if (exchange_->head.body() == wire::BodyKind::chunked) {
        if (!data.empty()) before = chunk.view();
        after = data.empty() ? (last ? wire::kLastChunk : "") : (last ? "\r\n0\r\n\r\n" : wire::kChunkEnd);
    }
    if (!keep(before, data, after)) return false;
    if (sending) {
        // Not sent; but another attempt may need it.
        if (attempt_->request == Attempt::Request::refused) return true;
        if (attempt_->connection().send(before, data, after) == Sent::failed)
            on_upstream_send_failed();
        else
            arm(last && !attempt_->connection().backlog() ? first_byte_ : idle_);
    }
    return wants_body();
}

// Where it must wait for a connection, and where it may have to be sent again. False: the exchange is over.
bool Forwarder::keep(std::string_view before, std::string_view data, std::string_view after) {
    if (state_ != State::exchanging) return append(before, data, after);
    if (replay_ == Replay::lost) return true;
    const std::size_t size = pending_.size() + before.size() + data.size() + after.size();
    if (!wire::idempotent(exchange_->method) || size > kReplayBytes ||
        !pending_.append(body_memory(), before, data, after))
        lose_replay();
    return true;
}

std::uint64_t Forwarder::body_memory() const {
    return exchange_->snapshot->shared->config->client.body_memory_bytes;
}

// False: there is no memory for it, and the exchange is over.
bool Forwarder::append(std::string_view before, std::string_view data, std::string_view after) {
    if (pending_.append(body_memory(), before, data, after)) return true;
    // Whoever has been sending a large one for longest makes room: an honest client is done by then.
    for (auto& large = worker_.large_bodies; !large.empty() && large.front() != this;) {
        large.front()->make_room();
        if (pending_.append(body_memory(), before, data, after)) return true;
    }
    worker_.stats.bodies_refused.add();
    exchange_->fail(Failed::overloaded);
    return false;
}

void Forwarder::lose_replay() {
    replay_ = Replay::lost;
    pending_.hand_on();
    if (!attempt_->connection().backlog()) pending_.release();
}

bool Forwarder::on_tunnel_bytes(std::string_view data, bool last) {
    upstream::Connection& connection = attempt_->connection();
    if (!data.empty()) {
        connection.set_deadline(exchange_->snapshot->shared->config->client.tunnel_idle_timeout);
        if (connection.send(data) == Sent::failed) {
            end_tunnel();
            return false;
        }
    }
    if (last) {
        if (state_ == State::tunnel_upstream_ended) {
            end_tunnel();
            return false;
        }
        state_ = State::tunnel_client_ended;
        if (!connection.backlog()) connection.shutdown_write();
    }
    return wants_body();
}

void Forwarder::on_upstream_drained() {
    if (state_ == State::tunnel_client_ended) return attempt_->connection().shutdown_write();
    if (!in_tunnel()) {
        if (replay_ == Replay::lost) pending_.release();
        if (!answer_begun()) arm(request_body_ == Body::complete ? first_byte_ : idle_);
        if (request_body_ == Body::complete) return;
    }
    exchange_->side->want_body();
}

// The peer takes no more. It may have answered before it closed (413, 401): what has arrived is read first.
// In the next turn: the caller may be in the middle of the client's bytes.
void Forwarder::on_upstream_send_failed() {
    if (in_tunnel()) return end_tunnel();
    attempt_->request = Attempt::Request::refused;
    exchange_->side->want_body();  // no more is sent of it
    if (attempt_->connection().readable()) return attempt_->connection().again();
    if (attempt_->progress != Attempt::Progress::nothing) return;  // goes on until the upstream ends
    attempt_failed(upstream::Failure::reset, Failed::upstream_reset);
}

upstream::Verdict Forwarder::decide(upstream::Failure failure, std::uint16_t status) const {
    upstream::LostAttempt lost;
    lost.failure = failure;
    lost.status = status;
    lost.pooled = attempt_->pooled();
    lost.idempotent = wire::idempotent(exchange_->method);
    lost.websocket = exchange_->websocket;
    lost.replayable = replay_ == Replay::possible;
    lost.answer_started = exchange_->begun();
    lost.time_is_up = total_over();
    lost.route_allows = exchange_->route->retry.value_or(true);
    lost.has_choice = cluster_->has_choice();
    lost.draining = worker_.draining;
    lost.silent_used = silent_retries_ != 0;
    lost.used = exchange_->retries;
    return upstream::decide(settings().retry, lost);
}

// Ends the attempt and begins another one, now or after the back-off. False: there is none.
bool Forwarder::repeat(upstream::Verdict verdict, upstream::Failure failure) {
    if (verdict == upstream::Verdict::give_up) return false;
    if (verdict == upstream::Verdict::again_silently) {
        attempt_.reset();
        ++silent_retries_;
        take_ = Take::new_connection;
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
    ++exchange_->retries;
    worker_.stats.retries.add();
    take_ = failure == upstream::Failure::status ? Take::kept_connection : Take::new_connection;
    // Full jitter, so that those who failed together do not come back together.
    const auto base = static_cast<std::uint64_t>(settings().retry.backoff.count());
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
    if (!repeat(verdict, failure)) give_up(total_over() ? Failed::total_timeout : what);
}

void Forwarder::give_up(const exchange::Answer& failure) {
    if (!exchange_->begun() && !kept_head_.empty() && !keeping()) return pass_on_kept();
    exchange_->fail(failure);
}

}  // namespace gateway::respond
