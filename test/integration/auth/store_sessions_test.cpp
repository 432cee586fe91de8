// The contract of SessionStore, on both stores.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "test/integration/auth/store_fixture.hpp"

using namespace auth::store;
using namespace std::chrono_literals;
using auth_test::run;
using auth_test::run_all;
using auth_test::StoreFixture;
using Kind = test::UserStore;

namespace {

const WallTime kNow{std::chrono::milliseconds(1'800'000'000'123)};
const SessionRules kRules;

Session new_session(const std::string& sid, const std::string& user = "user-1") {
    Session session;
    session.sid = sid;
    session.user_id = user;
    session.created_at = kNow;
    session.last_used_at = kNow;
    session.expires_at = kNow + kRules.absolute;
    session.client_address = "10.0.0.1";
    session.user_agent = "a browser";
    return session;
}

EndReason reason(WallTime now = kNow) {
    EndReason end;
    end.now = now;
    end.until = now + 900s;
    end.reason = "logout";
    return end;
}

Ending ending(EndReason reason, const std::string& kept) {
    Ending all;
    all.reason = std::move(reason);
    all.kept = kept;
    return all;
}

std::set<std::string> sids(const std::vector<EndedSession>& entries) {
    std::set<std::string> result;
    for (const auto& entry : entries) result.insert(entry.sid);
    return result;
}

using Sids = std::set<std::string>;

}  // namespace

TEST_CASE("a session is kept with everything that the list shows") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    REQUIRE(run(store.io, store.sessions().insert(new_session("s1"), {})).has_value());
    const auto found = run(store.io, store.sessions().find("s1"));
    REQUIRE(found.has_value());
    REQUIRE(found->has_value());
    CHECK((*found)->user_id == "user-1");
    CHECK((*found)->gen == 0);
    CHECK((*found)->created_at == kNow);
    CHECK((*found)->last_used_at == kNow);
    CHECK((*found)->expires_at == kNow + kRules.absolute);
    CHECK_FALSE((*found)->revoked);
    CHECK((*found)->client_address == "10.0.0.1");
    CHECK((*found)->user_agent == "a browser");
    CHECK_FALSE(run(store.io, store.sessions().find("none"))->has_value());
}

TEST_CASE("a hundred parallel rotations of one generation are one increment") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    const auto other_replica = store.open_again();
    REQUIRE(run(store.io, store.sessions().insert(new_session("s1"), {})).has_value());
    std::vector<awaitable<Result<std::optional<Session>>>> rotations;
    for (int i = 0; i < 100; ++i) {
        auto& sessions = i % 2 == 0 ? store.sessions() : other_replica->sessions();
        rotations.push_back(sessions.rotate("s1", 0, kNow + 1s, kRules));
    }
    int won = 0;
    for (const auto& result : run_all(store.io, rotations)) {
        REQUIRE(result.has_value());
        if (!*result) continue;
        ++won;
        CHECK((*result)->gen == 1);
        CHECK((*result)->last_used_at == kNow + 1s);
    }
    CHECK(won == 1);
    CHECK((*run(store.io, store.sessions().find("s1")))->gen == 1);
}

TEST_CASE("only a live session at that generation rotates") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    for (const std::string sid : {"s1", "s2", "s3"})
        REQUIRE(run(store.io, store.sessions().insert(new_session(sid), {})).has_value());
    const auto rotates = [&](const std::string& sid, std::int64_t gen, WallTime now) {
        return run(store.io, store.sessions().rotate(sid, gen, now, kRules))->has_value();
    };
    CHECK_FALSE(rotates("s1", 1, kNow));
    CHECK_FALSE(rotates("s1", -1, kNow));
    CHECK_FALSE(rotates("none", 0, kNow));
    CHECK_FALSE(rotates("s1", 0, kNow + kRules.idle));  // idle for too long, though nobody swept
    CHECK(rotates("s1", 0, kNow + kRules.idle - 1s));
    CHECK(rotates("s1", 1, kNow + kRules.idle + 1s));  // used since: the idle time starts again
    auto old = new_session("old");
    old.expires_at = kNow + 10s;
    REQUIRE(run(store.io, store.sessions().insert(old, {})).has_value());
    CHECK(rotates("old", 0, kNow + 9s));
    CHECK_FALSE(rotates("old", 1, kNow + 10s));
    REQUIRE(run(store.io, store.sessions().end("s2", reason(), {})).has_value());
    CHECK_FALSE(rotates("s2", 0, kNow));
    CHECK(rotates("s3", 0, kNow));
}

