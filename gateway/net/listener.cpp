#include "gateway/net/listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "shared/log/log.hpp"

namespace gateway::net {

namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr int kTurnsAtStop = 64;

shared::ErrorCode last_error() {
    return {errno, boost::system::system_category()};
}

struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;
};

bool fill(const std::string& text, std::uint16_t port, Address& out) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
    if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        out.length = sizeof(sockaddr_in);
        return true;
    }
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
    if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        out.length = sizeof(sockaddr_in6);
        return true;
    }
    return false;
}

std::uint16_t port_of(int descriptor) {
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
    return peer_of(bound).port;
}

// Returns the descriptor, or -1 with errno.
int open_bound(const Address& address, bool share_port) {
    const int descriptor = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    const int on = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (share_port) ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0) {
        const int error = errno;
        ::close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

}  // namespace

Peer peer_of(const sockaddr_storage& address) {
    Peer peer;
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        peer.address = wire::IpAddress::v4(ntohl(v4.sin_addr.s_addr));
        peer.port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        std::memcpy(peer.address.bytes.data(), &v6.sin6_addr, 16);
        peer.port = ntohs(v6.sin6_port);
    }
    return peer;
}

shared::Result<ListeningSockets> listen_on(const std::string& address, std::uint16_t port, int backlog,
                                           std::size_t count) {
    Address where;
    if (!fill(address, port, where)) return shared::ErrorCode(EINVAL, boost::system::system_category());
    // SO_REUSEPORT would let two gateways of one user share a port without either noticing. A socket without
    // it cannot be bound where somebody listens, so it goes first.
    const int probe = open_bound(where, false);
    if (probe < 0) return last_error();
    const bool in_use = ::listen(probe, 1) != 0;
    const shared::ErrorCode listen_error = last_error();
    ListeningSockets sockets;
    sockets.port = port_of(probe);
    ::close(probe);
    if (in_use) return listen_error;
    if (!fill(address, sockets.port, where))
        return shared::ErrorCode(EINVAL, boost::system::system_category());
    for (std::size_t i = 0; i < count; ++i) {
        const int descriptor = open_bound(where, true);
        if (descriptor < 0 || ::listen(descriptor, backlog) != 0) {
            const shared::ErrorCode error = last_error();
            if (descriptor >= 0) ::close(descriptor);
            for (int open : sockets.descriptors) ::close(open);
            return error;
        }
        sockets.descriptors.push_back(descriptor);
    }
    return sockets;
}

Listener::Listener(Poller& poller, DeadlineWheel& wheel, int descriptor, Accepted accepted)
    : poller_(poller), wheel_(wheel), descriptor_(descriptor), accepted_(std::move(accepted)) {}

Listener::~Listener() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

shared::Result<> Listener::start() {
    return poller_.add(descriptor_, this);
}

void Listener::stop() {
    if (descriptor_ < 0) return;
    for (int turns = 0; turns < kTurnsAtStop && accept_some(); ++turns) {
    }
    ::close(descriptor_);
    descriptor_ = -1;
    wheel_.clear(*this);
}

void Listener::on_events(std::uint32_t) {
    if (descriptor_ >= 0 && accept_some()) poller_.again(this);
}

void Listener::on_deadline() {
    if (descriptor_ >= 0 && accept_some()) poller_.again(this);
}

// The connection that could not be taken is gone; the next ones may do better.
void Listener::on_exception() noexcept {
    wheel_.set(*this, std::chrono::milliseconds(100));
}

bool Listener::accept_some() {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
        sockaddr_storage from{};
        socklen_t length = sizeof from;
        const int accepted =
            ::accept4(descriptor_, reinterpret_cast<sockaddr*>(&from), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) {
            switch (errno) {
                case EINTR:
                case ECONNABORTED:
                case EPROTO:
                    continue;
                case EAGAIN:
                    return false;
                default:
                    // EMFILE, ENFILE, ENOBUFS, ENOMEM and whatever else: it may pass.
                    shared::log::warn("accept_failed", {{"error", std::strerror(errno)}});
                    wheel_.set(*this, std::chrono::milliseconds(100));
                    return false;
            }
        }
        const int on = 1;
        ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        accepted_(accepted, peer_of(from));
    }
    return true;
}

}  // namespace gateway::net
