// Listening sockets. Each worker has its own (SO_REUSEPORT), the kernel spreads the connections.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gateway/net/deadline_wheel.hpp"
#include "gateway/net/poller.hpp"
#include "gateway/wire/ip_address.hpp"
#include "shared/base/result.hpp"

namespace gateway::net {

// Where a connection comes from.
struct Peer {
    wire::IpAddress address;
    std::uint16_t port = 0;
};
Peer peer_of(const sockaddr_storage& address);

// `count` sockets bound to one address and port, listening. Port 0: the system chooses one for all of them.
// Fails with EADDRINUSE if anybody else listens there, another gateway included.
struct ListeningSockets {
    std::vector<int> descriptors;
    std::uint16_t port = 0;
};
shared::Result<ListeningSockets> listen_on(const std::string& address, std::uint16_t port, int backlog,
                                           std::size_t count);

// Accepts on one descriptor. Out of descriptors or memory: waits 100 ms and tries again; it never spins or
// gives up.
class Listener final : public PollHandler, public Timed {
  public:
    // `accepted` owns the descriptor (non-blocking, TCP_NODELAY set).
    using Accepted = std::function<void(int descriptor, const Peer& peer)>;

    Listener(Poller& poller, DeadlineWheel& wheel, int descriptor, Accepted accepted);
    ~Listener() override;

    shared::Result<> start();
    // Takes what has already arrived, then closes: nobody who got through the handshake is turned away.
    void stop();

    void on_events(std::uint32_t events) override;
    void on_exception() noexcept override;
    void on_deadline() override;

  private:
    // True: there may be more waiting.
    bool accept_some();

    Poller& poller_;
    DeadlineWheel& wheel_;
    int descriptor_;
    Accepted accepted_;
};

}  // namespace gateway::net
