#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "services/auth/domain/revocation_view.hpp"
#include "shared/base/random.hpp"

using namespace std::chrono_literals;
using auth::domain::EndedSession;
using auth::domain::RevocationView;
using auth::domain::WallTime;

namespace {

const WallTime kNow{std::chrono::seconds(1'800'000'000)};

EndedSession ended(std::string sid, WallTime at) {
    return {std::move(sid), at, at + 900s};
}

std::set<std::string> sids(const RevocationView::Answer& answer) {
    std::set<std::string> result;
    for (const auto& entry : answer.entries) result.insert(entry.sid);
    return result;
}

using Sids = std::set<std::string>;

struct Read {
    Sids sids;
    std::string cursor;
    int pages = 0;
};

// All pages from `answer` on, each from one of the replicas in turn.
Read read_on(RevocationView::Answer answer, const std::vector<const RevocationView*>& replicas,
             WallTime now) {
    Read read;
    for (;;) {
        ++read.pages;
        read.sids.merge(sids(answer));
        read.cursor = answer.cursor;
        if (!answer.more) return read;
        answer = replicas[static_cast<std::size_t>(read.pages) % replicas.size()]->since(answer.cursor, now);
    }
}

}  // namespace

TEST_CASE("a snapshot holds everything and its cursor asks only for what comes later") {
    RevocationView view;
    view.merge({ended("a", kNow - 600s), ended("b", kNow)});
    const auto first = view.snapshot(kNow);
    CHECK(sids(first) == Sids{"a", "b"});
    CHECK_FALSE(first.reset);
    const auto nothing = view.since(first.cursor, kNow + 1s);
    CHECK(nothing.entries.empty());
    CHECK_FALSE(nothing.reset);
    view.merge({ended("c", kNow + 2s)});
    CHECK(sids(view.since(first.cursor, kNow + 2s)) == Sids{"c"});
    CHECK(sids(view.since(nothing.cursor, kNow + 2s)) == Sids{"c"});
}

TEST_CASE("an entry of the millisecond after the cursor comes with the next answer") {
    RevocationView view;
    view.merge({ended("a", kNow)});
    const auto cursor = view.snapshot(kNow).cursor;
    view.merge({ended("b", kNow + 1ms)});
    const auto answer = view.since(cursor, kNow + 1ms);
    CHECK_FALSE(answer.reset);
    CHECK(sids(answer) == Sids{"b"});
    CHECK(view.since(answer.cursor, kNow + 2ms).entries.empty());
}

TEST_CASE(
    "an entry of the oldest millisecond that the cursor vouches for is not overtaken, an older one is") {
    for (const auto& [late, comes] : {std::pair{30s - 1ms, true}, std::pair{30s + 0ms, false}}) {
        RevocationView view;
        view.merge({ended("new", kNow)});
        const auto cursor = view.snapshot(kNow).cursor;
        view.merge({ended("late", kNow - late)});
        CHECK(sids(view.since(cursor, kNow)).contains("late") == comes);
    }
}

TEST_CASE("a cursor ahead of this clock by less than a minute is taken") {
    RevocationView ahead;
    ahead.merge({ended("a", kNow)});
    const auto cursor = ahead.snapshot(kNow).cursor;
    for (const auto& [behind, reset] :
         {std::pair{10s + 0ms, false}, std::pair{60s + 0ms, false}, std::pair{60s + 1ms, true}}) {
        RevocationView view;
        view.merge({ended("a", kNow)});
        const auto answer = view.since(cursor, kNow - behind);
        CHECK(answer.reset == reset);
        CHECK(answer.entries.empty() != reset);
    }
}

TEST_CASE("an entry that became visible late is not overtaken by the cursor") {
    RevocationView view;
    view.merge({ended("new", kNow)});
    const auto cursor = view.snapshot(kNow).cursor;
    view.merge({ended("late", kNow - 8s)});  // another replica's write took eight seconds
    const auto answer = view.since(cursor, kNow + 1s);
    CHECK(sids(answer).contains("late"));
    CHECK(view.since(answer.cursor, kNow + 2s).entries.empty());
}

TEST_CASE("a cursor of one replica is understood by another and costs nothing when both know the same") {
    RevocationView one;
    RevocationView other;
    one.merge({ended("a", kNow), ended("b", kNow - 2s)});
    other.merge({ended("b", kNow - 2s), ended("a", kNow)});
    const auto cursor = one.snapshot(kNow).cursor;
    CHECK(other.since(cursor, kNow).entries.empty());
    // The other one knows more: it gives what the first had not.
    other.merge({ended("c", kNow - 1s)});
    CHECK(sids(other.since(cursor, kNow)).contains("c"));
}

TEST_CASE("a restart loses nothing") {
    RevocationView before;
    before.merge({ended("a", kNow)});
    const auto cursor = before.snapshot(kNow).cursor;
    RevocationView after;  // filled again from the store
    after.merge({ended("a", kNow), ended("b", kNow + 5s)});
    CHECK(sids(after.since(cursor, kNow + 6s)) == Sids{"b"});
}

TEST_CASE("a cursor that is not ours gives a full snapshot marked as reset") {
    RevocationView view;
    view.merge({ended("a", kNow)});
    for (const std::string cursor :
         {"x", "r1", "r1.", "r1.1.2", "r1.abc.0.0", "r2.1800000000000.0.0", "r1.1800000000000.0.zz",
          "r1.-5.0.0", "r1.1800000000000.0.0.0", "r1.1800000099999.0.0", "r1.99999999999999999999.0.0"}) {
        CAPTURE(cursor);
        const auto answer = view.since(cursor, kNow);
        CHECK(answer.reset);
        CHECK(sids(answer) == Sids{"a"});
    }
}

TEST_CASE("entries leave when every verifier refuses their tokens anyway") {
    RevocationView view;
    view.merge({ended("a", kNow), ended("b", kNow + 10s)});
    CHECK(view.contains("a", kNow + 899s));
    CHECK_FALSE(view.contains("a", kNow + 900s));
    CHECK_FALSE(view.contains("other", kNow));
    view.expire(kNow + 900s);
    CHECK(view.size() == 1);
    CHECK(view.contains("b", kNow + 900s));
    // A cursor from before still works.
    RevocationView old;
    old.merge({ended("a", kNow)});
    const auto answer = view.since(old.snapshot(kNow).cursor, kNow + 900s);
    CHECK(sids(answer) == Sids{"b"});
}

TEST_CASE("a cursor is the same text in every replica and release") {
    // Computed elsewhere. Replicas of two releases that disagree send everything of the overlap again and
    // again.
    RevocationView view;
    view.merge({ended("a", kNow), ended("ZmmnLQMgSHPiAUUKpv62mg", kNow - 1s)});
    CHECK(view.snapshot(kNow).cursor == "r1.1800000000000.2.e35d897886826004");
}

TEST_CASE("a cursor does not go back, whatever the replica knows and its clock says") {
    RevocationView ahead;
    ahead.merge({ended("a", kNow)});
    const RevocationView empty;
    const auto answer = empty.since(ahead.snapshot(kNow).cursor, kNow - 10s);
    CHECK_FALSE(answer.reset);
    CHECK(answer.cursor.starts_with("r1.1800000000000."));
}

TEST_CASE("session ids of up to 24 bytes are kept, longer ones are nobody's") {
    RevocationView view;
    CHECK(view.merge({ended(std::string(24, 'x'), kNow)}));
    CHECK(view.contains(std::string(24, 'x'), kNow));
    CHECK(sids(view.snapshot(kNow)) == Sids{std::string(24, 'x')});
    CHECK_FALSE(view.merge({ended(std::string(25, 'x'), kNow)}));
    CHECK_FALSE(view.contains(std::string(25, 'x'), kNow));
}

TEST_CASE("merging the same entries again is no news") {
    RevocationView view;
    CHECK(view.merge({ended("a", kNow)}));
    CHECK_FALSE(view.merge({ended("a", kNow)}));
    CHECK_FALSE(view.merge({}));
    CHECK_FALSE(view.merge({ended("", kNow), ended(std::string(100, 'x'), kNow)}));
    CHECK(view.size() == 1);
}

TEST_CASE("following with skewed clocks and delayed writes through two replicas misses no ended session") {
    // Two replicas end sessions with clocks a second apart; each hears of the other's between 0 and 5 s
    // later. A gateway polls one or the other. In the end it knows them all.
    const std::size_t page = GENERATE(5000, 7);
    RevocationView replicas[2] = {RevocationView(30s, page), RevocationView(30s, page)};
    Sids known;
    Sids all;
    std::string cursor = replicas[0].snapshot(kNow).cursor;
    std::vector<std::pair<WallTime, std::pair<int, EndedSession>>> in_flight;
    unsigned seed = 12345;
    const auto random = [&](unsigned below) {
        seed = seed * 1664525 + 1013904223;
        return (seed >> 16) % below;
    };
    for (int step = 0; step < 2000; ++step) {
        const WallTime now = kNow + step * 50ms;
        if (random(3) == 0 && step < 1800) {
            const int at = static_cast<int>(random(2));
            const auto entry = ended(shared::random_id(), now + (at == 1 ? 1000ms : 0ms));
            all.insert(entry.sid);
            replicas[at].merge({entry});
            in_flight.push_back({now + std::chrono::milliseconds(random(5000)), {1 - at, entry}});
        }
        for (auto& [due, delivery] : in_flight)
            if (due <= now) replicas[delivery.first].merge({delivery.second});
        std::erase_if(in_flight, [&](const auto& flight) { return flight.first <= now; });
        // Pages follow one another faster than anything else happens.
        for (bool more = true; more;) {
            const auto answer = replicas[random(2)].since(cursor, now);
            CHECK_FALSE(answer.reset);
            for (const auto& entry : answer.entries) known.insert(entry.sid);
            cursor = answer.cursor;
            more = answer.more;
        }
    }
    CHECK(all.size() > 500);
    CHECK(known == all);
}

TEST_CASE("a long answer comes in pages and the last one's cursor asks only for what comes later") {
    RevocationView view(30s, 10);
    Sids all;
    for (int i = 0; i < 95; ++i) {
        // Three at a time, so that pages end between entries of the same millisecond.
        const auto sid = "s" + std::to_string(i);
        view.merge({ended(sid, kNow - 300s + (i / 3) * 10s)});
        all.insert(sid);
    }
    const auto first = view.snapshot(kNow + 20s);
    CHECK(first.entries.size() == 10);
    CHECK(first.more);
    const auto read = read_on(first, {&view}, kNow + 20s);
    CHECK(read.pages == 10);
    CHECK(read.sids == all);
    CHECK(view.since(read.cursor, kNow + 21s).entries.empty());
    view.merge({ended("new", kNow + 22s)});
    CHECK(sids(view.since(read.cursor, kNow + 22s)) == Sids{"new"});
    // A replica with another page size goes on from a cursor between two pages.
    RevocationView other(30s, 1000);
    for (auto answer = view.snapshot(kNow + 22s);; answer = view.since(answer.cursor, kNow + 22s)) {
        other.merge(answer.entries);
        if (!answer.more) break;
    }
    auto rest = sids(other.since(first.cursor, kNow + 22s));
    CHECK(rest.size() == 85);
    rest.merge(sids(first));
    CHECK(rest == all);
}

TEST_CASE("what came while pages were read, late or from a replica that knew less, is sent after them") {
    RevocationView ahead(30s, 5);
    RevocationView behind(30s, 5);
    Sids all;
    for (int i = 0; i < 40; ++i) {
        const auto entry = ended("s" + std::to_string(100 + i), kNow - 40s + i * 1s);
        all.insert(entry.sid);
        ahead.merge({entry});
        if (i != 30) behind.merge({entry});  // ended at the other replica just now
    }
    auto answer = ahead.snapshot(kNow);
    Sids known = sids(answer);
    for (int i = 0; i < 2; ++i) {
        answer = ahead.since(answer.cursor, kNow);
        known.merge(sids(answer));
    }
    // The pages have come to 26 s ago.
    ahead.merge({ended("late", kNow - 28s)});
    behind.merge({ended("late", kNow - 28s)});
    all.insert("late");
    auto read = read_on(answer, {&behind}, kNow);
    known.merge(Sids(read.sids));
    CHECK_FALSE(known.contains("late"));
    CHECK_FALSE(known.contains("s130"));
    // The other replica hears of it; now both give it to whoever has that cursor.
    behind.merge({ended("s130", kNow - 10s)});
    for (const auto* replica : {&ahead, &behind}) {
        const auto rest = read_on(replica->since(read.cursor, kNow + 1s), {&ahead, &behind}, kNow + 1s);
        Sids together = known;
        together.merge(Sids(rest.sids));
        CHECK(together == all);
        CHECK(ahead.since(rest.cursor, kNow + 2s).entries.empty());
        CHECK(behind.since(rest.cursor, kNow + 2s).entries.empty());
    }
}

TEST_CASE("a broken page cursor begins anew") {
    RevocationView view(30s, 1);
    view.merge({ended("a", kNow - 2s), ended("b", kNow - 1s)});
    const std::string good = view.snapshot(kNow).cursor;
    REQUIRE(good.starts_with("p1."));
    CHECK(sids(view.since(good, kNow)) == Sids{"b"});
    for (const std::string cursor : {"p1.", "p1.1.YQ.2.0", "p1.1.*.2.0.0", "p1.x.YQ.2.0.0", "p1.1.YQ.2.0.0.0",
                                     "p1.1..2.0.0", "p1.1.YQ.1800000099999.0.0"}) {
        CAPTURE(cursor);
        CHECK(view.since(cursor, kNow).reset);
    }
}

TEST_CASE("a hundred thousand ended sessions stay within bounds") {
    RevocationView view;
    std::vector<EndedSession> entries;
    for (int i = 0; i < 100'000; ++i)
        entries.push_back(ended(shared::random_id(), kNow + std::chrono::milliseconds(i)));
    CHECK(view.merge(entries));
    CHECK(view.size() == 100'000);
    const auto first = view.snapshot(kNow + 100s);
    CHECK(first.entries.size() == 5000);
    const auto read = read_on(first, {&view}, kNow + 100s);
    CHECK(read.pages == 20);
    CHECK(read.sids.size() == 100'000);
    CHECK(view.since(read.cursor, kNow + 100s).entries.empty());
    view.expire(kNow + 2000s);
    CHECK(view.size() == 0);
}
