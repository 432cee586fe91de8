#include <catch2/catch.hpp>
#include <map>

#include "gateway/upstream/balancer.hpp"
#include "gateway/upstream/circuit_breaker.hpp"
#include "gateway/upstream/endpoint.hpp"
#include "gateway/upstream/in_flight.hpp"
#include "gateway/upstream/retry_policy.hpp"

namespace gateway::upstream {

using std::chrono::milliseconds;

namespace {

std::vector<std::shared_ptr<Endpoint>> endpoints(const std::vector<std::uint32_t>& weights) {
    std::vector<std::shared_ptr<Endpoint>> all;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const std::string host = "10.0.0." + std::to_string(i + 1);
        all.push_back(std::make_shared<Endpoint>(host, 80, weights[i], *SocketAddress::from_literal(host, 80),
                                                 Health::up));
    }
    return all;
}

Attempt lost(Failure failure) {
    Attempt attempt;
    attempt.failure = failure;
    attempt.idempotent = true;
    attempt.replayable = true;
    return attempt;
}

}  // namespace

TEST_CASE("weighted round robin is smooth") {
    const auto all = endpoints({5, 1, 1});
    Balancer balancer(config::Balancer::round_robin, 1);
    balancer.set_active(all, {0, 1, 2});
    std::string order;
    for (int i = 0; i < 7; ++i) order += static_cast<char>('a' + balancer.pick(0, Balancer::kNone));
    CHECK(order == "aabacaa");
}

TEST_CASE("an endpoint without weight or outside the active set is never picked") {
    const auto all = endpoints({1, 0, 1});
    for (auto kind :
         {config::Balancer::round_robin, config::Balancer::least_requests, config::Balancer::hash}) {
        Balancer balancer(kind, 7);
        balancer.set_active(all, {0, 1});
        for (std::uint64_t i = 0; i < 50; ++i) CHECK(balancer.pick(i, Balancer::kNone) == 0);
        // There is no other: the one to avoid is better than none.
        CHECK(balancer.pick(1, 0) == 0);
        balancer.set_active(all, {});
        CHECK(balancer.pick(1, Balancer::kNone) == Balancer::kNone);
    }
}

TEST_CASE("least requests prefers the one with less under way for its weight") {
    const auto all = endpoints({1, 1, 4});
    all[0]->in_flight = 10;
    all[1]->in_flight = 10;
    all[2]->in_flight = 10;
    Balancer balancer(config::Balancer::least_requests, 3);
    balancer.set_active(all, {0, 1, 2});
    std::map<std::size_t, int> count;
    for (int i = 0; i < 3000; ++i) ++count[balancer.pick(0, Balancer::kNone)];
    // Whenever the heavy one is among the two, it wins: in two of three draws.
    CHECK(count[2] > 1800);
    CHECK(count[0] > 300);
    for (int i = 0; i < 200; ++i) CHECK(balancer.pick(0, 2) != 2);
}

TEST_CASE("hashing moves only the keys of the endpoint that went, and weights count") {
    const auto all = endpoints({1, 1, 1, 3});
    Balancer balancer(config::Balancer::hash, 1);
    balancer.set_active(all, {0, 1, 2, 3});
    std::map<std::uint64_t, std::size_t> before;
    std::map<std::size_t, int> count;
    for (std::uint64_t key = 0; key < 6000; ++key) {
        before[key] = balancer.pick(key * 0x9e3779b97f4a7c15ULL, Balancer::kNone);
        ++count[before[key]];
    }
    CHECK(count[3] > 2700);
    CHECK(count[3] < 3300);
    CHECK(count[0] > 850);
    CHECK(count[0] < 1150);
    balancer.set_active(all, {1, 2, 3});
    for (const auto& [key, home] : before) {
        const std::size_t now = balancer.pick(key * 0x9e3779b97f4a7c15ULL, Balancer::kNone);
        if (home != 0) REQUIRE(now == home);
    }
}

