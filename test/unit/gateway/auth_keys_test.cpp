// Keys that come from a URL and ended sessions that come from a feed, seen through the gate.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "gateway/auth/issuer.hpp"
#include "gateway/auth/issuer_set.hpp"
#include "gateway/auth/token_gate.hpp"
#include "shared/base/encoding.hpp"
#include "shared/base/random.hpp"
#include "shared/jwt/jwks.hpp"
#include "test/unit/shared/fake_server.hpp"
#include "test/unit/shared/jwt_support.hpp"

using gateway::auth::IssuerSet;
using gateway::auth::TokenGate;
using shared::jwt::Algorithm;
using test::FakeServer;
using test::kNow;
using test::payload;
using test::Signer;
namespace config = gateway::config;
using namespace std::chrono_literals;

namespace {

config::Issuer base() {
    config::Issuer issuer;
    issuer.name = "kampus";
    issuer.issuer = "kampus-auth";
    issuer.audience = "kampus-api";
    issuer.claim_headers = {{"sub", "X-User-Id"}};
    return issuer;
}

config::Issuer from_url(const FakeServer& server) {
    auto issuer = base();
    issuer.jwks.emplace();
    issuer.jwks->url = server.url("/.well-known/jwks.json");
    issuer.jwks->refresh = 60s;
    return issuer;
}

config::Issuer with_feed(const FakeServer& server) {
    auto issuer = base();
    config::SigningKey key;
    key.secret = test::kSecret;
    issuer.keys.push_back(key);
    config::RevocationFeed feed;
    feed.url = server.url("/internal/revocations");
    feed.retry = 10ms;
    issuer.revocations = feed;
    return issuer;
}

struct Running {
    explicit Running(std::vector<config::Issuer> issuers) : set(IssuerSet::make(issuers)), gate(set) {
        set->start(io);
    }
    ~Running() { set->stop(); }

    std::string outcome(const std::string& token) { return outcome_of(gate, token); }
    static std::string outcome_of(TokenGate& gate, const std::string& token) {
        const auto decision = gate.check("Bearer " + token, {}, {"/", ""}, kNow);
        if (decision.allowed) return decision.cached ? "cached" : "accepted";
        return std::to_string(decision.status) + " " + std::string(decision.reason);
    }
    bool until(const std::function<bool()>& condition) { return test::run_until(io, condition); }
    const shared::keys::JwksFollower& jwks() { return *set->issuers()[0]->jwks()->task; }

    boost::asio::io_context io{1};
    std::shared_ptr<IssuerSet> set;
    TokenGate gate;
};

std::string token_of(const Signer& signer, const std::string& kid, const std::string& more = "") {
    return signer.token(
        R"({"alg":")" + std::string(to_string(signer.algorithm())) + R"(","kid":")" + kid + "\"}",
        payload(more));
}

std::string page(const std::string& cursor, const std::string& sid) {
    return R"({"cursor":")" + cursor + R"(","reset":false,"entries":[)" +
           (sid.empty() ? "" : R"({"sid":")" + sid + R"(","until":4000000000})") + "]}";
}

}  // namespace

TEST_CASE(
    "keys come as a secret, a PEM text or a file with a key set, side by side, each for its own algorithm") {
    const Signer hs(Algorithm::hs256), rs(Algorithm::rs256), es(Algorithm::es256), ed(Algorithm::eddsa);
    const auto file = std::filesystem::temp_directory_path() / ("jwks-" + shared::random_id() + ".json");
    std::ofstream(file) << shared::jwt::to_jwks({es.key("e"), ed.key("d")});
    auto issuer = base();
    issuer.keys.resize(2);
    issuer.keys[0].secret = test::kSecret;
    issuer.keys[1].algorithm = "PS256";
    issuer.keys[1].public_key = rs.public_pem();
    issuer.jwks.emplace();
    issuer.jwks->file = file.string();
    Running r({issuer});
    std::filesystem::remove(file);
    CHECK(r.set->ready());
    CHECK(r.outcome(hs.token(payload())) == "accepted");
    CHECK(r.outcome(token_of(es, "e")) == "accepted");
    CHECK(r.outcome(token_of(ed, "d")) == "accepted");
    CHECK(r.outcome(token_of(ed, "e")) == "401 alg_key_mismatch");
    CHECK(r.outcome(token_of(es, "x")) == "401 unknown_kid");
    CHECK(r.outcome(rs.token(payload())) == "401 alg_key_mismatch");  // RS256, and the key is one for PS256
    // The public half as an HMAC secret: the oldest trick.
    CHECK(r.outcome(Signer::with_secret(rs.public_pem()).token(payload())) == "401 bad_signature");
}

