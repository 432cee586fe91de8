// The circuit breaker through all its states, by an injected clock.
#include <catch2/catch.hpp>
#include <deque>

#include "gateway/upstream/circuit_breaker.hpp"

namespace gateway::upstream {

using std::chrono::milliseconds;

namespace {

constexpr SteadyMs kBegin = 10'000;

config::CircuitBreaker half_of_four() {
    config::CircuitBreaker rules;
    rules.failure_percent = 50;
    rules.min_requests = 4;
    rules.window = milliseconds(10'000);
    rules.open_for = milliseconds(500);
    rules.half_open_requests = 2;
    return rules;
}

void record(CircuitBreaker& breaker, int successes, int failures, SteadyMs now) {
    for (int i = 0; i < successes; ++i) breaker.allow(now).record(true, now);
    for (int i = 0; i < failures; ++i) breaker.allow(now).record(false, now);
}

// Opened at kBegin, by four failures.
struct Opened {
    explicit Opened(const config::CircuitBreaker& rules = half_of_four()) : breaker(rules) {
        record(breaker, 0, 4, kBegin);
        REQUIRE(is(CircuitBreaker::State::open));
    }
    bool is(CircuitBreaker::State state) const { return breaker.state() == state; }
    // A request goes out; false: it may not.
    bool begin(SteadyMs now) {
        CircuitBreaker::Permit permit = breaker.allow(now);
        if (!permit) return false;
        under_way.push_back(std::move(permit));
        return true;
    }
    // The one that has been under way for longest ends.
    void end(bool success, SteadyMs now) {
        under_way.front().record(success, now);
        under_way.pop_front();
    }
    CircuitBreaker breaker;
    std::deque<CircuitBreaker::Permit> under_way;
};

using enum CircuitBreaker::State;

}  // namespace

TEST_CASE("a breaker opens at its share of failures among enough requests") {
    struct Case {
        int successes;
        int failures;
        CircuitBreaker::State state;
    };
    for (const Case& c : {Case{0, 3, closed}, Case{0, 4, open}, Case{2, 1, closed}, Case{2, 2, open},
                          Case{5, 4, closed}, Case{5, 5, open}, Case{100, 99, closed}}) {
        INFO(c.successes << " good, " << c.failures << " bad");
        CircuitBreaker breaker(half_of_four());
        record(breaker, c.successes, c.failures, kBegin);
        CHECK(breaker.state() == c.state);
        CHECK(breaker.opened() == (c.state == open ? 1 : 0));
        CHECK(bool(breaker.allow(kBegin)) == (c.state == closed));
    }
    config::CircuitBreaker off = half_of_four();
    off.enabled = false;
    CircuitBreaker breaker(off);
    record(breaker, 0, 100, kBegin);
    CHECK(breaker.state() == closed);
    CHECK(breaker.allow(kBegin));
}

TEST_CASE("old failures do not count in a new window") {
    for (const bool in_time : {true, false}) {
        INFO(in_time);
        CircuitBreaker breaker(half_of_four());
        record(breaker, 0, 3, kBegin);
        record(breaker, 0, 1, kBegin + (in_time ? 9'999 : 10'000));
        CHECK(breaker.state() == (in_time ? open : closed));
        if (in_time) continue;
        record(breaker, 0, 2, kBegin + 10'000);
        CHECK(breaker.state() == closed);
        record(breaker, 0, 1, kBegin + 10'000);
        CHECK(breaker.state() == open);
    }
}

TEST_CASE("an open breaker tries after its time, with so many requests and no more") {
    Opened o;
    CHECK_FALSE(o.begin(kBegin + 499));
    CHECK(o.breaker.retry_in(kBegin) == 500);
    CHECK(o.breaker.retry_in(kBegin + 499) == 1);
    CHECK(o.breaker.retry_in(kBegin + 9'000) == 1);
    CHECK(o.begin(kBegin + 500));
    CHECK(o.is(half_open));
    CHECK(o.begin(kBegin + 500));
    CHECK_FALSE(o.begin(kBegin + 500));
    CHECK_FALSE(o.begin(kBegin + 5'000));
    // A trial that ended without an outcome gives its place back, and only its own.
    o.under_way.pop_back();
    CHECK(o.begin(kBegin + 600));
    CHECK_FALSE(o.begin(kBegin + 600));
    o.end(false, kBegin + 700);
    CHECK(o.is(open));
    CHECK(o.breaker.opened() == 2);
    CHECK_FALSE(o.begin(kBegin + 1'199));
    CHECK(o.begin(kBegin + 1'200));
}

TEST_CASE("a permit belongs to one holder and is used up once") {
    Opened o;
    CircuitBreaker::Permit first = o.breaker.allow(kBegin + 500);
    CircuitBreaker::Permit second = o.breaker.allow(kBegin + 500);
    CHECK(first);
    CHECK(second);
    CircuitBreaker::Permit moved = std::move(first);
    first = CircuitBreaker::Permit();
    CHECK_FALSE(o.breaker.allow(kBegin + 500));
    moved = CircuitBreaker::Permit();
    CircuitBreaker::Permit third = o.breaker.allow(kBegin + 500);
    CHECK(third);
    third.record(true, kBegin + 600);
    CHECK_FALSE(third);
    third.record(true, kBegin + 600);
    CHECK(o.is(half_open));
    second.record(true, kBegin + 600);
    CHECK(o.is(closed));
}

TEST_CASE("each time that a breaker tries it needs all its trials anew") {
    Opened o;
    REQUIRE(o.begin(kBegin + 500));
    REQUIRE(o.begin(kBegin + 500));
    o.end(true, kBegin + 500);
    o.end(false, kBegin + 500);
    REQUIRE(o.is(open));
    // The good one of before proves nothing any more, and both places are free.
    REQUIRE(o.begin(kBegin + 1'000));
    o.end(true, kBegin + 1'000);
    CHECK(o.is(half_open));
    REQUIRE(o.begin(kBegin + 1'000));
    CHECK_FALSE(o.begin(kBegin + 1'000));
    o.end(true, kBegin + 1'100);
    CHECK(o.is(closed));
    CHECK(o.begin(kBegin + 1'100));
}

TEST_CASE("a breaker that has closed begins to count anew") {
    config::CircuitBreaker rules = half_of_four();
    rules.failure_percent = 60;
    const SteadyMs closing = kBegin + 5'000;
    const auto close = [&](Opened& o) {
        for (int i = 0; i < 2; ++i) REQUIRE(o.begin(closing));
        for (int i = 0; i < 2; ++i) o.end(true, closing);
        REQUIRE(o.is(closed));
    };
    {
        Opened o(rules);
        close(o);
        record(o.breaker, 0, 3, closing);
        CHECK(o.is(closed));  // the four of before are forgotten
        record(o.breaker, 0, 1, closing);
        CHECK(o.is(open));  // and do not hide these either
    }
    {
        Opened o(rules);
        close(o);
        record(o.breaker, 3, 1, closing);
        CHECK(o.is(closed));  // one of four, not five
    }
    {
        // Its window begins where it closed.
        Opened o(rules);
        close(o);
        record(o.breaker, 0, 3, closing + 4'000);
        record(o.breaker, 0, 1, closing + 9'999);
        CHECK(o.is(open));
    }
}

TEST_CASE("answers to requests from before it opened neither keep a breaker open nor close it") {
    for (const bool good : {true, false}) {
        INFO(good);
        CircuitBreaker breaker(half_of_four());
        std::deque<CircuitBreaker::Permit> late;
        for (int i = 0; i < 6; ++i) late.push_back(breaker.allow(kBegin));
        record(breaker, 0, 4, kBegin);
        REQUIRE(breaker.state() == open);
        const auto next = [&](SteadyMs now) {
            late.front().record(good, now);
            late.pop_front();
        };
        next(kBegin + 100);
        CHECK(breaker.state() == open);
        CHECK_FALSE(breaker.allow(kBegin + 499));
        CircuitBreaker::Permit first = breaker.allow(kBegin + 500);
        CircuitBreaker::Permit second = breaker.allow(kBegin + 500);
        REQUIRE(breaker.state() == half_open);
        next(kBegin + 600);
        next(kBegin + 600);
        CHECK(breaker.state() == half_open);
        late.pop_front();  // without an outcome: that place was never a trial's
        CHECK_FALSE(breaker.allow(kBegin + 600));
        // A trial of the round before is no better.
        first.record(false, kBegin + 700);
        REQUIRE(breaker.state() == open);
        CircuitBreaker::Permit third = breaker.allow(kBegin + 1'200);
        CircuitBreaker::Permit fourth = breaker.allow(kBegin + 1'200);
        REQUIRE(breaker.state() == half_open);
        second.record(good, kBegin + 1'300);
        CHECK(breaker.state() == half_open);
        third.record(true, kBegin + 1'300);
        fourth.record(true, kBegin + 1'300);
        CHECK(breaker.state() == closed);
        CHECK(breaker.opened() == 2);
    }
}

TEST_CASE("a success that is taken back is a failure of the same request") {
    CircuitBreaker breaker(half_of_four());
    std::deque<CircuitBreaker::Permit> permits;
    for (int i = 0; i < 4; ++i) permits.push_back(breaker.allow(kBegin));
    for (auto& permit : permits) permit.record(true, kBegin);
    permits[0].take_back(kBegin);
    CHECK(breaker.state() == closed);
    permits[1].take_back(kBegin);
    CHECK(breaker.state() == open);  // two of four
    Opened o;
    CircuitBreaker::Permit trial = o.breaker.allow(kBegin + 500);
    trial.record(true, kBegin + 600);
    trial.take_back(kBegin + 700);
    CHECK(o.is(open));
}

TEST_CASE("trials that never report do not block the circuit for ever") {
    Opened o;
    const SteadyMs trying = kBegin + 700;
    REQUIRE(o.begin(trying));
    REQUIRE(o.begin(trying));
    const SteadyMs given_up = trying + 2 * 500 + 60'000;
    CHECK_FALSE(o.begin(given_up - 1));
    CHECK(o.begin(given_up));
    CHECK(o.begin(given_up));
    CHECK_FALSE(o.begin(given_up));
    CHECK_FALSE(o.begin(given_up + 1));
}

}  // namespace gateway::upstream
