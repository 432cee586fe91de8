// Token buckets with a clock of our own, and their table under several threads.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gateway/limits/address_cap.hpp"
#include "gateway/limits/keyed_limiter.hpp"

using namespace gateway::limits;
using namespace std::chrono_literals;

namespace {

KeyHash::Value key(std::uint64_t policy, std::string_view text) {
    KeyHash hash(policy);
    hash.part(text);
    return hash.value();
}

}  // namespace

TEST_CASE("a bucket lets its burst through at once, then the steady rate") {
    const Rate rate(10, 1s, 5);
    BucketState state = 0;
    Nanoseconds now = 1h;
    for (std::uint32_t i = 0; i < 5; ++i) {
        const auto d = take(rate, state, now);
        CHECK(d.allowed);
        CHECK(d.limit == 5);
        CHECK(d.remaining == 4 - i);
        CHECK(d.reset == 100ms * (i + 1));
    }
    auto d = take(rate, state, now);
    CHECK_FALSE(d.allowed);
    CHECK(d.remaining == 0);
    CHECK(d.retry_after == 100ms);
    CHECK(d.reset == 500ms);

    now += 99ms;
    CHECK_FALSE(take(rate, state, now).allowed);
    now += 1ms;
    CHECK(take(rate, state, now).allowed);
    CHECK_FALSE(take(rate, state, now).allowed);

    now += 10min;  // never more than the bucket holds
    for (int i = 0; i < 5; ++i) CHECK(take(rate, state, now).allowed);
    CHECK_FALSE(take(rate, state, now).allowed);
}