TEST_CASE("without keys a token is an outage, never a 401, until the keys come") {
    const Signer es(Algorithm::es256);
    FakeServer server;  // drops every connection
    Running r({from_url(server)});
    const auto token = token_of(es, "k1");
    CHECK(r.outcome(token) == "503 no_keys");
    REQUIRE(r.until([&] { return r.jwks().failures() >= 1; }));
    CHECK(r.outcome(token) == "503 no_keys");
    CHECK_FALSE(r.set->ready());
    server.otherwise(shared::jwt::to_jwks({es.key("k1")}));
    REQUIRE(r.until([&] { return r.set->ready(); }));
    CHECK(r.outcome(token) == "accepted");
    CHECK(r.outcome(token) == "cached");
    CHECK(server.requests()[0].find("User-Agent: ") != std::string::npos);
}

TEST_CASE("a rotated key is fetched when a token names it, at most once per interval") {
    const Signer old_key(Algorithm::es256), new_key(Algorithm::es256), stranger(Algorithm::es256);
    FakeServer server;
    server.otherwise(shared::jwt::to_jwks({old_key.key("old")}));
    Running r({from_url(server)});
    REQUIRE(r.until([&] { return r.set->ready(); }));
    CHECK(r.outcome(token_of(old_key, "old")) == "accepted");
    server.otherwise(shared::jwt::to_jwks({old_key.key("old"), new_key.key("new")}));
    CHECK(r.outcome(token_of(new_key, "new")) == "401 unknown_kid");
    REQUIRE(r.until([&] { return r.outcome(token_of(new_key, "new")) != "401 unknown_kid"; }));
    CHECK(r.outcome(token_of(new_key, "new")) == "accepted");
    CHECK(r.outcome(token_of(old_key, "old")) == "accepted");  // verified anew under the new set
    const auto fetched = server.requests().size();
    for (int i = 0; i < 100; ++i)
        CHECK(r.outcome(token_of(stranger, "x" + std::to_string(i))) == "401 unknown_kid");
    r.io.run_for(200ms);
    r.io.restart();
    CHECK(server.requests().size() == fetched);
}

TEST_CASE("a key that left the set stops verifying, cached or not") {
    const Signer a(Algorithm::eddsa), b(Algorithm::rs256);
    FakeServer server;
    server.otherwise(shared::jwt::to_jwks({a.key("a"), b.key("b")}));
    auto issuer = from_url(server);
    issuer.jwks->refresh = 50ms;
    Running r({issuer});
    REQUIRE(r.until([&] { return r.set->ready(); }));
    const auto token = token_of(a, "a");
    CHECK(r.outcome(token) == "accepted");
    CHECK(r.outcome(token) == "cached");
    server.otherwise(shared::jwt::to_jwks({b.key("b")}));
    REQUIRE(r.until([&] { return r.outcome(token) != "cached"; }));
    CHECK(r.outcome(token) == "401 unknown_kid");
    CHECK(r.outcome(token_of(b, "b")) == "accepted");
}

TEST_CASE("the last good keys serve while fetching fails, up to max_stale") {
    const Signer es(Algorithm::es256);
    FakeServer server;
    server.otherwise(shared::jwt::to_jwks({es.key("k1")}));
    auto issuer = from_url(server);
    issuer.jwks->refresh = 30ms;
    issuer.jwks->max_stale = 1500ms;
    Running r({issuer});
    REQUIRE(r.until([&] { return r.set->ready(); }));
    server.otherwise(R"({"keys":[]})");  // no keys at all is a mistake, not an answer
    REQUIRE(r.until([&] { return r.jwks().failing(); }));
    CHECK(r.outcome(token_of(es, "k1")) == "accepted");
    CHECK(r.outcome(token_of(es, "other")) == "503 no_keys");  // it may be one that could not be fetched
    REQUIRE(r.until([&] { return !r.set->ready(); }));
    CHECK(r.outcome(token_of(es, "k1")) == "503 no_keys");
    server.otherwise(shared::jwt::to_jwks({es.key("k1")}));
    REQUIRE(r.until([&] { return r.set->ready(); }));
    CHECK(r.outcome(token_of(es, "k1")) == "accepted");
}