TEST_CASE("the successor is handed out again after its use at most ten times and only in the window") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    REQUIRE(run(store.io, store.sessions().insert(new_session("s1"), {})).has_value());
    REQUIRE(run(store.io, store.sessions().rotate("s1", 0, kNow, kRules))->has_value());
    CHECK_FALSE(
        run(store.io, store.sessions().use_grace("s1", 0, kNow, kRules))->has_value());  // not used yet
    REQUIRE(run(store.io, store.sessions().rotate("s1", 1, kNow, kRules))->has_value());

    std::vector<awaitable<Result<std::optional<Session>>>> uses;
    for (int i = 0; i < 30; ++i) uses.push_back(store.sessions().use_grace("s1", 0, kNow + 1s, kRules));
    int granted = 0;
    for (const auto& result : run_all(store.io, uses)) {
        REQUIRE(result.has_value());
        if (!*result) continue;
        ++granted;
        CHECK((*result)->gen == 2);
    }
    CHECK(granted == 10);

    // The next rotation opens a window of its own, for its own predecessor only.
    REQUIRE(run(store.io, store.sessions().rotate("s1", 2, kNow + 2s, kRules))->has_value());
    const auto granted_at = [&](std::int64_t gen, WallTime now) {
        return run(store.io, store.sessions().use_grace("s1", gen, now, kRules))->has_value();
    };
    CHECK_FALSE(granted_at(0, kNow + 3s));
    CHECK_FALSE(granted_at(2, kNow + 3s));
    CHECK_FALSE(granted_at(1, kNow + 32s));
    CHECK(granted_at(1, kNow + 31s));
    REQUIRE(run(store.io, store.sessions().end("s1", reason(), {})).has_value());
    CHECK_FALSE(granted_at(1, kNow + 3s));
}

TEST_CASE("an ended session is listed for the feed until nobody needs it") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    for (const std::string sid : {"s1", "s2"})
        REQUIRE(run(store.io, store.sessions().insert(new_session(sid), {})).has_value());
    REQUIRE(run(store.io, store.sessions().end("s1", reason(kNow), {})).has_value());
    REQUIRE(
        run(store.io, store.sessions().end("s1", reason(kNow + 60s), {})).has_value());  // twice is no error
    REQUIRE(run(store.io, store.sessions().end("s2", reason(kNow + 5s), {})).has_value());
    CHECK((*run(store.io, store.sessions().find("s1")))->revoked);

    const auto since = [&](WallTime from, WallTime now) {
        return sids(run(store.io, store.sessions().ended_since(from, now)).value());
    };
    CHECK(since(WallTime{}, kNow) == Sids{"s1", "s2"});
    CHECK(since(kNow, kNow) == Sids{"s2"});
    CHECK(since(kNow + 5s, kNow) == Sids{});
    CHECK(since(WallTime{}, kNow + 900s) == Sids{"s2"});
    CHECK(since(WallTime{}, kNow + 905s) == Sids{});
    const auto entries = run(store.io, store.sessions().ended_since(kNow, kNow)).value();
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].ended_at == kNow + 5s);
    CHECK(entries[0].until == kNow + 905s);
}

TEST_CASE("all sessions of an account end but the one that is kept and nobody else's") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    for (const std::string sid : {"s1", "s2", "s3", "s4"})
        REQUIRE(run(store.io, store.sessions().insert(new_session(sid), {})).has_value());
    REQUIRE(run(store.io, store.sessions().insert(new_session("other", "user-2"), {})).has_value());
    REQUIRE(run(store.io, store.sessions().end("s4", reason(), {})).has_value());

    auto ended =
        run(store.io, store.sessions().end_all("user-1", {}, ending(reason(kNow + 1s), "s2"))).value();
    CHECK(Sids(ended.begin(), ended.end()) == Sids{"s1", "s3"});
    CHECK(sids(run(store.io, store.sessions().ended_since(kNow, kNow)).value()) == Sids{"s1", "s3"});
    const auto live = run(store.io, store.sessions().list_live("user-1", kNow, kRules, 10, {})).value();
    REQUIRE(live.size() == 1);
    CHECK(live[0].sid == "s2");
    CHECK(run(store.io, store.sessions().list_live("user-2", kNow, kRules, 10, {}))->size() == 1);
    CHECK(run(store.io, store.sessions().list_live("user-2", kNow + kRules.idle, kRules, 10, {}))->empty());
    ended = run(store.io, store.sessions().end_all("user-1", {}, ending(reason(kNow + 2s), ""))).value();
    CHECK(Sids(ended.begin(), ended.end()) == Sids{"s2"});
    CHECK(run(store.io, store.sessions().end_all("nobody", {}, ending(reason(kNow), "")))->empty());
}

TEST_CASE("many sessions of one account end together") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    for (int i = 0; i < 1100; ++i)
        REQUIRE(run(store.io, store.sessions().insert(new_session("s" + std::to_string(i)), {})).has_value());
    // Some are being ended by somebody else already.
    for (const std::string sid : {"s3", "s700"})
        REQUIRE(run(store.io, store.sessions().end(sid, reason(), {})).has_value());
    const auto start = std::chrono::steady_clock::now();
    CHECK(run(store.io, store.sessions().end_all("user-1", {}, ending(reason(kNow + 1s), "s5")))->size() ==
          1097);
    CHECK(std::chrono::steady_clock::now() - start < 20s);
    CHECK(run(store.io, store.sessions().list_live("user-1", kNow, kRules, 10, {}))->size() == 1);
    CHECK(run(store.io, store.sessions().ended_since(WallTime{}, kNow))->size() == 1099);
}

