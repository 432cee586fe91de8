#include <catch2/catch.hpp>

#include "services/auth/domain/address_limiter.hpp"
#include "services/auth/domain/throttle.hpp"

using namespace std::chrono_literals;
using auth::domain::AddressLimiter;
using auth::domain::BucketRules;
using auth::domain::delay_after;
using auth::domain::FailureState;
using auth::domain::forgotten;
using auth::domain::remaining_block;
using auth::domain::ThrottleRules;
using auth::domain::WallTime;
using auth::domain::with_attempt;
using auth::domain::without_attempt;

namespace {

const WallTime kNow{std::chrono::seconds(1'800'000'000)};

}  // namespace

TEST_CASE("five failures are free and then the wait doubles up to fifteen minutes") {
    const ThrottleRules rules;
    for (int failures = 0; failures <= 5; ++failures) CHECK(delay_after(failures, rules) == 0s);
    CHECK(delay_after(6, rules) == 2s);
    CHECK(delay_after(7, rules) == 4s);
    CHECK(delay_after(10, rules) == 32s);
    CHECK(delay_after(14, rules) == 512s);
    CHECK(delay_after(15, rules) == 900s);
    for (int failures = 15; failures < 150; ++failures) CHECK(delay_after(failures, rules) == 900s);
    CHECK(delay_after(1'000'000, rules) == 900s);
}

TEST_CASE("a block ends by itself and its rest is rounded up") {
    FailureState state{6, kNow, kNow + 2s};
    CHECK(remaining_block(state, kNow) == 2s);
    CHECK(remaining_block(state, kNow + 1500ms) == 1s);
    CHECK_FALSE(remaining_block(state, kNow + 2s));
    CHECK_FALSE(remaining_block(FailureState{}, kNow));
}

TEST_CASE("an old series of failures is forgotten") {
    const ThrottleRules rules;
    CHECK_FALSE(forgotten(FailureState{9, kNow - 23h, kNow - 23h}, kNow, rules));
    CHECK(forgotten(FailureState{9, kNow - 24h, kNow - 23h}, kNow, rules));
    CHECK_FALSE(forgotten(FailureState{}, kNow, rules));
    // Never while it blocks: with rules that block for longer than they remember.
    CHECK_FALSE(forgotten(FailureState{9, kNow - 24h, kNow + 1ms}, kNow, rules));
    CHECK(forgotten(FailureState{9, kNow - 24h, kNow}, kNow, rules));
}

TEST_CASE("an attempt is counted with the wait that it brings") {
    const ThrottleRules rules;
    FailureState state;
    for (int i = 1; i <= 5; ++i) {
        state = with_attempt(state, kNow + 999us, rules);
        CHECK(state == FailureState{i, kNow, WallTime{}});
    }
    state = with_attempt(state, kNow, rules);
    CHECK(state == FailureState{6, kNow, kNow + 2s});
    CHECK(with_attempt(state, kNow + 23h, rules) == FailureState{7, kNow + 23h, kNow + 23h + 4s});
    CHECK(with_attempt(state, kNow + 24h, rules) == FailureState{1, kNow + 24h, WallTime{}});
}

TEST_CASE("an attempt that was none is given back with the wait that it brought and no other") {
    const ThrottleRules rules;
    const FailureState five{5, kNow, WallTime{}};
    const auto sixth = with_attempt(five, kNow, rules);
    CHECK(without_attempt(sixth, sixth) == five);
    const auto seventh = with_attempt(sixth, kNow + 2s, rules);
    CHECK(without_attempt(seventh, sixth) == FailureState{6, kNow + 2s, kNow + 6s});
    // Cleared in between.
    CHECK(without_attempt(FailureState{0, kNow, WallTime{}}, sixth) == FailureState{0, kNow, WallTime{}});
}

TEST_CASE("what is given back to a bucket does not overfill it") {
    AddressLimiter limiter(BucketRules{2, 0.001, 100});
    CHECK(limiter.charge("a", kNow));
    CHECK(limiter.charge("a", kNow));
    CHECK_FALSE(limiter.charge("a", kNow));
    limiter.give_back("a", kNow);
    CHECK_FALSE(limiter.blocked("a", kNow));
    for (int i = 0; i < 5; ++i) limiter.give_back("a", kNow);
    CHECK(limiter.charge("a", kNow));
    CHECK(limiter.charge("a", kNow));
    CHECK_FALSE(limiter.charge("a", kNow));
}

TEST_CASE("an address has a burst and then the refill rate") {
    AddressLimiter limiter(BucketRules{3, 0.5, 100});
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(limiter.blocked("10.0.0.1", kNow));
        limiter.charge("10.0.0.1", kNow);
    }
    CHECK(limiter.blocked("10.0.0.1", kNow) == 2s);
    CHECK_FALSE(limiter.blocked("10.0.0.2", kNow));
    CHECK(limiter.blocked("10.0.0.1", kNow + 1s) == 1s);
    CHECK_FALSE(limiter.blocked("10.0.0.1", kNow + 2s));
    limiter.charge("10.0.0.1", kNow + 2s);
    CHECK(limiter.blocked("10.0.0.1", kNow + 2s));
    // A full bucket is full, however long nobody came.
    CHECK_FALSE(limiter.blocked("10.0.0.1", kNow + 1h));
    for (int i = 0; i < 3; ++i) limiter.charge("10.0.0.1", kNow + 1h);
    CHECK(limiter.blocked("10.0.0.1", kNow + 1h));
}

TEST_CASE("charging an empty bucket makes nobody wait longer") {
    AddressLimiter limiter(BucketRules{1, 1, 100});
    for (int i = 0; i < 5; ++i) limiter.charge("a", kNow);
    CHECK(limiter.blocked("a", kNow) == 1s);
    CHECK_FALSE(limiter.blocked("a", kNow + 1s));
}

TEST_CASE("a clock that is set back neither fills nor empties a bucket") {
    AddressLimiter limiter(BucketRules{2, 1, 100});
    limiter.charge("a", kNow);
    CHECK_FALSE(limiter.blocked("a", kNow - 1h));
    limiter.charge("a", kNow - 1h);
    CHECK(limiter.blocked("a", kNow - 1h));
}

TEST_CASE("the number of remembered addresses is bounded and the oldest leaves first") {
    AddressLimiter limiter(BucketRules{1, 0.001, 50});
    limiter.charge("first", kNow);
    limiter.charge("second", kNow);
    CHECK(limiter.blocked("first", kNow));  // looked at: used most recently
    for (int i = 0; i < 49; ++i) limiter.charge("other " + std::to_string(i), kNow);
    CHECK(limiter.size() == 50);
    CHECK(limiter.blocked("first", kNow));
    CHECK_FALSE(limiter.blocked("second", kNow));  // forgotten
}