TEST_CASE("another issuer's keys are never tried") {
    const Signer es(Algorithm::es256);
    FakeServer server;
    server.otherwise(shared::jwt::to_jwks({es.key("k1")}));
    auto second = base();
    second.name = "second";
    second.issuer = "other-auth";
    second.keys.emplace_back();
    second.keys[0].secret = std::string(40, 's');
    Running r({from_url(server), second});
    REQUIRE(r.until([&] { return r.set->ready(); }));
    config::AuthRule rule;
    rule.issuer_index = 1;
    const auto ask = [&](const std::string& token) {
        return std::string(r.gate.check("Bearer " + token, rule, {"/", ""}, kNow).reason);
    };
    CHECK(r.outcome(token_of(es, "k1")) == "accepted");
    CHECK(ask(token_of(es, "k1")) == "unknown_kid");  // not even from the first issuer's cache
    CHECK(ask(es.token(payload())) == "alg_key_mismatch");
    CHECK(ask(Signer::with_secret(std::string(40, 's')).token(payload())) == "issuer_mismatch");
}

TEST_CASE("an ended session is refused at the next request although its token is cached") {
    FakeServer server;
    server.then(page("c1", "other"));
    Running r({with_feed(server)});
    const Signer hs(Algorithm::hs256);
    const auto token = hs.token(payload());
    CHECK(r.outcome(token) == "503 sessions_unknown");
    REQUIRE(r.until([&] { return r.set->ready(); }));
    CHECK(r.outcome(token) == "accepted");
    CHECK(r.outcome(token) == "cached");
    server.then(page("c2", "s-2"));
    const auto ended = [&] { return r.set->status()[0].ended_sessions; };
    REQUIRE(r.until([&] { return ended() == 2; }));
    CHECK(r.outcome(token) == "cached");  // looked again, still alive
    server.then(page("c3", "s-1"));
    REQUIRE(r.until([&] { return ended() == 3; }));
    CHECK(r.outcome(token) == "401 revoked");
    CHECK(r.outcome(token) == "401 revoked");
    CHECK(r.outcome(hs.token(R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u","exp":1700000600})")) ==
          "accepted");
    // The derived secret of the feed, as auth-service expects it.
    CHECK(server.requests()[0].find(
              "Authorization: Bearer bcf4f5b9426199a3dc8afefd8de754cfcdc9509d2c3794a68c9de28e08b0e7a1\r\n") !=
          std::string::npos);
}

TEST_CASE(
    "a cached token waits, too, when its feed has been silent for too long and the setting says refuse") {
    for (const auto on_stale :
         {config::RevocationFeed::OnStale::refuse, config::RevocationFeed::OnStale::allow}) {
        const bool refuse = on_stale == config::RevocationFeed::OnStale::refuse;
        CAPTURE(refuse);
        FakeServer server;  // drops every connection but the first
        server.then(page("c1", "other"));
        auto issuer = with_feed(server);
        issuer.revocations->max_age = 300ms;
        issuer.revocations->on_stale = on_stale;
        Running r({issuer});
        const Signer hs(Algorithm::hs256);
        const auto token = hs.token(payload());
        const auto without_session =
            hs.token(R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u","exp":1700000600})");
        REQUIRE(r.until([&] { return r.set->ready(); }));
        CHECK(r.outcome(token) == "accepted");
        CHECK(r.outcome(without_session) == "accepted");
        REQUIRE(r.until([&] { return r.set->status()[0].feed_stale; }));
        CHECK(r.outcome(token) == (refuse ? "503 sessions_unknown" : "cached"));
        CHECK(r.outcome(hs.token(payload(R"(,"n":1)"))) == (refuse ? "503 sessions_unknown" : "accepted"));
        CHECK(r.outcome(without_session) == "cached");
        CHECK(r.set->ready() != refuse);
        server.otherwise(page("c2", ""));
        REQUIRE(r.until([&] { return !r.set->status()[0].feed_stale; }));
        CHECK(r.outcome(token) == "cached");
    }
}

