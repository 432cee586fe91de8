#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <deque>
#include <string>

#include "shared/async/fair_gate.hpp"

using shared::async::FairGate;
using shared::async::GateLimits;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// Callers that keep their places until leave() takes the oldest.
class Crowd {
  public:
    explicit Crowd(GateLimits limits) : gate(limits) {}

    void come(const std::string& key, int times = 1) {
        for (int i = 0; i < times; ++i) {
            auto entering = gate.enter(key);
            asio::co_spawn(io, std::move(entering),
                           [this, key](std::exception_ptr, std::optional<FairGate::Place> place) {
                               (place ? inside : shed) += key;
                               if (place) places.push_back(std::move(*place));
                           });
        }
        settle();
    }
    void leave() {
        places.pop_front();
        settle();
    }
    void settle() {
        io.restart();
        io.poll();
    }

    asio::io_context io;
    FairGate gate;
    std::deque<FairGate::Place> places;
    std::string inside;  // the keys of those who got in, in order
    std::string shed;
};

GateLimits limits(std::size_t places, std::size_t per_key, std::size_t waiting) {
    GateLimits limits;
    limits.places = places;
    limits.per_key = per_key;
    limits.waiting = waiting;
    return limits;
}

}  // namespace

TEST_CASE("places are given in turn by key, however many wait under one of them") {
    Crowd crowd(limits(1, 1, 100));
    crowd.come("a", 5);
    crowd.come("b", 2);
    crowd.come("c");
    CHECK(crowd.inside == "a");
    CHECK(crowd.gate.waiting() == 7);
    while (!crowd.places.empty()) crowd.leave();
    CHECK(crowd.inside == "abcabaaa");
    CHECK(crowd.gate.waiting() == 0);
    CHECK(crowd.gate.taken() == 0);
}

TEST_CASE("one key has at most its share, also while places are free") {
    Crowd crowd(limits(4, 2, 100));
    crowd.come("a", 5);
    CHECK(crowd.inside == "aa");
    CHECK_FALSE(crowd.gate.try_enter("a"));
    {
        const auto place = crowd.gate.try_enter("b");
        CHECK(place);
        CHECK(crowd.gate.taken() == 3);
    }
    CHECK(crowd.gate.taken() == 2);
    crowd.come("b", 2);
    CHECK(crowd.inside == "aabb");
    crowd.leave();
    CHECK(crowd.inside == "aabba");
}

TEST_CASE("where too many wait, the last of those who are most goes, not who has just come") {
    Crowd crowd(limits(1, 1, 4));
    crowd.come("x");
    crowd.come("a", 4);
    CHECK(crowd.shed.empty());
    crowd.come("a");
    CHECK(crowd.shed == "a");
    crowd.come("b");
    CHECK(crowd.shed == "aa");
    crowd.come("c");
    CHECK(crowd.shed == "aaa");
    crowd.come("d");  // two of a, one of b, one of c: as heavy as they
    CHECK(crowd.shed == "aaaa");
    crowd.come("e");
    CHECK(crowd.shed == "aaaae");
    CHECK(crowd.gate.shed() == 5);
    while (!crowd.places.empty()) crowd.leave();
    CHECK(crowd.inside == "xabcd");
}

TEST_CASE("who waits longer than there is patience is shed, and the gate goes on") {
    auto short_patience = limits(1, 1, 10);
    short_patience.patience = 20ms;
    Crowd crowd(short_patience);
    crowd.come("a", 2);
    crowd.come("b");
    crowd.io.restart();
    crowd.io.run_for(2s);
    CHECK(crowd.shed == "ab");
    CHECK(crowd.gate.waiting() == 0);
    crowd.leave();
    crowd.come("b");
    CHECK(crowd.inside == "ab");
}

TEST_CASE("a gate without a queue sheds at once") {
    Crowd crowd(limits(1, 1, 0));
    crowd.come("a");
    crowd.come("b");
    CHECK(crowd.inside == "a");
    CHECK(crowd.shed == "b");
}

TEST_CASE("a place that is moved on is given back once, and one that outlives its gate harms nobody") {
    std::optional<FairGate> gate(std::in_place, limits(1, 1, 1));
    auto place = gate->try_enter("a");
    REQUIRE(place);
    FairGate::Place moved = std::move(*place);
    place.reset();
    CHECK(gate->taken() == 1);
    CHECK_FALSE(gate->try_enter("b"));
    gate.reset();
}
