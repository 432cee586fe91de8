#include <catch2/catch.hpp>
#include <map>

#include "gateway/upstream/balancer.hpp"
#include "gateway/upstream/endpoint.hpp"
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

LostAttempt lost(Failure failure) {
    LostAttempt attempt;
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

TEST_CASE("the endpoint that has just failed is avoided while there is another, by every kind") {
    const auto all = endpoints({1, 2, 3});
    for (auto kind :
         {config::Balancer::round_robin, config::Balancer::least_requests, config::Balancer::hash}) {
        INFO(static_cast<int>(kind));
        Balancer balancer(kind, 7);
        Balancer same(kind, 7);
        balancer.set_active(all, {0, 1, 2});
        same.set_active(all, {0, 1, 2});
        for (std::size_t avoid : {0, 1, 2}) {
            std::map<std::size_t, int> count;
            for (std::uint64_t key = 0; key < 300; ++key) ++count[balancer.pick(key, avoid)];
            CHECK(count.size() == 2);
            CHECK(count.count(avoid) == 0);
        }
        if (kind != config::Balancer::hash) continue;
        // A key whose home is another endpoint stays there.
        for (std::uint64_t key = 0; key < 300; ++key)
            if (const std::size_t home = same.pick(key, Balancer::kNone); home != 1)
                REQUIRE(balancer.pick(key, 1) == home);
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

TEST_CASE("when a failed attempt may be repeated") {
    config::Retry rules;
    rules.attempts = 1;
    rules.on_status = {503};
    using enum Verdict;
    const auto with = [](LostAttempt attempt, bool route_allows, std::uint32_t used, bool silent_used) {
        attempt.route_allows = route_allows;
        attempt.used = used;
        attempt.silent_used = silent_used;
        return attempt;
    };
    CHECK(decide(rules, with(lost(Failure::connect), true, 0, false)) == again);
    CHECK(decide(rules, with(lost(Failure::connect), true, 1, false)) == give_up);
    CHECK(decide(rules, with(lost(Failure::connect), false, 0, false)) == again);  // nothing was sent
    CHECK(decide(rules, with(lost(Failure::reset), false, 0, false)) == give_up);
    CHECK(decide(rules, with(lost(Failure::reset), true, 0, false)) == again);
    CHECK(decide(rules, with(lost(Failure::timeout), true, 0, false)) == give_up);
    CHECK(decide(rules, with(lost(Failure::bad_answer), true, 0, false)) == give_up);

    LostAttempt status = lost(Failure::status);
    status.has_choice = true;
    status.status = 503;
    CHECK(decide(rules, with(status, true, 0, false)) == again);
    status.status = 500;
    CHECK(decide(rules, with(status, true, 0, false)) == give_up);

    // A pooled connection that was dead: once, without counting, unless repeating is switched off.
    LostAttempt pooled = lost(Failure::reset);
    pooled.pooled = true;
    CHECK(decide(rules, with(pooled, true, 9, false)) == again_silently);
    CHECK(decide(rules, with(pooled, false, 0, false)) == give_up);
    config::Retry never = rules;
    never.attempts = 0;
    CHECK(decide(never, with(pooled, true, 0, false)) == give_up);
    CHECK(decide(rules, with(pooled, true, 1, true)) == give_up);

    // What must not be sent twice is sent again only if nothing was sent.
    LostAttempt post = lost(Failure::reset);
    post.idempotent = false;
    post.pooled = true;
    CHECK(decide(rules, with(post, true, 0, false)) == give_up);
    post.failure = Failure::connect;
    CHECK(decide(rules, with(post, true, 0, false)) == again);

    LostAttempt started = lost(Failure::reset);
    started.answer_started = true;
    CHECK(decide(rules, with(started, true, 0, false)) == give_up);
    LostAttempt gone = lost(Failure::connect);
    gone.replayable = false;
    CHECK(decide(rules, with(gone, true, 0, false)) == give_up);
}

// The whole table, against the rules as docs/life-of-a-request.md tells them.
TEST_CASE("every combination of what counts has the verdict that the documentation gives it") {
    const auto expected = [](const config::Retry& rules, const LostAttempt& a) {
        using enum Verdict;
        // Nothing is repeated once the client has seen a byte, without its body, or out of time.
        if (a.answer_started || !a.replayable || a.time_is_up) return give_up;
        const bool any_method = a.failure == Failure::connect;
        if (!any_method && !a.idempotent) return give_up;
        if (!any_method && a.websocket) return give_up;
        if (!any_method && (!a.route_allows || rules.attempts == 0)) return give_up;
        if (a.failure == Failure::reset && a.pooled && !a.silent_used) return again_silently;
        if (a.used >= rules.attempts) return give_up;
        if (a.failure == Failure::connect) return rules.on_connect_failure ? again : give_up;
        if (a.failure == Failure::reset) return rules.on_reset ? again : give_up;
        if (a.failure != Failure::status) return give_up;
        const bool listed = a.status == 502 || a.status == 503;
        return listed && a.has_choice && !a.draining ? again : give_up;
    };
    std::size_t rows = 0;
    std::map<Verdict, std::size_t> seen;
    for (Failure failure :
         {Failure::connect, Failure::reset, Failure::timeout, Failure::bad_answer, Failure::status}) {
        for (std::uint16_t status : {500, 502, 503, 504}) {
            for (std::uint32_t used : {0U, 1U, 2U, 3U}) {
                for (unsigned bits = 0; bits < (1U << 13); ++bits) {
                    const auto bit = [bits](unsigned i) { return (bits >> i & 1U) != 0; };
                    LostAttempt a;
                    a.failure = failure;
                    a.status = status;
                    a.used = used;
                    a.pooled = bit(0);
                    a.idempotent = bit(1);
                    a.websocket = bit(2);
                    a.replayable = bit(3);
                    a.answer_started = bit(4);
                    a.time_is_up = bit(5);
                    a.route_allows = bit(6);
                    a.has_choice = bit(7);
                    a.draining = bit(8);
                    a.silent_used = bit(9);
                    config::Retry rules;
                    rules.attempts = bit(12) ? 2 : 0;
                    rules.on_status = {502, 503};
                    rules.on_connect_failure = bit(10);
                    rules.on_reset = bit(11);
                    const Verdict verdict = decide(rules, a);
                    ++seen[verdict];
                    ++rows;
                    if (verdict == expected(rules, a)) continue;
                    CAPTURE(static_cast<int>(failure), status, used, bits);
                    CHECK(verdict == expected(rules, a));
                }
            }
        }
    }
    CHECK(rows == 5U * 4 * 4 * 8192);
    CHECK(seen[Verdict::again] > 0);
    CHECK(seen[Verdict::again_silently] > 0);
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

TEST_CASE("what requests earned fades within ten seconds of calm") {
    config::Retry rules;
    rules.budget_percent = 50;
    rules.budget_min_per_second = 0;
    struct Case {
        SteadyMs calm;
        int left;
    };
    for (const Case& c :
         {Case{0, 100}, Case{100, 99}, Case{5000, 50}, Case{9900, 1}, Case{10'000, 0}, Case{60'000, 0}}) {
        INFO(c.calm);
        RetryReserve reserve(rules);
        RetryBudget budget(rules, reserve);
        for (int i = 0; i < 1000; ++i) budget.on_request(1000);  // 500 earned, 100 kept
        int retries = 0;
        while (budget.take(1000 + c.calm)) ++retries;
        CHECK(retries == c.left);
        // Calm takes what was earned, not what will be.
        budget.on_request(1001 + c.calm);
        budget.on_request(1001 + c.calm);
        CHECK(budget.take(1001 + c.calm));
        CHECK_FALSE(budget.take(1001 + c.calm));
    }
}

TEST_CASE("the reserve does not pile up while nobody needs it") {
    config::Retry rules;
    rules.budget_percent = 0;
    rules.budget_min_per_second = 3;
    RetryReserve reserve(rules);
    const auto taken_at = [&](SteadyMs now) {
        int retries = 0;
        while (reserve.take(now)) ++retries;
        return retries;
    };
    CHECK(taken_at(1000) == 3);
    CHECK(taken_at(1000) == 0);
    CHECK(taken_at(1333) == 0);
    CHECK(taken_at(1334) == 1);
    CHECK(taken_at(61'334) == 3);
    CHECK(taken_at(3'600'000) == 3);
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

TEST_CASE(
    "what was good before an ejection does not end it, what failed during it does not count behind it") {
    config::HealthCheck checks;
    checks.rise = 3;
    config::Outlier rules;
    rules.consecutive_failures = 2;
    rules.base_ejection = milliseconds(60'000);
    Endpoint endpoint("h", 1, 1, *SocketAddress::from_literal("10.0.0.1", 1), Health::up);
    for (SteadyMs now : {10, 20, 30, 40}) CHECK_FALSE(endpoint.record_check(true, checks, now));
    CHECK_FALSE(endpoint.record_failure(rules, true, 100));
    REQUIRE(endpoint.record_failure(rules, true, 100));
    for (SteadyMs now : {150, 160, 170}) CHECK_FALSE(endpoint.record_failure(rules, true, now));
    CHECK(endpoint.ejections() == 1);  // requests that were under way since before
    for (SteadyMs now : {200, 300}) {
        CHECK_FALSE(endpoint.record_check(true, checks, now));
        CHECK(endpoint.ejected(now));
    }
    CHECK(endpoint.record_check(true, checks, 400));
    CHECK(endpoint.usable(400));
    CHECK_FALSE(endpoint.record_failure(rules, true, 500));
    CHECK(endpoint.usable(500));
    CHECK(endpoint.record_failure(rules, true, 600));
    CHECK_FALSE(endpoint.usable(600));
}

TEST_CASE("failures that do not follow one another eject nobody, nor does a rule that is off") {
    config::Outlier rules;
    rules.consecutive_failures = 2;
    Endpoint endpoint("h", 1, 1, *SocketAddress::from_literal("10.0.0.1", 1), Health::up);
    for (SteadyMs now = 0; now < 10; ++now) {
        CHECK_FALSE(endpoint.record_failure(rules, true, now));
        endpoint.record_success();
    }
    rules.enabled = false;
    for (SteadyMs now = 10; now < 20; ++now) CHECK_FALSE(endpoint.record_failure(rules, true, now));
    CHECK_FALSE(endpoint.ejected(20));
    CHECK(endpoint.ejections() == 0);
    CHECK(endpoint.failures == 20);
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

}  // namespace gateway::upstream