TEST_CASE("after a session has ended no refresh that was under way brings it back") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    for (int round = 0; round < 20; ++round) {
        const std::string sid = "s" + std::to_string(round);
        REQUIRE(run(store.io, store.sessions().insert(new_session(sid), {})).has_value());
        // Both at once, in either order of starting.
        std::optional<bool> rotated;
        std::optional<bool> ended;
        const auto start_rotation = [&] {
            boost::asio::co_spawn(store.io, store.sessions().rotate(sid, 0, kNow, kRules),
                                  [&](std::exception_ptr, Result<std::optional<Session>> result) {
                                      rotated = result.has_value();
                                  });
        };
        if (round % 2 == 0) start_rotation();
        boost::asio::co_spawn(store.io, store.sessions().end(sid, reason(), {}),
                              [&](std::exception_ptr, Result<> result) { ended = result.has_value(); });
        if (round % 2 == 1) start_rotation();
        store.io.restart();
        while (!rotated || !ended) store.io.run_one();
        REQUIRE(*ended);
        const auto after = run(store.io, store.sessions().find(sid)).value();
        CHECK(after->revoked);
        CHECK_FALSE(run(store.io, store.sessions().rotate(sid, after->gen, kNow, kRules))->has_value());
    }
}

TEST_CASE("the sweeper deletes what is over and nothing else") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    const auto margin = kRules.access_ttl + kRules.leeway;
    auto live = new_session("live");
    auto idle = new_session("idle");
    idle.last_used_at = kNow - kRules.idle - margin - 1s;
    auto just_idle = new_session("just idle");  // its last access token could still be alive
    just_idle.last_used_at = kNow - kRules.idle - 1s;
    auto over = new_session("over");
    over.expires_at = kNow - margin - 1s;
    for (const auto& session :
         {live, idle, just_idle, over, new_session("ended"), new_session("ended long ago")})
        REQUIRE(run(store.io, store.sessions().insert(session, {})).has_value());
    REQUIRE(run(store.io, store.sessions().end("ended", reason(kNow), {})).has_value());
    REQUIRE(run(store.io, store.sessions().end("ended long ago", reason(kNow - 48h), {})).has_value());

    const auto swept = run(store.io, store.sessions().sweep(kNow, kRules));
    REQUIRE(swept.has_value());
    CHECK(*swept == 4);  // idle, over, ended long ago and its entry in the list
    const auto there = [&](const std::string& sid) {
        return run(store.io, store.sessions().find(sid))->has_value();
    };
    CHECK(there("live"));
    CHECK(there("just idle"));
    CHECK(there("ended"));
    CHECK_FALSE(there("idle"));
    CHECK_FALSE(there("over"));
    CHECK_FALSE(there("ended long ago"));
    CHECK(sids(run(store.io, store.sessions().ended_since(WallTime{}, kNow)).value()) == Sids{"ended"});
    CHECK(run(store.io, store.sessions().sweep(kNow, kRules)).value() == 0);
}

TEST_CASE("an account's sessions come in pages, newest login first, and none twice or never") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    // Three of one millisecond, one a millisecond earlier, one later.
    for (const auto& [sid, at] : {std::pair{"b", kNow}, std::pair{"a", kNow}, std::pair{"c", kNow},
                                  std::pair{"d", kNow - 1ms}, std::pair{"e", kNow + 1ms}}) {
        auto session = new_session(sid);
        session.created_at = at;
        REQUIRE(run(store.io, store.sessions().insert(session, {})).has_value());
    }
    const auto page = [&](std::size_t limit, std::optional<auth::store::SessionPosition> after) {
        std::string read;
        const auto found =
            run(store.io, store.sessions().list_live("user-1", kNow, kRules, limit, std::move(after)));
        for (const auto& session : found.value()) read += session.sid;
        return read;
    };
    using Position = auth::store::SessionPosition;
    CHECK(page(10, {}) == "eabcd");
    CHECK(page(2, {}) == "ea");
    CHECK(page(2, Position{kNow, "a"}) == "bc");
    CHECK(page(2, Position{kNow, "c"}) == "d");
    CHECK(page(10, Position{kNow + 1ms, "e"}) == "abcd");
    CHECK(page(10, Position{kNow - 1ms, "d"}).empty());
    // The one that the page before ended with is gone meanwhile.
    REQUIRE(run(store.io, store.sessions().end("b", reason(), {})).has_value());
    CHECK(page(10, Position{kNow, "b"}) == "cd");
}
