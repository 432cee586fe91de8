// Http1Connection: the life of a connection and its ends.
#include "gateway/http/http1_connection.hpp"

#include <unistd.h>

namespace gateway::http {

using exchange::Failed;
using std::chrono::milliseconds;

namespace {

// How long a closing connection waits for the client's FIN, so that its unread bytes do not turn into a RST
// that destroys the answer on its way.
constexpr milliseconds kLinger{2'000};

}  // namespace

Http1Connection::Http1Connection(WorkerContext& worker, const net::Peer& peer)
    : worker_(worker), peer_text_(peer.address.to_string()), peer_(peer) {
    worker_.sessions.add(*this, &Http1Connection::all_);
    worker_.shared.connections.fetch_add(1, std::memory_order_relaxed);
    worker_.stats.connections_accepted.add();
}

Http1Connection::~Http1Connection() {
    stop_waiting();
    worker_.sessions.remove(*this, &Http1Connection::all_);
    worker_.shared.connections.fetch_sub(1, std::memory_order_relaxed);
    if (counted_) worker_.shared.addresses.release(peer_.address);
    worker_.stats.connections_closed.add();
}

bool Http1Connection::open(WorkerContext& worker, int descriptor, const net::Peer& peer, bool proxy_protocol,
                           const net::TlsContext* tls) {
    const config::Config& settings = *worker.snapshot->shared->config;
    const config::Client& rules = settings.client;
    // A trusted proxy speaks for many clients: the cap is not for it.
    const bool trusted = wire::contains(settings.forwarding.trusted_proxies, peer.address);
    const bool counted = !trusted && worker.shared.addresses.acquire(peer.address);
    const bool full = worker.shared.connections.load(std::memory_order_relaxed) >= rules.max_connections;
    // A listener that expects PROXY headers is for the balancer in front only: anybody else could write one
    // too.
    if ((!trusted && (!counted || proxy_protocol)) || (full && !worker.first_to_go())) {
        if (counted) worker.shared.addresses.release(peer.address);
        worker.stats.connections_refused.add();
        ::close(descriptor);
        return false;
    }
    // A connection that does nothing makes room for one that wants something.
    if (full) worker.first_to_go()->shed();
    std::unique_ptr<Http1Connection> connection(new Http1Connection(worker, peer));
    connection->counted_ = counted;
    SSL* ssl = tls ? tls->new_connection() : nullptr;
    connection->stream_ = net::Stream(descriptor, ssl);
    if ((tls && !ssl) || !worker.poller.add(descriptor, connection.get())) {
        worker.stats.connections_refused.add();
        return false;
    }
    connection->state_ = proxy_protocol ? State::proxy_header : (tls ? State::handshaking : State::idle);
    connection->wait_as(Waiting::expendable);  // until it has asked for something
    worker.wheel.set(*connection, rules.head_timeout);
    connection.release();  // from here on it ends itself through Poller::retire
    return true;
}

void Http1Connection::wait_as(Waiting kind) {
    stop_waiting();
    (kind == Waiting::idle ? worker_.idle : worker_.expendable).add(*this, &Http1Connection::waiting_);
    waiting_as_ = kind;
}

void Http1Connection::stop_waiting() {
    if (waiting_as_ == Waiting::nowhere) return;
    (waiting_as_ == Waiting::idle ? worker_.idle : worker_.expendable)
        .remove(*this, &Http1Connection::waiting_);
    waiting_as_ = Waiting::nowhere;
}

void Http1Connection::close() {
    if (state_ == State::closed) return;
    if (request_) end_exchange();
    state_ = State::closed;
    stop_waiting();
    worker_.wheel.clear(*this);
    worker_.poller.batch().flush(stream_);
    stream_.close();
    worker_.poller.retire(std::unique_ptr<net::PollHandler>(this));
}

void Http1Connection::on_exception() noexcept {
    client_gone("internal_error");
}

void Http1Connection::begin_close() {
    stop_waiting();
    state_ = State::closing;
    if (!flush_batch() || !out_.empty()) return;  // on_drained() comes back here
    stream_.shutdown_write();
    if (inflow_ == Inflow::ended || (hung_up_ && !readable_)) return close();
    std::string().swap(in_);
    worker_.wheel.set(*this, kLinger);
    wait_as(Waiting::expendable);
    if (!in_process_ && readable_) worker_.poller.again(this);
}

// The client is gone, or must be treated so.
void Http1Connection::client_gone(std::string_view reason) {
    if (request_) {
        if (request_->exchange.reason.empty()) request_->exchange.reason = reason;
        end_exchange();
    }
    if (!out_.empty()) stream_.abort();
    close();
}

void Http1Connection::on_deadline() {
    if (state_ == State::closed) return;
    if (!out_.empty()) return client_gone("client_write_timeout");
    switch (state_) {
        case State::reading_head:
            begin_unreadable();
            return request_->exchange.fail(Failed::head_timeout);
        case State::handling:
            if (body_.done()) return;
            if (inflow_ == Inflow::held) return body_deadline();
            return request_->exchange.fail(Failed::body_timeout);
        case State::draining_body:
            return begin_close();
        case State::handshaking:
            worker_.stats.tls_handshakes_failed.add();
            [[fallthrough]];
        default:
            close();
    }
}

// What every request passes at its end.
void Http1Connection::end_exchange() {
    std::unique_ptr<respond::ActiveRequest> request = std::move(request_);
    if (!request) return;
    if (in_tunnel()) worker_.stats.tunnels_closed.add();
    request->end();
    // A head that never became a request is nobody's.
    if (state_ != State::reading_head) request->exchange.finish();
    worker_.give_back(std::move(request));
}

void Http1Connection::become_idle() {
    state_ = State::idle;
    if (worker_.draining) return begin_close();
    if (!out_.empty()) return;  // on_drained() comes back: who still takes its answer is not idle
    worker_.wheel.set(*this, worker_.snapshot->shared->config->client.idle_timeout);
    wait_as(Waiting::idle);
}

void Http1Connection::close_if_idle() {
    if (state_ == State::idle && out_.empty()) begin_close();
}

void Http1Connection::shed() {
    worker_.stats.connections_shed.add();
    if (state_ == State::handling) return client_gone("shed");
    close();
}

void Http1Connection::kill(std::string_view reason) {
    if (request_) request_->exchange.cut_off = true;
    client_gone(reason);
}

}  // namespace gateway::http
