#include "gateway/http/forwarder.hpp"

#include <algorithm>

#include "gateway/http/client_session.hpp"
#include "gateway/routing/rewrite.hpp"
#include "gateway/wire/websocket.hpp"

namespace gateway::http {

using std::chrono::milliseconds;

namespace {

// Body bytes that are kept so that an idempotent request can be sent again, and that may wait for a
// connection.
constexpr std::size_t kReplayBytes = 64 * 1024;
constexpr std::size_t kPendingBytes = 32 * 1024;
// Capacity that a reused object may keep.
constexpr std::size_t kKeptCapacity = 16 * 1024;
// Below this, payload is copied behind the head: one send of one piece is cheaper than sendmsg.
constexpr std::size_t kCopyBytes = 4096;
constexpr int kReadsPerTurn = 4;
constexpr std::uint8_t kMostInformational = 8;

std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3ULL;
    }
    return hash;
}

void forget(std::string& text) {
    if (text.capacity() > kKeptCapacity)
        std::string().swap(text);
    else
        text.clear();
}

// What the upstream said about itself: these count against an endpoint (docs/configuration.md, outlier).
bool counts_as_failure(unsigned status) {
    return status == 502 || status == 503 || status == 504;
}

}  // namespace

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
    pool_ = nullptr;
    informational_ = 0;
    body_complete_ =
        exchange_.head.body() == wire::BodyKind::none ||
        (exchange_.head.body() == wire::BodyKind::length && exchange_.head.content_length() == 0);
    expect_continue_ = exchange_.head.expect_continue() && !body_complete_;
    kept_ = true;
    request_broken_ = fresh_only_ = silent_used_ = false;
    answer_started_ = answer_head_done_ = answer_any_byte_ = chunked_down_ = false;
    upstream_ended_ = client_ended_ = false;
    route_retries_ = exchange_.route->retry.value_or(true);
    answer_.clear();
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
    cluster_->budget().on_request(upstream::steady_ms());
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
    std::string first_endpoint;
    if (out.host.empty()) {
        // The head is written once for all attempts: the cluster's first endpoint names it.
        const config::Endpoint& endpoint = cluster_->cluster().settings().endpoints.front();
        first_endpoint = endpoint.host + ":" + std::to_string(endpoint.port);
        out.host = first_endpoint;
    }
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
    if (exchange_.websocket) accept_ = wire::websocket_accept(head.value(wire::Header::sec_websocket_key));
    return true;
}

// ---- places in the in-flight limits

bool Forwarder::take_places() {
    upstream::InFlightLimit& route = *exchange_.runtime->in_flight;
    if (!holds_route_) {
        if (!route.try_acquire()) {
            wait_for_place(route);
            return false;
        }
        holds_route_ = true;
    }
    upstream::InFlightLimit& cluster = cluster_->cluster().in_flight;
    if (!holds_cluster_) {
        if (!cluster.try_acquire()) {
            wait_for_place(cluster);
            return false;
        }
        holds_cluster_ = true;
    }
    return true;
}

void Forwarder::wait_for_place(upstream::InFlightLimit& limit) {
    if (queued_for_ != &limit) {
        leave_queue();
        if (!limit.try_queue()) return fail(answer_for(Failed::overloaded));
        queued_for_ = &limit;
        worker_.stats.queued.add();
        worker_.wheel.set(*this, limit.queue_timeout());
    }
    state_ = State::queued;
    cluster_->wait(this);
}

void Forwarder::leave_queue() {
    if (!queued_for_) return;
    queued_for_->leave_queue();
    queued_for_ = nullptr;
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
    if (holds_cluster_) cluster_->cluster().in_flight.release();
    if (holds_route_) exchange_.runtime->in_flight->release();
    const bool freed = holds_cluster_ || holds_route_;
    holds_cluster_ = holds_route_ = false;
    if (freed) cluster_->wake_one();
}

void Forwarder::on_deadline() {
    if (state_ == State::backing_off) {
        if (total_over()) return fail(answer_for(Failed::total_timeout));
        return attempt();
    }
    if (state_ != State::queued) return;
    cluster_->stop_waiting(this);
    worker_.stats.queue_timeouts.add();
    fail(answer_for(Failed::queue_timeout));
}

// ---- an attempt

void Forwarder::attempt() {
    const upstream::SteadyMs now = upstream::steady_ms();
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
    if (!connection_->connect(this, cluster.settings().timeouts.connect)) {
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
    const upstream::SteadyMs now = upstream::steady_ms();
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
    drop_connection();
    end_attempt();
    state_ = State::idle;
    ++serial_;
    forget(head_);
    forget(pending_);
    forget(answer_bytes_);
    release_places();
    session_ = nullptr;
}

// ---- deadlines

void Forwarder::arm(milliseconds phase) {
    if (total_due_ != 0) {
        const std::uint32_t now = worker_.wheel.now();
        const auto left = net::DeadlineWheel::kTick * (total_due_ > now ? total_due_ - now : 0);
        phase = std::min<milliseconds>(phase, left);
    }
    connection_->set_deadline(phase);
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
        if (breaker_open_entry_) {
            breaker_open_entry_ = false;
            cluster_->cluster().record_failure(pool_->endpoint(), upstream::steady_ms());
        }
        return fail(answer_for(Failed::total_timeout));
    }
    // A client that takes nothing, or sends nothing, has its own deadline; the upstream is not to blame.
    if (session_->backlog() || (!body_complete_ && !connection_->backlog() && !answer_head_done_)) {
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

// ---- the answer

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
    const upstream::SteadyMs now = upstream::steady_ms();
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
    exchange_.upstream_us =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                       std::chrono::steady_clock::now() - exchange_.started)
                                       .count());
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
    cluster_->cluster().record_failure(pool_->endpoint(), upstream::steady_ms());
    fail(answer_for(Failed::upstream_reset));
}

void Forwarder::finish(bool reusable) {
    ClientSession* session = session_;
    // The connection is in step only if the whole request went out and the whole answer came in.
    if (reusable && answer_.keep_alive() && body_complete_ && !request_broken_ && !connection_->backlog() &&
        body_.kind() != wire::BodyKind::until_close)
        connection_->pool().give_back(std::move(connection_));
    abandon();
    session->answer_finished();
}

// ---- tunnels

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