TEST_CASE("a breaker opens at its share of failures, tries after a while, and closes or opens again") {
    config::CircuitBreaker rules;
    rules.failure_percent = 50;
    rules.min_requests = 4;
    rules.window = milliseconds(1000);
    rules.open_for = milliseconds(500);
    rules.half_open_requests = 2;
    CircuitBreaker breaker(rules);
    SteadyMs now = 10'000;
    for (bool good : {true, false, true}) {
        REQUIRE(breaker.allow(now));
        breaker.record(good, now);
    }
    CHECK(breaker.state() == CircuitBreaker::State::closed);
    breaker.allow(now);
    breaker.record(false, now);
    CHECK(breaker.state() == CircuitBreaker::State::open);
    CHECK_FALSE(breaker.allow(now + 499));
    CHECK(breaker.retry_in(now + 499) == 1);
    now += 500;
    CHECK(breaker.allow(now));
    CHECK(breaker.allow(now));
    CHECK_FALSE(breaker.allow(now));
    // A trial that ended without an outcome gives its place back.
    breaker.cancel();
    CHECK(breaker.allow(now));
    breaker.record(false, now);
    CHECK(breaker.state() == CircuitBreaker::State::open);
    now += 500;
    CHECK(breaker.allow(now));
    breaker.record(true, now);
    CHECK(breaker.state() == CircuitBreaker::State::half_open);
    CHECK(breaker.allow(now));
    breaker.record(true, now);
    CHECK(breaker.state() == CircuitBreaker::State::closed);
    CHECK(breaker.opened() == 2);
}

TEST_CASE("old failures do not count in a new window") {
    config::CircuitBreaker rules;
    rules.min_requests = 4;
    rules.window = milliseconds(1000);
    CircuitBreaker breaker(rules);
    for (int i = 0; i < 3; ++i) breaker.record(false, 5000);
    for (int i = 0; i < 3; ++i) breaker.record(false, 6001);
    CHECK(breaker.state() == CircuitBreaker::State::closed);
    breaker.record(false, 6002);
    CHECK(breaker.state() == CircuitBreaker::State::open);
}

TEST_CASE("when a failed attempt may be repeated") {
    config::Retry rules;
    rules.attempts = 1;
    rules.on_status = {503};
    using enum Verdict;
    CHECK(decide(rules, true, lost(Failure::connect), 0, false) == again);
    CHECK(decide(rules, true, lost(Failure::connect), 1, false) == give_up);
    CHECK(decide(rules, false, lost(Failure::connect), 0, false) == give_up);
    CHECK(decide(rules, true, lost(Failure::reset), 0, false) == again);
    CHECK(decide(rules, true, lost(Failure::timeout), 0, false) == give_up);
    CHECK(decide(rules, true, lost(Failure::bad_answer), 0, false) == give_up);

    Attempt status = lost(Failure::status);
    status.status = 503;
    CHECK(decide(rules, true, status, 0, false) == again);
    status.status = 500;
    CHECK(decide(rules, true, status, 0, false) == give_up);

    // A pooled connection that was dead: once, without counting, whatever the route says.
    Attempt pooled = lost(Failure::reset);
    pooled.pooled = true;
    CHECK(decide(rules, false, pooled, 9, false) == again_silently);
    CHECK(decide(rules, true, pooled, 1, true) == give_up);

    // What must not be sent twice is sent again only if nothing was sent.
    Attempt post = lost(Failure::reset);
    post.idempotent = false;
    post.pooled = true;
    CHECK(decide(rules, true, post, 0, false) == give_up);
    post.failure = Failure::connect;
    CHECK(decide(rules, true, post, 0, false) == again);

    Attempt started = lost(Failure::reset);
    started.answer_started = true;
    CHECK(decide(rules, true, started, 0, false) == give_up);
    Attempt gone = lost(Failure::connect);
    gone.replayable = false;
    CHECK(decide(rules, true, gone, 0, false) == give_up);
}