TEST_CASE("a reload forgets neither ended sessions nor fetched keys") {
    FakeServer keys, feed;
    const Signer es(Algorithm::es256);
    keys.otherwise(shared::jwt::to_jwks({es.key("k1")}));
    feed.then(page("c1", "s-1"));
    auto issuer = from_url(keys);
    issuer.revocations = with_feed(feed).revocations;
    issuer.revocations->token = "a-token-of-its-own";
    boost::asio::io_context io{1};
    auto before = IssuerSet::make({issuer});
    before->start(io);
    REQUIRE(test::run_until(io, [&] { return before->ready(); }));
    auto changed = issuer;
    changed.leeway = 10s;
    auto after = IssuerSet::make({changed}, before.get());
    after->start(io);
    before->stop();
    before.reset();
    CHECK(after->ready());  // with no look at the network
    TokenGate gate(after);
    CHECK(Running::outcome_of(gate, token_of(es, "k1")) == "401 revoked");
    feed.then(page("c2", "s-7"));
    REQUIRE(test::run_until(io, [&] { return after->status()[0].ended_sessions == 2; }));  // still followed

    auto other_url = changed;
    other_url.revocations->url = feed.url("/elsewhere");
    const auto anew = IssuerSet::make({other_url}, after.get());
    CHECK_FALSE(anew->ready());  // another feed is another truth
    after->stop();
    io.restart();
    io.run_for(9s);
    CHECK(io.stopped());  // nothing keeps running
}

TEST_CASE("a reload keeps the feed and the fetched keys under the same settings only") {
    auto issuer = base();
    issuer.jwks.emplace();
    issuer.jwks->url = "http://127.0.0.1:1/jwks.json";
    config::RevocationFeed settings;
    settings.url = "http://127.0.0.1:1/internal/revocations";
    settings.token = "t";
    issuer.revocations = settings;
    const auto before = IssuerSet::make({issuer});
    const auto keeps = [&](const config::Issuer& changed) {
        const auto after = IssuerSet::make({changed}, before.get());
        const auto& was = *before->issuers()[0];
        const auto& is = *after->issuers()[0];
        return std::pair(is.feed() == was.feed(), is.jwks() == was.jwks());
    };
    const std::pair both(true, true), keys_only(false, true), feed_only(true, false);
    CHECK(keeps(issuer) == both);
    auto leeway = issuer;
    leeway.leeway += 1s;
    CHECK(keeps(leeway) == both);
    using Feed = config::RevocationFeed;
    int row = 0;
    for (void (*change)(Feed&) :
         {+[](Feed& f) { f.url += "/x"; }, +[](Feed& f) { f.token = "u"; }, +[](Feed& f) { f.wait += 1s; },
          +[](Feed& f) { f.retry += 1ms; }, +[](Feed& f) { f.max_age += 1ms; },
          +[](Feed& f) { ++f.max_entries; },
          +[](Feed& f) {
              f.on_stale = f.on_stale == Feed::OnStale::refuse ? Feed::OnStale::allow : Feed::OnStale::refuse;
          }}) {
        INFO(++row);
        auto changed = issuer;
        change(*changed.revocations);
        CHECK(keeps(changed) == keys_only);
    }
    for (void (*change)(config::Jwks&) :
         {+[](config::Jwks& j) { j.url += "/x"; }, +[](config::Jwks& j) { j.refresh += 1s; },
          +[](config::Jwks& j) { j.max_stale += 1s; }, +[](config::Jwks& j) { j.unknown_kid_interval += 1s; },
          +[](config::Jwks& j) { j.timeout += 1ms; }}) {
        INFO(++row);
        auto changed = issuer;
        change(*changed.jwks);
        CHECK(keeps(changed) == feed_only);
    }
    // The secret that the feed's is derived from.
    issuer.revocations->token.clear();
    issuer.keys.emplace_back();
    issuer.keys[0].secret = test::kSecret;
    const auto derived = IssuerSet::make({issuer});
    auto other_secret = issuer;
    other_secret.keys[0].secret = std::string(40, 's');
    CHECK(IssuerSet::make({issuer}, derived.get())->issuers()[0]->feed() == derived->issuers()[0]->feed());
    CHECK(IssuerSet::make({other_secret}, derived.get())->issuers()[0]->feed() !=
          derived->issuers()[0]->feed());
}

TEST_CASE("one question can be answered without a running gateway") {
    FakeServer keys, feed;
    const Signer es(Algorithm::es256);
    keys.otherwise(shared::jwt::to_jwks({es.key("k1")}));
    feed.then(page("c1", "s-1"));
    auto issuer = from_url(keys);
    issuer.revocations = with_feed(feed).revocations;
    issuer.revocations->token = "a-token-of-its-own";
    const auto set = IssuerSet::make({issuer});
    REQUIRE(set->settle(5s));
    TokenGate gate(set);
    CHECK(Running::outcome_of(gate, token_of(es, "k1")) == "401 revoked");
    FakeServer silent;
    CHECK_FALSE(IssuerSet::make({from_url(silent)})->settle(100ms));
}