TEST_CASE("over a long time exactly rate plus burst requests pass") {
    const Rate rate(7, 1s, 3);
    BucketState state = 0;
    int passed = 0;
    for (int ms = 0; ms < 60'000; ++ms)
        passed += take(rate, state, 1h + std::chrono::milliseconds(ms)).allowed ? 1 : 0;
    CHECK(passed >= 7 * 60 + 3 - 1);
    CHECK(passed <= 7 * 60 + 3);
}

TEST_CASE("waiting for retry_after is enough, a nanosecond less is not") {
    const Rate rate(3, 1s, 2);
    BucketState state = 0;
    const Nanoseconds now = 1h;
    take(rate, state, now);
    take(rate, state, now + 1ms);
    const auto refused = take(rate, state, now + 2ms);
    REQUIRE_FALSE(refused.allowed);
    auto copy = state;
    CHECK_FALSE(take(rate, copy, now + 2ms + refused.retry_after - 1ns).allowed);
    CHECK(take(rate, state, now + 2ms + refused.retry_after).allowed);
}

TEST_CASE("extreme rates do not overflow") {
    for (const auto& rate :
         {Rate(1, 24h, 1'000'000'000), Rate(1'000'000'000, 1ms, 1'000'000'000), Rate(0, 1s, 0)}) {
        BucketState state = 0;
        const auto d = take(rate, state, 24h * 365 * 20);
        CHECK(d.allowed);
        CHECK(state > 0);
    }
}

TEST_CASE("a stricter rate after a reload does not lock a key out for ages") {
    const Rate before(1000, 1s, 1'000'000);
    const Rate after(10, 1s, 10);
    BucketState state = 0;
    const Nanoseconds now = 1h;
    for (int i = 0; i < 500'000; ++i) take(before, state, now);
    const auto d = take(after, state, now);
    CHECK_FALSE(d.allowed);
    CHECK(d.retry_after <= 1s);
}

TEST_CASE("keys are told apart by policy, by text and by where the parts end") {
    KeyHash a(1), b(1);
    a.part("a");
    a.part("b");
    b.part("ab");
    b.part("");
    CHECK_FALSE(a.value() == b.value());
    CHECK(key(1, "x") == key(1, "x"));
    CHECK_FALSE(key(1, "x") == key(2, "x"));
    CHECK_FALSE(key(1, "x") == key(1, "y"));
    CHECK_FALSE(key(1, std::string(8, '\0')) == key(1, std::string(7, '\0')));
}

TEST_CASE("each key has a bucket of its own") {
    KeyedLimiter limiter(1000);
    const Rate rate(1, 1s, 2);
    for (int i = 0; i < 500; ++i) {
        const auto k = key(0, std::to_string(i));
        CHECK(limiter.take(k, rate, 1h).allowed);
        CHECK(limiter.take(k, rate, 1h).allowed);
        CHECK_FALSE(limiter.take(k, rate, 1h).allowed);
    }
    CHECK(limiter.evicted() == 0);
}

TEST_CASE("one key is one bucket for all threads: exactly the burst passes") {
    KeyedLimiter limiter(1000);
    const Rate rate(1, 1h, 1000);
    const auto k = key(0, "everybody");
    std::atomic<int> passed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 5000; ++i)
                if (limiter.take(k, rate, 2h).allowed) passed.fetch_add(1, std::memory_order_relaxed);
        });
    for (auto& thread : threads) thread.join();
    CHECK(passed == 1000);
}

TEST_CASE("memory is fixed; full buckets give way for free and others are counted") {
    KeyedLimiter limiter(1000);
    const auto bytes = limiter.memory_bytes();
    const Rate rate(1, 1s, 1);
    for (int i = 0; i < 100'000; ++i) limiter.take(key(0, std::to_string(i)), rate, 1h + i * 1s);
    CHECK(limiter.evicted() == 0);  // each was full again a second later
    CHECK(limiter.memory_bytes() == bytes);
    for (int i = 0; i < 100'000; ++i) limiter.take(key(1, std::to_string(i)), rate, 100'000h);
    CHECK(limiter.evicted() > 0);
}

TEST_CASE("RateLimit fields are whole seconds, rounded up") {
    const Rate rate(5, 60s, 5);
    BucketState state = 0;
    RateLimitFields fields;
    const auto first = take(rate, state, 1h);
    format_fields("login", rate, first, fields);
    CHECK(std::string(fields.limit) == "\"login\";r=4;t=12");
    CHECK(std::string(fields.policy) == "\"login\";q=5;w=60");
    for (int i = 0; i < 4; ++i) take(rate, state, 1h);
    format_fields("login", rate, take(rate, state, 1h + 500ms), fields);
    CHECK(std::string(fields.retry_after) == "12");
    format_fields(std::string(200, 'x'), rate, first, fields);  // never past the end
    CHECK(std::string(fields.limit).size() < sizeof fields.limit);
}

TEST_CASE("connections per address are counted, IPv6 by its network") {
    using gateway::wire::IpAddress;
    AddressCap cap(2);
    const auto a = *IpAddress::parse("10.0.0.1");
    const auto b = *IpAddress::parse("10.0.0.2");
    CHECK(cap.acquire(a));
    CHECK(cap.acquire(*IpAddress::parse("::ffff:10.0.0.1")));  // the same address
    CHECK_FALSE(cap.acquire(a));
    CHECK(cap.acquire(b));
    cap.release(a);
    CHECK(cap.acquire(a));
    CHECK(cap.count(a) == 2);
    CHECK(cap.acquire(*IpAddress::parse("2001:db8::1")));
    CHECK(cap.acquire(*IpAddress::parse("2001:db8::2")));
    CHECK_FALSE(cap.acquire(*IpAddress::parse("2001:db8::ffff:3")));
    CHECK(cap.acquire(*IpAddress::parse("2001:db8:0:1::1")));
    AddressCap off(0);
    for (int i = 0; i < 100; ++i) CHECK(off.acquire(a));
    CHECK(off.count(a) == 0);
}
TEST_CASE("what is given back was never taken") {
    KeyedLimiter limiter(1000);
    const Rate rate(2, std::chrono::hours(1), 2);
    KeyHash hash(1);
    hash.part("a");
    const auto now = Nanoseconds(1'000'000'000'000);
    limiter.give_back(hash.value(), rate);  // unknown: nothing
    for (int i = 0; i < 5; ++i) {
        REQUIRE(limiter.take(hash.value(), rate, now).allowed);
        limiter.give_back(hash.value(), rate);
    }
    CHECK(limiter.take(hash.value(), rate, now).allowed);
    CHECK(limiter.take(hash.value(), rate, now).allowed);
    CHECK_FALSE(limiter.take(hash.value(), rate, now).allowed);
}