TEST_CASE("the retry budget is a share of the requests, and a small reserve") {
    config::Retry rules;
    rules.budget_percent = 20;
    rules.budget_min_per_second = 2;
    RetryReserve reserve(rules);
    RetryBudget budget(rules, reserve);
    SteadyMs now = 1000;
    for (int i = 0; i < 50; ++i) budget.on_request(now);
    int retries = 0;
    while (budget.take(now)) ++retries;
    CHECK(retries >= 11);  // 10 of 50, and the 2 in reserve
    CHECK(retries <= 12);
    CHECK_FALSE(budget.take(now + 100));
    CHECK(budget.take(now + 600));
    // What an hour of traffic earned does not pay for a storm.
    for (int i = 0; i < 100'000; ++i) budget.on_request(now + 700);
    retries = 0;
    while (budget.take(now + 700)) ++retries;
    CHECK(retries <= 102);
}

TEST_CASE("the reserve is one for all workers") {
    config::Retry rules;
    rules.budget_percent = 0;
    rules.budget_min_per_second = 3;
    RetryReserve reserve(rules);
    RetryBudget first(rules, reserve);
    RetryBudget second(rules, reserve);
    int retries = 0;
    for (int i = 0; i < 10; ++i) retries += (first.take(1000) ? 1 : 0) + (second.take(1000) ? 1 : 0);
    CHECK(retries == 3);
    retries = 0;
    for (int i = 0; i < 10; ++i) retries += (first.take(1700) ? 1 : 0) + (second.take(1700) ? 1 : 0);
    CHECK(retries == 2);  // 0.7 s later: 2.1
}

TEST_CASE("an endpoint falls and rises by its checks") {
    config::HealthCheck rules;
    rules.rise = 2;
    rules.fall = 3;
    Endpoint endpoint("h", 1, 1, *SocketAddress::from_literal("10.0.0.1", 1), Health::unknown);
    CHECK(endpoint.usable(0));
    CHECK(endpoint.record_check(true, rules, 0));
    CHECK(endpoint.health() == Health::up);
    CHECK_FALSE(endpoint.record_check(false, rules, 0));
    CHECK_FALSE(endpoint.record_check(false, rules, 0));
    CHECK_FALSE(endpoint.record_check(true, rules, 0));
    CHECK_FALSE(endpoint.record_check(false, rules, 0));
    CHECK_FALSE(endpoint.record_check(false, rules, 0));
    CHECK(endpoint.record_check(false, rules, 0));
    CHECK_FALSE(endpoint.usable(0));
    CHECK_FALSE(endpoint.record_check(true, rules, 0));
    CHECK(endpoint.record_check(true, rules, 0));
    CHECK(endpoint.usable(0));
}

TEST_CASE("good checks end an ejection early") {
    config::HealthCheck checks;
    checks.rise = 2;
    config::Outlier rules;
    rules.consecutive_failures = 1;
    rules.base_ejection = milliseconds(60'000);
    Endpoint endpoint("h", 1, 1, *SocketAddress::from_literal("10.0.0.1", 1), Health::up);
    CHECK(endpoint.record_failure(rules, true, 100));
    CHECK_FALSE(endpoint.usable(200));
    CHECK_FALSE(endpoint.record_check(false, checks, 200));
    CHECK_FALSE(endpoint.record_check(true, checks, 300));
    CHECK_FALSE(endpoint.usable(300));
    CHECK(endpoint.record_check(true, checks, 400));
    CHECK(endpoint.usable(400));
}

TEST_CASE("ejections grow while no request succeeds") {
    config::Outlier rules;
    rules.consecutive_failures = 2;
    rules.base_ejection = milliseconds(1000);
    rules.max_ejection = milliseconds(2500);
    Endpoint endpoint("h", 1, 1, *SocketAddress::from_literal("10.0.0.1", 1), Health::up);
    CHECK_FALSE(endpoint.record_failure(rules, true, 100));
    CHECK(endpoint.record_failure(rules, true, 100));
    CHECK(endpoint.ejected(1099));
    CHECK_FALSE(endpoint.ejected(1100));
    endpoint.record_failure(rules, true, 2000);
    CHECK(endpoint.record_failure(rules, true, 2000));
    CHECK(endpoint.ejected(3999));
    endpoint.record_failure(rules, true, 5000);
    CHECK(endpoint.record_failure(rules, true, 5000));
    CHECK(endpoint.ejected(7499));
    CHECK_FALSE(endpoint.ejected(7500));
    endpoint.record_success();
    endpoint.record_failure(rules, true, 9000);
    CHECK_FALSE(endpoint.record_failure(rules, false, 9000));  // too many are out already
    CHECK(endpoint.record_failure(rules, true, 9000));
    CHECK_FALSE(endpoint.ejected(10'000));
    CHECK(endpoint.ejections() == 4);
}

TEST_CASE("places and queue of an in-flight limit are bounded") {
    config::InFlight rules;
    rules.max = 2;
    rules.queue = 1;
    InFlightLimit limit(rules);
    CHECK(limit.try_acquire());
    CHECK(limit.try_acquire());
    CHECK_FALSE(limit.try_acquire());
    CHECK(limit.try_queue());
    CHECK_FALSE(limit.try_queue());
    limit.release();
    CHECK(limit.try_acquire());
    InFlightLimit none{config::InFlight{}};
    for (int i = 0; i < 1000; ++i) CHECK(none.try_acquire());
}

}  // namespace gateway::upstream
