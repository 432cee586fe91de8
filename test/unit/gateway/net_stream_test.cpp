#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "gateway/net/listener.hpp"
#include "gateway/net/poller.hpp"
#include "gateway/net/stream.hpp"

namespace gateway::net {

namespace {

struct Pair {
    Pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd.data()) == 0); }
    std::array<int, 2> fd{};
};

class Handler : public PollHandler {
  public:
    explicit Handler(std::function<void(std::uint32_t)> f) : f_(std::move(f)) {}
    void on_events(std::uint32_t events) override { f_(events); }
    void on_exception() noexcept override {}

  private:
    std::function<void(std::uint32_t)> f_;
};

}  // namespace

TEST_CASE("a short read says that the socket is drained, except after a hang-up") {
    Pair pair;
    Stream stream(pair.fd[0]);
    std::array<char, 64> buffer;
    CHECK(stream.read(buffer, false).status == IoStatus::drained);
    REQUIRE(::write(pair.fd[1], "hello", 5) == 5);
    const IoResult first = stream.read(buffer, false);
    CHECK(first.status == IoStatus::drained);
    CHECK(first.bytes == 5);
    REQUIRE(::write(pair.fd[1], "bye", 3) == 3);
    ::close(pair.fd[1]);
    // The FIN came with the data: there will be no other edge.
    const IoResult last = stream.read(buffer, true);
    CHECK(last.status == IoStatus::ok);
    CHECK(last.bytes == 3);
    CHECK(stream.read(buffer, true).status == IoStatus::closed);
}

TEST_CASE("pieces go out in order, and what does not fit is told") {
    Pair pair;
    Stream stream(pair.fd[0]);
    CHECK(stream.write("a", "", "bc").bytes == 3);
    std::array<char, 8> buffer;
    CHECK(::read(pair.fd[1], buffer.data(), buffer.size()) == 3);
    CHECK(std::string(buffer.data(), 3) == "abc");
    const std::string large(10'000'000, 'x');
    const IoResult partial = stream.write("head", large);
    CHECK(partial.status == IoStatus::drained);
    CHECK(partial.bytes > 4);
    CHECK(partial.bytes < large.size());
    ::close(pair.fd[1]);
    CHECK(stream.write("more").status == IoStatus::failed);
}

TEST_CASE("the set reports edges, a handler that retires is not called again") {
    boost::asio::io_context io;
    Poller poller(io);
    Pair pair;
    int calls = 0;
    bool destroyed = false;
    struct Guard {
        bool* flag;
        ~Guard() { *flag = true; }
    };
    auto guard = std::make_shared<Guard>(Guard{&destroyed});
    destroyed = false;
    Handler* raw = nullptr;
    std::unique_ptr<PollHandler> handler;
    auto owned = std::make_unique<Handler>([&, guard](std::uint32_t events) {
        if ((events & EPOLLIN) == 0) return;
        ++calls;
        poller.again(raw);  // asks, and retires before its turn comes
        ::close(pair.fd[0]);
        poller.retire(std::move(handler));
        CHECK_FALSE(destroyed);
        poller.stop();
    });
    guard.reset();
    raw = owned.get();
    handler = std::move(owned);
    REQUIRE(poller.add(pair.fd[0], raw).has_value());
    poller.start();
    REQUIRE(::write(pair.fd[1], "x", 1) == 1);
    io.run_for(std::chrono::seconds(5));
    CHECK(calls == 1);
    CHECK(destroyed);
    ::close(pair.fd[1]);
}

TEST_CASE("work that was cut off gets its next turn") {
    boost::asio::io_context io;
    Poller poller(io);
    int turns = 0;
    Handler handler([&](std::uint32_t events) {
        CHECK(events == PollHandler::kAgain);
        if (++turns < 5)
            poller.again(&handler);
        else
            poller.stop();
    });
    poller.start();
    poller.again(&handler);
    io.run_for(std::chrono::seconds(5));
    CHECK(turns == 5);
}

TEST_CASE("a port that is listened on cannot be shared by accident, its own sockets share it") {
    auto first = listen_on("127.0.0.1", 0, 16, 3);
    REQUIRE(first.has_value());
    CHECK(first->descriptors.size() == 3);
    CHECK(first->port != 0);
    CHECK(listen_on("127.0.0.1", first->port, 16, 1).has_error());
    for (int descriptor : first->descriptors) ::close(descriptor);
    auto again = listen_on("127.0.0.1", first->port, 16, 1);
    CHECK(again.has_value());
    if (again) ::close(again->descriptors[0]);
    CHECK(listen_on("not an address", 0, 16, 1).has_error());
}

}  // namespace gateway::net
