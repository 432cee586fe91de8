#include "gateway/net/poller.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gateway/net/ticker.hpp"

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

TEST_CASE("the set reports edges, a handler that retires is not called again") {
    Poller poller;
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
    });
    guard.reset();
    raw = owned.get();
    handler = std::move(owned);
    REQUIRE(poller.add(pair.fd[0], raw).has_value());
    REQUIRE(::write(pair.fd[1], "x", 1) == 1);
    for (int i = 0; i < 10; ++i) poller.turn(std::chrono::milliseconds(0));
    CHECK(calls == 1);
    CHECK(destroyed);
    ::close(pair.fd[1]);
}

TEST_CASE("work that was cut off gets its next turn, which does not wait for an event") {
    Poller poller;
    int calls = 0;
    Handler handler([&](std::uint32_t events) {
        CHECK(events == PollHandler::kAgain);
        if (++calls < 5) poller.again(&handler);
    });
    poller.turn(std::chrono::milliseconds(0));
    poller.again(&handler);
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 1; i <= 5; ++i) {
        poller.turn(std::chrono::seconds(10));
        CHECK(calls == i);
    }
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    poller.turn(std::chrono::milliseconds(0));
    CHECK(calls == 5);
}

TEST_CASE(
    "tasks of other threads wake the loop and run in their order; one that throws takes no other along") {
    Poller poller;
    std::vector<int> seen;
    const auto loop = std::this_thread::get_id();
    std::thread other([&] {
        for (int i = 0; i < 3000; ++i) {
            poller.post([&, i] {
                if (std::this_thread::get_id() == loop) seen.push_back(i);
                if (i % 1000 == 1) throw std::runtime_error("on purpose");
            });
            if (i % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    });
    for (int i = 0; i < 10'000 && seen.size() < 3000; ++i) poller.turn(std::chrono::seconds(5));
    other.join();
    REQUIRE(seen.size() == 3000);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
}

TEST_CASE("a task may post another, which runs in a later turn") {
    Poller poller;
    std::vector<std::uint64_t> turns;
    poller.post([&] {
        turns.push_back(poller.turns());
        poller.post([&] { turns.push_back(poller.turns()); });
    });
    for (int i = 0; i < 3; ++i) poller.turn(std::chrono::milliseconds(0));
    REQUIRE(turns.size() == 2);
    CHECK(turns[1] > turns[0]);
}

TEST_CASE("the clock of a turn stands still within it") {
    Poller poller;
    poller.post([&] {
        const auto begin = poller.now();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        CHECK(poller.now() == begin);
    });
    poller.turn(std::chrono::seconds(5));
    const auto before = poller.now();
    const auto before_ms = poller.now_ms();
    poller.turn(std::chrono::milliseconds(0));
    CHECK(poller.now() - before >= std::chrono::milliseconds(20));
    CHECK(poller.now_ms() - before_ms >= 19);
}

TEST_CASE("a ticker ticks at its interval, and once for what it missed") {
    Poller poller;
    int ticks = 0;
    const Ticker ticker(poller, std::chrono::milliseconds(30), [&] { ++ticks; });
    poller.turn(std::chrono::milliseconds(0));
    CHECK(ticks == 0);
    for (int i = 0; i < 20 && ticks < 3; ++i) poller.turn(std::chrono::seconds(5));
    CHECK(ticks == 3);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    poller.turn(std::chrono::milliseconds(0));
    CHECK(ticks == 4);
}

}  // namespace gateway::net
