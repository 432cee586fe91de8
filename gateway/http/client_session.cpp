// ClientSession: the life of a connection, its lists and its ends.
#include "gateway/http/client_session.hpp"

#include <unistd.h>

#include <algorithm>

namespace gateway::http {

using std::chrono::milliseconds;

namespace {

// How long a closing connection waits for the client's FIN, so that its unread bytes do not turn into a RST
// that destroys the answer on its way.
constexpr milliseconds kLinger{2'000};

}  // namespace

ClientSession::ClientSession(WorkerContext& worker, const net::Peer& peer, std::size_t listener)
    : worker_(worker),
      peer_text_(peer.address.to_string()),
      peer_(peer),
      listener_(static_cast<std::uint16_t>(listener)) {
    link(worker_.sessions, &ClientSession::previous_, &ClientSession::next_);
    worker_.shared.connections.fetch_add(1, std::memory_order_relaxed);
    worker_.stats.connections_accepted.add();
}

ClientSession::~ClientSession() {
    leave_idle();
    unlink(worker_.sessions, &ClientSession::previous_, &ClientSession::next_);
    worker_.shared.connections.fetch_sub(1, std::memory_order_relaxed);
    if (counted_) worker_.shared.addresses.release(peer_.address);
    worker_.stats.connections_closed.add();
}

bool ClientSession::open(WorkerContext& worker, int descriptor, const net::Peer& peer, std::size_t listener,
                         bool proxy_protocol, const net::TlsContext* tls) {
    const config::Config& settings = *worker.snapshot->shared->config;
    const config::Client& rules = settings.client;
    // A trusted proxy speaks for many clients: the cap is not for it.
    const bool trusted = wire::contains(settings.forwarding.trusted_proxies, peer.address);
    const bool counted = !trusted && worker.shared.addresses.acquire(peer.address);
    const bool full = worker.shared.connections.load(std::memory_order_relaxed) >= rules.max_connections;
    // A listener that expects PROXY headers is for the balancer in front only: anybody else could write one
    // too.
    if ((!trusted && (!counted || proxy_protocol)) || (full && !worker.idle.first)) {
        if (counted) worker.shared.addresses.release(peer.address);
        worker.stats.connections_refused.add();
        ::close(descriptor);
        return false;
    }
    // A connection that does nothing makes room for one that wants something.
    if (full) worker.idle.first->shed();
    std::unique_ptr<ClientSession> session(new ClientSession(worker, peer, listener));
    session->counted_ = counted;
    SSL* ssl = tls ? tls->new_connection() : nullptr;
    session->stream_ = net::Stream(descriptor, ssl);
    if ((tls && !ssl) || !worker.poller.add(descriptor, session.get())) {
        worker.stats.connections_refused.add();
        return false;
    }
    session->state_ = proxy_protocol ? State::proxy_header : (tls ? State::handshaking : State::idle);
    session->join_idle();  // until it asks for something
    worker.wheel.set(*session, rules.head_timeout);
    session.release();  // from here on it ends itself through Poller::retire
    return true;
}

void ClientSession::link(WorkerContext::List& list, ClientSession* ClientSession::*previous,
                         ClientSession* ClientSession::*next) {
    this->*previous = list.last;
    this->*next = nullptr;
    if (list.last)
        list.last->*next = this;
    else
        list.first = this;
    list.last = this;
    ++list.size;
}

void ClientSession::unlink(WorkerContext::List& list, ClientSession* ClientSession::*previous,
                           ClientSession* ClientSession::*next) {
    (this->*previous ? this->*previous->*next : list.first) = this->*next;
    (this->*next ? this->*next->*previous : list.last) = this->*previous;
    --list.size;
}

void ClientSession::join_idle() {
    if (in_idle_list_) return;
    in_idle_list_ = true;
    link(worker_.idle, &ClientSession::idle_previous_, &ClientSession::idle_next_);
}

void ClientSession::leave_idle() {
    if (!in_idle_list_) return;
    in_idle_list_ = false;
    unlink(worker_.idle, &ClientSession::idle_previous_, &ClientSession::idle_next_);
}

void ClientSession::close() {
    if (state_ == State::closed) return;
    if (request_) end_exchange();
    state_ = State::closed;
    leave_idle();
    worker_.wheel.clear(*this);
    worker_.poller.batch().flush(stream_);
    stream_.close();
    worker_.poller.retire(std::unique_ptr<net::PollHandler>(this));
}

void ClientSession::on_exception() noexcept {
    in_process_ = false;
    client_gone("internal_error");
}

void ClientSession::begin_close() {
    leave_idle();
    state_ = State::closing;
    if (!flush_batch() || !out_.empty()) return;  // on_drained() comes back here
    stream_.shutdown_write();
    if (end_of_input_ || (hung_up_ && !readable_)) return close();
    std::string().swap(in_);
    worker_.wheel.set(*this, kLinger);
    if (!in_process_ && readable_) worker_.poller.again(this);
}

// The client is gone, or must be treated so.
void ClientSession::client_gone(std::string_view reason) {
    if (request_) {
        Exchange& exchange = request_->exchange;
        if (exchange.reason.empty()) exchange.reason = reason;
        if (state_ == State::tunnel) worker_.stats.tunnels_closed.add();
        end_exchange();
    }
    if (!out_.empty()) stream_.abort();
    close();
}

void ClientSession::on_deadline() {
    if (state_ == State::closed) return;
    if (!out_.empty()) return client_gone("client_write_timeout");
    switch (state_) {
        case State::reading_head:
            want_close_ = true;
            begin_unreadable();
            return answer(answer_for(Failed::head_timeout));
        case State::handling: {
            if (body_.done()) return;
            Forwarder& forwarder = request_->forwarder;
            if (forwarder.active() && !forwarder.wants_body()) return body_deadline();
            const bool started = forwarder.answer_started();
            forwarder.abandon();
            if (started) return answer_aborted("client_body_timeout");
            return answer(answer_for(Failed::body_timeout));
        }
        case State::draining_body:
            return begin_close();
        case State::handshaking:
            worker_.stats.tls_handshakes_failed.add();
            [[fallthrough]];
        default:
            close();
    }
}

void ClientSession::close_if_idle() {
    if (state_ == State::idle && out_.empty()) begin_close();
}

void ClientSession::shed() {
    worker_.stats.connections_shed.add();
    close();
}

void ClientSession::kill(std::string_view reason) {
    client_gone(reason);
}

}  // namespace gateway::http
