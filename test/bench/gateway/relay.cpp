// relay UPSTREAM_PORT: copies bytes between each client and a connection of its own to the upstream, without
// looking at them. The least that any proxy of this shape has to do: one epoll set, edge-triggered, one recv
// and one send per message and direction. Prints "port N". Ends by a signal.
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "test/bench/gateway/sockets.hpp"

namespace {

struct Pair;

struct Side {
    int fd = -1;
    Pair* pair = nullptr;
    Side* other = nullptr;
    std::string waiting;  // what this side could not take yet; the other side is not read meanwhile
};

struct Pair {
    Side client;
    Side upstream;
    bool dead = false;
};

char scratch[64 * 1024];

// Sends what fits. False: the connection is gone.
bool send_to(Side& side, const char* data, std::size_t size) {
    while (size > 0) {
        const auto sent = ::send(side.fd, data, size, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN) return false;
            side.waiting.assign(data, size);
            return true;
        }
        data += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

// Reads `from` until it is drained: a short read says so, unless its end is known to come.
bool pump(Side& from, bool to_the_end) {
    while (from.other->waiting.empty()) {
        const auto got = ::recv(from.fd, scratch, sizeof scratch, 0);
        if (got == 0) return false;
        if (got < 0) return errno == EAGAIN;
        if (!send_to(*from.other, scratch, static_cast<std::size_t>(got))) return false;
        if (static_cast<std::size_t>(got) < sizeof scratch && !to_the_end) return true;
    }
    return true;
}

bool flush(Side& side) {
    const auto rest = std::move(side.waiting);
    side.waiting.clear();
    return send_to(side, rest.data(), rest.size()) && (!side.waiting.empty() || pump(*side.other, false));
}

bool on_event(Side& side, std::uint32_t events) {
    if ((events & EPOLLERR) != 0) return false;
    if ((events & EPOLLOUT) != 0 && !side.waiting.empty() && !flush(side)) return false;
    const bool ending = (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
    return (events & EPOLLIN) == 0 || pump(side, ending);
}

class Relay {
  public:
    explicit Relay(std::uint16_t upstream_port) : upstream_(bench::loopback(upstream_port)) {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        if (epoll_ < 0) bench::fail("epoll_create1");
        listener_ = bench::listen_on_loopback(port_);
        bench::watch(epoll_, listener_, nullptr);
    }

    std::uint16_t port() const { return port_; }

    [[noreturn]] void run() {
        for (;;) {
            epoll_event events[256];
            const int count = ::epoll_wait(epoll_, events, 256, -1);
            for (int i = 0; i < count; ++i) {
                auto* side = static_cast<Side*>(events[i].data.ptr);
                if (side == nullptr)
                    accept_all();
                else if (!side->pair->dead && !on_event(*side, events[i].events))
                    bury(*side->pair);
            }
            graves_.clear();
        }
    }

  private:
    void accept_all() {
        for (;;) {
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (client < 0) return;
            const int upstream = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            if (upstream < 0) bench::fail("socket");
            bench::no_delay(client);
            bench::no_delay(upstream);
            // On loopback the handshake is over when connect returns EINPROGRESS or 0; a send that comes too
            // early waits for EPOLLOUT like any other.
            if (::connect(upstream, std::bit_cast<sockaddr*>(&upstream_), sizeof upstream_) != 0 &&
                errno != EINPROGRESS)
                bench::fail("connect");
            auto* pair = new Pair;  // until bury()
            pair->client = {client, pair, &pair->upstream, {}};
            pair->upstream = {upstream, pair, &pair->client, {}};
            bench::watch(epoll_, client, &pair->client);
            bench::watch(epoll_, upstream, &pair->upstream);
        }
    }

    // Events of the same batch may still point to it.
    void bury(Pair& pair) {
        pair.dead = true;
        ::close(pair.client.fd);
        ::close(pair.upstream.fd);
        graves_.emplace_back(&pair);
    }

    sockaddr_in upstream_;
    std::uint16_t port_ = 0;
    int epoll_ = -1;
    int listener_ = -1;
    std::vector<std::unique_ptr<Pair>> graves_;
};

}  // namespace

int main(int count, char** arguments) {
    std::uint16_t port = 0;
    const char* text = count == 2 ? arguments[1] : "";
    std::from_chars(text, text + std::strlen(text), port);
    if (port == 0) {
        std::fputs("usage: bench_relay UPSTREAM_PORT\n", stderr);
        return 2;
    }
    Relay relay(port);
    std::printf("port %u\n", relay.port());
    std::fflush(stdout);
    relay.run();
}
