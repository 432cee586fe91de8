#include "gateway/net/stream.hpp"

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

namespace gateway::net {

namespace {

// OpenSSL wants a connection's pieces in one buffer: otherwise head and body become two records and two
// sends.
constexpr std::size_t kTlsJoin = 16 * 1024;

IoStatus tls_status(SSL* tls, int result) {
    switch (SSL_get_error(tls, result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return IoStatus::drained;
        case SSL_ERROR_ZERO_RETURN:
            return IoStatus::closed;
        default:
            ERR_clear_error();
            return IoStatus::failed;
    }
}

int clamp_int(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

Stream::Stream(int descriptor, SSL* tls) : descriptor_(descriptor), tls_(tls) {
    if (tls_) {
        SSL_set_fd(tls_, descriptor_);
        SSL_set_mode(tls_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
    }
}

Stream::Stream(Stream&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      tls_(std::exchange(other.tls_, nullptr)),
      handshake_done_(other.handshake_done_) {}

Stream& Stream::operator=(Stream&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = std::exchange(other.descriptor_, -1);
        tls_ = std::exchange(other.tls_, nullptr);
        handshake_done_ = other.handshake_done_;
    }
    return *this;
}

IoStatus Stream::handshake() {
    if (handshake_done()) return IoStatus::ok;
    ERR_clear_error();
    const int result = SSL_do_handshake(tls_);
    if (result == 1) {
        handshake_done_ = true;
        return IoStatus::ok;
    }
    return tls_status(tls_, result);
}

IoResult Stream::read(std::span<char> into, bool hangup) {
    if (tls_) {
        ERR_clear_error();
        std::size_t total = 0;
        // One record a call: go on until the library has nothing more or the buffer is full.
        while (total < into.size()) {
            const int got = SSL_read(tls_, into.data() + total, clamp_int(into.size() - total));
            if (got > 0) {
                total += static_cast<std::size_t>(got);
                continue;
            }
            const IoStatus status = tls_status(tls_, got);
            if (total > 0) {
                // What was read comes first; an end or error is met again by the next read.
                return {status == IoStatus::drained ? IoStatus::drained : IoStatus::ok, total};
            }
            return {status, 0, 0};
        }
        return {IoStatus::ok, total};
    }
    while (true) {
        const ssize_t got = ::recv(descriptor_, into.data(), into.size(), 0);
        if (got > 0) {
            const auto bytes = static_cast<std::size_t>(got);
            return {bytes < into.size() && !hangup ? IoStatus::drained : IoStatus::ok, bytes};
        }
        if (got == 0) return {IoStatus::closed};
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoStatus::drained};
        return {IoStatus::failed, 0, errno};
    }
}

bool Stream::peek_is_empty() const {
    ERR_clear_error();
    char byte = 0;
    const int got = SSL_peek(tls_, &byte, 1);
    return got <= 0 && tls_status(tls_, got) == IoStatus::drained;
}

IoResult Stream::write(std::string_view first, std::string_view second, std::string_view third) {
    const std::size_t total = first.size() + second.size() + third.size();
    if (tls_) {
        ERR_clear_error();
        std::size_t written = 0;
        std::array<char, kTlsJoin> join;
        while (written < total) {
            // The next up to 16 KiB (one record) of the three pieces.
            std::size_t joined = 0;
            std::size_t skip = written;
            for (std::string_view piece : {first, second, third}) {
                if (skip >= piece.size()) {
                    skip -= piece.size();
                    continue;
                }
                const std::size_t take = std::min(piece.size() - skip, join.size() - joined);
                std::copy_n(piece.data() + skip, take, join.data() + joined);
                joined += take;
                skip = 0;
                if (joined == join.size()) break;
            }
            const int sent = SSL_write(tls_, join.data(), clamp_int(joined));
            if (sent <= 0) {
                const IoStatus status = tls_status(tls_, sent);
                return {status == IoStatus::closed ? IoStatus::failed : status, written, 0};
            }
            written += static_cast<std::size_t>(sent);
        }
        return {IoStatus::ok, written};
    }
    std::array<iovec, 3> pieces;
    std::size_t count = 0;
    for (std::string_view piece : {first, second, third}) {
        if (piece.empty()) continue;
        pieces[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    if (count == 0) return {IoStatus::ok, 0};
    while (true) {
        ssize_t sent;
        if (count == 1) {
            sent = ::send(descriptor_, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
        } else {
            msghdr message{};
            message.msg_iov = pieces.data();
            message.msg_iovlen = count;
            sent = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
        }
        if (sent >= 0) {
            const auto bytes = static_cast<std::size_t>(sent);
            return {bytes < total ? IoStatus::drained : IoStatus::ok, bytes};
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoStatus::drained, 0};
        return {IoStatus::failed, 0, errno};
    }
}

void Stream::shutdown_write() {
    if (descriptor_ < 0) return;
    if (tls_ && handshake_done_) {
        ERR_clear_error();
        SSL_shutdown(tls_);
    }
    ::shutdown(descriptor_, SHUT_WR);
}

void Stream::abort() {
    if (descriptor_ < 0) return;
    const linger hard{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    if (tls_) SSL_set_quiet_shutdown(tls_, 1);
    close();
}

void Stream::close() {
    if (tls_) {
        SSL_free(tls_);
        tls_ = nullptr;
    }
    if (descriptor_ >= 0) {
        ::close(descriptor_);
        descriptor_ = -1;
    }
    handshake_done_ = false;
}

}  // namespace gateway::net
