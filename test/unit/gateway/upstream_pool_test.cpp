// Idle connections to one endpoint: which are used again, and which must not be.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <linux/sockios.h>

#include "gateway/upstream/pool.hpp"

namespace gateway::upstream {

using std::chrono::milliseconds;

namespace {

struct User final : ConnectionUser {
    void on_upstream_connected() override { connected = true; }
    void on_upstream_connect_failed(std::string_view) override { failed = true; }
    void on_upstream_readable() override {}
    void on_upstream_drained() override {}
    void on_upstream_send_failed() override {}
    void on_upstream_deadline() override {}
    void on_upstream_exception() noexcept override {}
    bool connected = false;
    bool failed = false;
};

// The other end of a connection. Each change is over when our kernel has seen it: no event has been fetched.
class Peer {
  public:
    explicit Peer(int fd) : fd_(fd) {}
    Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Peer& operator=(Peer&&) = delete;
    ~Peer() {
        if (fd_ >= 0) ::close(fd_);
    }
    void end() {
        REQUIRE(::shutdown(fd_, SHUT_WR) == 0);
        wait([&] {
            tcp_info info{};
            socklen_t size = sizeof info;
            ::getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size);
            return info.tcpi_state == TCP_FIN_WAIT2;
        });
    }
    void send(std::string_view bytes) {
        REQUIRE(::send(fd_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
        wait([&] {
            int unacknowledged = 1;
            ::ioctl(fd_, SIOCOUTQ, &unacknowledged);
            return unacknowledged == 0;
        });
    }

  private:
    template <class Condition>
    static void wait(Condition&& over) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!over()) REQUIRE(std::chrono::steady_clock::now() < deadline);
    }
    int fd_;
};

class Fixture {
  public:
    explicit Fixture(config::Pool rules = {}) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(listener_, 16) == 0);
        REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        config::Cluster settings;
        settings.name = "c";
        settings.pool = rules;
        config::Endpoint endpoint;
        endpoint.host = "127.0.0.1";
        endpoint.port = ntohs(address.sin_port);
        settings.endpoints.push_back(endpoint);
        auto cluster = std::make_shared<Cluster>(settings);
        pool = std::make_shared<EndpointPool>(poller, wheel, cluster, (*cluster->endpoints())[0]);
    }
    ~Fixture() {
        pool->retire();
        poller.end_turn();
        ::close(listener_);
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    std::pair<std::unique_ptr<Connection>, Peer> connect() {
        auto connection = std::make_unique<Connection>(pool);
        User user;
        REQUIRE(connection->connect(&user, milliseconds(5000)));
        Peer peer(::accept(listener_, nullptr, nullptr));
        for (int i = 0; i < 100 && !user.connected; ++i) poller.turn(milliseconds(100));
        REQUIRE(user.connected);
        connection->assign(nullptr);
        return {std::move(connection), std::move(peer)};
    }

    net::Poller poller;
    net::DeadlineWheel wheel;
    std::shared_ptr<EndpointPool> pool;

  private:
    int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

// Asks for a connection before this turn's events are handed over.
struct Taker final : net::PollHandler {
    explicit Taker(Fixture& f) : fixture(f) {}
    void on_events(std::uint32_t) override {
        asked = true;
        got = fixture.pool->take_idle(false) != nullptr;
    }
    void on_exception() noexcept override {}
    Fixture& fixture;
    bool asked = false;
    bool got = false;
};

constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

}  // namespace

TEST_CASE("an idle connection that is alive is used again, the one that was used last first") {
    Fixture f;
    auto [a, peer_a] = f.connect();
    auto [b, peer_b] = f.connect();
    const Connection* first = a.get();
    const Connection* second = b.get();
    f.pool->give_back(std::move(a));
    f.pool->give_back(std::move(b));
    CHECK(f.pool->idle_count() == 2);
    auto taken = f.pool->take_idle(true);
    CHECK(taken.get() == second);
    auto other = f.pool->take_idle(false);
    CHECK(other.get() == first);
    CHECK(f.pool->take_idle(true) == nullptr);
    f.pool->drop(std::move(taken));
    f.pool->drop(std::move(other));
}

TEST_CASE(
    "an idle connection is not used when the kernel knows of its end or of bytes that nobody asked for") {
    for (const bool ends : {true, false}) {
        INFO((ends ? "end" : "bytes"));
        Fixture f;
        auto [good, peer_good] = f.connect();
        auto [bad, peer_bad] = f.connect();
        const Connection* alive = good.get();
        f.pool->give_back(std::move(good));
        f.pool->give_back(std::move(bad));
        if (ends)
            peer_bad.end();
        else
            peer_bad.send(kAnswer);
        // No turn of the poller: nobody has told us.
        auto taken = f.pool->take_idle(true);
        CHECK(taken.get() == alive);
        CHECK(f.pool->take_idle(true) == nullptr);
        CHECK(f.pool->endpoint().connections == 1);  // now: who needs another one instead finds room
        f.pool->drop(std::move(taken));
    }
}

