#include "gateway/upstream/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gateway/upstream/pool.hpp"

namespace gateway::upstream {

namespace {

// What has been idle for less was in use a moment ago: an end that came since then shows in its events.
constexpr std::int64_t kRestMs = 10;

}  // namespace

Connection::Connection(std::shared_ptr<EndpointPool> pool)
    : pool_(std::move(pool)), born_(pool_->wheel().now()) {
    pool_->on_connection_made();
}

Connection::~Connection() {
    if (counted_) pool_->on_connection_gone();
}

bool Connection::connect(ConnectionUser* user, std::chrono::milliseconds timeout) {
    const SocketAddress& to = pool_->endpoint().address();
    const int descriptor = ::socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return false;
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const bool failed =
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&to.storage), to.length) != 0 &&
        errno != EINPROGRESS;
    stream_ = net::Stream(descriptor, failed ? nullptr : pool_->new_tls());
    user_ = user;
    state_ = State::connecting;
    if (failed) {
        // Refused at once (unreachable network): told in the next turn, like any other failure.
        state_ = State::closed;
        pool_->poller().again(this);
        return true;
    }
    if (!pool_->poller().add(descriptor, this)) return false;
    pool_->endpoint().connects.fetch_add(1, std::memory_order_relaxed);
    pool_->wheel().set(*this, timeout);
    return true;
}

void Connection::connect_failed(std::string_view reason) {
    state_ = State::closed;
    pool_->wheel().clear(*this);
    ConnectionUser* user = std::exchange(user_, nullptr);
    if (user) user->on_upstream_connect_failed(reason);
}

void Connection::continue_connecting() {
    if (state_ == State::connecting) {
        int error = 0;
        socklen_t length = sizeof error;
        ::getsockopt(stream_.descriptor(), SOL_SOCKET, SO_ERROR, &error, &length);
        if (error != 0) return connect_failed(std::strerror(error));
        state_ = State::handshaking;
    }
    switch (stream_.handshake()) {
        case net::IoStatus::ok:
            break;
        case net::IoStatus::drained:
            return;
        default:
            return connect_failed("TLS handshake failed");
    }
    state_ = State::ready;
    pool_->wheel().clear(*this);
    if (user_) user_->on_upstream_connected();
}

void Connection::on_events(std::uint32_t events) {
    if (state_ == State::closed) {
        if (stream_.open() && user_) connect_failed("connect failed");
        return;
    }
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 || stream_.tls()) readable_ = true;
    if (state_ != State::ready) {
        // A connect that is under way shows neither OUT nor an error.
        if (state_ == State::connecting && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) == 0) return;
        return continue_connecting();
    }
    if (!user_) {
        // Idle: whatever comes now (an end, an error, bytes that nobody asked for) makes it useless. TLS:
        // session tickets and key updates come by themselves.
        if (stream_.tls() && !hung_up_) {
            char byte = 0;
            const net::IoResult result = stream_.read({&byte, 1}, false);
            if (result.status == net::IoStatus::drained && result.bytes == 0) {
                readable_ = false;
                return;
            }
        } else if (!readable_) {
            return;
        }
        pool_->remove_idle(this);
        return;
    }
    // A user's reaction may end this connection; it is destroyed at the end of the batch at the earliest.
    if (backlog() && ((events & EPOLLOUT) != 0 || stream_.tls())) flush();
    if (user_ && readable_) user_->on_upstream_readable();
}

void Connection::on_exception() noexcept {
    if (user_)
        user_->on_upstream_exception();
    else
        pool_->remove_idle(this);
}

Connection::Sent Connection::send(std::string_view first, std::string_view second, std::string_view third) {
    return outbox_.send(pool_->poller().batch(), stream_, *this, first, second, third);
}

void Connection::on_batch_sent(const net::SendBatch::Outcome& outcome) {
    if (outbox_.take(outcome) != Sent::failed) return;
    if (user_)
        user_->on_upstream_send_failed();
    else
        pool_->remove_idle(this);
}

void Connection::shutdown_write() {
    // What is left goes first: on_upstream_drained() comes back here.
    if (outbox_.flush_batch(pool_->poller().batch(), stream_) != Sent::kept) stream_.shutdown_write();
}

void Connection::flush() {
    switch (outbox_.flush(stream_)) {
        case Sent::kept:
            return;
        case Sent::all:
            if (user_) user_->on_upstream_drained();
            return;
        case Sent::failed:
            outbox_.clear();
            if (user_) user_->on_upstream_send_failed();
            return;
    }
}

net::IoResult Connection::read(std::span<char> into) {
    const net::IoResult result = stream_.read(into, hung_up_);
    if (result.status != net::IoStatus::ok) readable_ = false;
    return result;
}

bool Connection::fit_for_use(bool check) const {
    if (hung_up_) return false;
    // What this turn has fetched and not yet handed over counts, too. (TLS: a session ticket is no answer.)
    const std::uint32_t fetched = fetched_events();
    if ((fetched & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) return false;
    if ((fetched & EPOLLIN) != 0 || readable_) check = true;
    const bool rested = idle_since_ != 0 && pool_->poller().now_ms() - idle_since_ >= kRestMs;
    return !(check || rested) || silent();
}

// The peer has sent nothing and has not ended.
bool Connection::silent() const {
    char byte = 0;
    if (stream_.tls()) return stream_.peek_is_empty();
    const ssize_t got = ::recv(stream_.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::again() {
    pool_->poller().again(this);
}

void Connection::set_deadline(std::chrono::milliseconds after) {
    pool_->wheel().set(*this, after);
}
void Connection::clear_deadline() {
    pool_->wheel().clear(*this);
}

void Connection::become_idle(std::chrono::milliseconds timeout) {
    user_ = nullptr;
    readable_ = false;
    idle_since_ = pool_->poller().now_ms();
    pool_->wheel().set(*this, timeout);
}

void Connection::on_deadline() {
    if (state_ == State::connecting || state_ == State::handshaking)
        return connect_failed("connect timed out");
    if (user_) return user_->on_upstream_deadline();
    if (state_ == State::ready) pool_->remove_idle(this);
}

void Connection::close() {
    user_ = nullptr;
    state_ = State::closed;
    pool_->wheel().clear(*this);
    pool_->poller().batch().flush(stream_);
    stream_.close();
    // Now, not when it is destroyed: who opens another one instead must find room.
    if (std::exchange(counted_, false)) pool_->on_connection_gone();
}

}  // namespace gateway::upstream
