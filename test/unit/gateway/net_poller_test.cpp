#include "gateway/net/poller.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gateway/net/stream.hpp"
#include "gateway/net/ticker.hpp"
#include "test/unit/gateway/socket_pair.hpp"

namespace gateway::net {

namespace {

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
    test::SocketPair pair;
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

namespace {

// Answers what it reads, by way of the batch.
class Echo : public PollHandler {
  public:
    explicit Echo(Poller& poller) : poller_(poller), stream_(pair_.fd[0]) {
        REQUIRE(poller.add(stream_.descriptor(), this).has_value());
    }
    ~Echo() override { ::close(pair_.fd[1]); }
    void on_events(std::uint32_t) override {
        std::array<char, 16> buffer;
        const IoResult got = stream_.read(buffer, false);
        if (got.bytes > 0 && !poller_.batch().add(stream_, *this, {buffer.data(), got.bytes}, "", ""))
            throw std::runtime_error("not taken");
    }
    void on_exception() noexcept override { failed = true; }

    void ask() { REQUIRE(::write(pair_.fd[1], "x", 1) == 1); }
    bool answered() {
        char byte = 0;
        return ::recv(pair_.fd[1], &byte, 1, MSG_DONTWAIT) == 1;
    }
    bool failed = false;

  private:
    Poller& poller_;
    test::SocketPair pair_;
    Stream stream_;
};

struct Echoes {
    explicit Echoes(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) all.push_back(std::make_unique<Echo>(poller));
        poller.turn(std::chrono::milliseconds(0));  // the first edges: all can be written to
        for (auto& echo : all) echo->ask();
    }
    std::size_t answered() {
        std::size_t count = 0;
        for (auto& echo : all) count += echo->answered() ? 1 : 0;
        return count;
    }
    Poller poller;
    std::vector<std::unique_ptr<Echo>> all;
};

}  // namespace

TEST_CASE("what a few are to be sent goes out in the same turn") {
    Echoes few(5);
    few.poller.turn(std::chrono::milliseconds(0));
    CHECK(few.answered() == 5);
}

TEST_CASE("a batch that is half full waits for the next turn, and goes out when that brings nothing") {
    Echoes many(40);
    many.poller.turn(std::chrono::milliseconds(0));
    CHECK(many.answered() == 0);
    many.poller.turn(std::chrono::seconds(5));  // does not wait: somebody waits for the batch
    CHECK(many.answered() == 40);
}

TEST_CASE("a batch does not wait for ever, however much else there is to do") {
    Echoes many(40);
    int turns = 0;
    while (turns < 20 && many.answered() == 0) {
        many.poller.post([] {});
        many.poller.turn(std::chrono::milliseconds(0));
        ++turns;
    }
    CHECK(turns == 8);
}

TEST_CASE("a full batch goes out at once") {
    Echoes many(100);
    many.poller.turn(std::chrono::milliseconds(0));
    CHECK(many.answered() >= 64);
    many.poller.turn(std::chrono::milliseconds(0));
    many.poller.turn(std::chrono::milliseconds(0));
    for (auto& echo : many.all) CHECK_FALSE(echo->failed);
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