TEST_CASE("an idle connection leaves the pool when it ends, or when bytes come that nobody asked for") {
    for (const bool ends : {true, false}) {
        INFO((ends ? "end" : "bytes"));
        Fixture f;
        auto [connection, peer] = f.connect();
        f.pool->give_back(std::move(connection));
        f.poller.turn(milliseconds(0));
        CHECK(f.pool->idle_count() == 1);
        if (ends)
            peer.end();
        else
            peer.send(kAnswer);
        f.poller.turn(milliseconds(5000));
        CHECK(f.pool->idle_count() == 0);
        CHECK(f.pool->endpoint().connections == 0);
    }
}

TEST_CASE(
    "what has been idle for 10 ms, or has events waiting, is looked at before it is used, whoever asks") {
    for (const bool rested : {true, false}) {
        INFO((rested ? "rested" : "an event of this turn"));
        Fixture f;
        auto [connection, peer] = f.connect();
        f.pool->give_back(std::move(connection));
        if (rested) {
            f.poller.turn(milliseconds(15));
            f.poller.turn(milliseconds(0));
            peer.send(kAnswer);
            CHECK(f.pool->take_idle(false) == nullptr);
            continue;
        }
        peer.send(kAnswer);
        // Within the turn that has fetched the event, before it is handed over.
        Taker taker(f);
        f.poller.again(&taker);
        f.poller.turn(milliseconds(5000));
        CHECK(taker.asked);
        CHECK_FALSE(taker.got);
        CHECK(f.pool->idle_count() == 0);
    }
}

TEST_CASE("a connection on which something can be read is not given back") {
    Fixture f;
    auto [connection, peer] = f.connect();
    User user;
    connection->assign(&user);
    peer.send(kAnswer);
    f.poller.turn(milliseconds(5000));
    REQUIRE(connection->readable());
    f.pool->give_back(std::move(connection));
    CHECK(f.pool->idle_count() == 0);
}

TEST_CASE("a connection whose end is known is not given back") {
    Fixture f;
    auto [connection, peer] = f.connect();
    peer.end();
    f.poller.turn(milliseconds(5000));
    REQUIRE(connection->hung_up());
    f.pool->give_back(std::move(connection));
    CHECK(f.pool->idle_count() == 0);
}

TEST_CASE("idle connections are bounded in number, in age and in idle time") {
    config::Pool rules;
    rules.max_idle = 1;
    rules.max_age = milliseconds(2000);
    rules.idle_timeout = milliseconds(500);
    Fixture f(rules);
    auto [old, peer_old] = f.connect();
    auto [spare, peer_spare] = f.connect();
    f.pool->give_back(std::move(old));
    f.pool->give_back(std::move(spare));
    CHECK(f.pool->idle_count() == 1);
    f.wheel.tick(milliseconds(400));
    CHECK(f.pool->idle_count() == 1);
    f.wheel.tick(milliseconds(700));
    CHECK(f.pool->idle_count() == 0);

    auto [young, peer_young] = f.connect();
    f.wheel.tick(milliseconds(2600));
    f.pool->give_back(std::move(young));  // 1.9 s
    auto taken = f.pool->take_idle(true);
    REQUIRE(taken);
    f.wheel.tick(milliseconds(2700));
    f.pool->give_back(std::move(taken));
    CHECK(f.pool->idle_count() == 0);
}

TEST_CASE("a connection that is used again is idle no more: its idle time does not end it") {
    config::Pool rules;
    rules.idle_timeout = milliseconds(500);
    Fixture f(rules);
    auto [connection, peer] = f.connect();
    f.pool->give_back(std::move(connection));
    auto taken = f.pool->take_idle(false);
    REQUIRE(taken);
    f.wheel.tick(milliseconds(5000));
    CHECK(taken->open());
    f.pool->drop(std::move(taken));
}

TEST_CASE("connections to an endpoint are bounded, and none stay idle when it has left the cluster") {
    config::Pool rules;
    rules.max_connections = 2;
    Fixture f(rules);
    auto [a, peer_a] = f.connect();
    CHECK(f.pool->may_connect());
    auto [b, peer_b] = f.connect();
    CHECK_FALSE(f.pool->may_connect());
    f.pool->drop(std::move(a));
    CHECK(f.pool->may_connect());
    f.poller.end_turn();
    CHECK(f.pool->may_connect());
    auto [c, peer_c] = f.connect();
    f.pool->give_back(std::move(b));
    f.pool->retire();
    CHECK(f.pool->idle_count() == 0);
    f.pool->give_back(std::move(c));
    CHECK(f.pool->idle_count() == 0);
}

}  // namespace gateway::upstream
