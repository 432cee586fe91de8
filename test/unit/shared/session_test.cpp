// The feed of ended sessions: reading an answer, following it through outages, what is decided meanwhile.
#include <catch2/catch.hpp>

#include "shared/base/encoding.hpp"
#include "shared/session/feed_page.hpp"
#include "shared/session/feed_token.hpp"
#include "shared/session/follower.hpp"
#include "shared/session/token_check.hpp"
#include "test/unit/shared/fake_server.hpp"
#include "test/unit/shared/jwt_support.hpp"

namespace asio = boost::asio;
using shared::session::Follower;
using shared::session::FollowerOptions;
using test::FakeServer;
using test::run_until;
using namespace std::chrono_literals;

namespace {

std::string page(const std::string& cursor, const std::string& entries, bool reset = false) {
    return R"({"cursor":")" + cursor + R"(","reset":)" + (reset ? "true" : "false") + R"(,"entries":[)" +
           entries + "]}";
}

std::string entry(const std::string& sid, std::int64_t until = 4'000'000'000) {
    return R"({"sid":")" + sid + R"(","until":)" + std::to_string(until) + "}";
}

struct Following {
    explicit Following(FollowerOptions options)
        : set(std::make_shared<shared::jwt::RevocationSet>(100)),
          follower(std::make_shared<Follower>(std::move(options), set)) {
        follower->start(io);
    }
    bool until(const std::function<bool()>& condition) { return run_until(io, condition); }

    asio::io_context io{1};
    std::shared_ptr<shared::jwt::RevocationSet> set;
    std::shared_ptr<Follower> follower;
};

FollowerOptions options_for(const FakeServer& feed) {
    FollowerOptions options;
    options.url = feed.url("/internal/revocations");
    options.token = "feed-secret";
    options.retry = 10ms;
    options.retry_max = 40ms;
    return options;
}

}  // namespace

TEST_CASE("the derived feed token is the agreed one") {
    // printf 'kampus revocation feed v1' | openssl dgst -sha256 -hmac <secret>
    CHECK(shared::session::derive_feed_token("a-test-only-key-of-more-than-32-bytes-0123456789") ==
          "bcf4f5b9426199a3dc8afefd8de754cfcdc9509d2c3794a68c9de28e08b0e7a1");
}

TEST_CASE("an answer of the feed is read strictly, and may grow") {
    std::string good = R"({"cursor":"a\"b","reset":true,"entries":[{"sid":"s-1","until":17,"why":"logout"},)"
                       R"({"sid":"s-2","until":18.5}],"rest":{}})";
    const auto read = shared::session::parse_feed_page(good).value();
    CHECK(read.cursor == "a\"b");
    CHECK(read.reset);
    REQUIRE(read.entries.size() == 2);
    CHECK(read.entries[0].sid == "s-1");
    CHECK(read.entries[0].until == 17);
    CHECK(read.entries[1].until == 19);  // rather too long than too short

    for (std::string bad :
         {"", "[]", "{}", R"({"cursor":1,"entries":[]})", R"({"cursor":"c"})",
          R"({"cursor":"c","entries":{}})", R"({"cursor":"c","entries":[1]})",
          R"({"cursor":"c","entries":[{"sid":"s"}]})", R"({"cursor":"c","entries":[{"sid":"","until":1}]})",
          R"({"cursor":"c","entries":[{"sid":1,"until":1}]})",
          R"({"cursor":"c","entries":[{"sid":"s","until":"1"}]})",
          R"({"cursor":"c","entries":[{"sid":"s","until":1e9}]})",
          R"({"cursor":"c","entries":[{"sid":"s","until":99999999999999999999}]})",
          R"({"cursor":"c","reset":1,"entries":[]})", R"({"cursor":"c","more":"yes","entries":[]})"}) {
        INFO(bad);
        CHECK(shared::session::parse_feed_page(bad).has_error());
    }
}

TEST_CASE("a follower reads everything first, then what is new behind its cursor") {
    FakeServer feed;
    feed.then(page("c/1+x", entry("s-1") + "," + entry("s-2")));
    feed.then(page("c2", entry("s-2") + "," + entry("s-3")));
    Following f(options_for(feed));
    CHECK(f.follower->must_refuse());
    CHECK_FALSE(f.follower->ready());
    REQUIRE(f.until([&] { return f.set->contains("s-3"); }));
    CHECK(f.set->contains("s-1"));
    CHECK(f.set->size() == 3);
    CHECK(f.follower->ready());
    CHECK_FALSE(f.follower->must_refuse());
    const auto requests = feed.requests();
    REQUIRE(requests.size() >= 2);
    CHECK(requests[0].starts_with("GET /internal/revocations?wait=0 HTTP/1.1\r\n"));
    CHECK(requests[0].find("Authorization: Bearer feed-secret\r\n") != std::string::npos);
    CHECK(requests[1].starts_with("GET /internal/revocations?since=c%2F1%2Bx&wait=25 HTTP/1.1\r\n"));
}

TEST_CASE("a follower reads all pages before it says that it knows") {
    FakeServer feed;
    const auto part = [](const std::string& cursor, const std::string& entries) {
        return R"({"cursor":")" + cursor + R"(","reset":false,"more":true,"entries":[)" + entries + "]}";
    };
    feed.then(part("p1", entry("s-1")));
    feed.then("no", 503);
    feed.then(part("p2", entry("s-1")));  // nothing new on this page
    Following f(options_for(feed));
    REQUIRE(f.until([&] { return feed.requests().size() >= 4; }));
    CHECK(f.set->contains("s-1"));
    CHECK(f.follower->must_refuse());
    CHECK_FALSE(f.follower->ready());
    feed.then(page("c1", entry("s-2")));
    REQUIRE(f.until([&] { return f.follower->ready(); }));
    CHECK_FALSE(f.follower->must_refuse());
    CHECK(f.set->contains("s-2"));
    const auto requests = feed.requests();
    CHECK(requests[1].starts_with("GET /internal/revocations?since=p1&wait=0 HTTP/1.1\r\n"));
    CHECK(requests[2].starts_with("GET /internal/revocations?since=p1&wait=0 HTTP/1.1\r\n"));
    CHECK(requests[3].starts_with("GET /internal/revocations?since=p2&wait=0 HTTP/1.1\r\n"));
}

TEST_CASE("a follower goes on after errors, bad answers and a server that lost its cursor") {
    FakeServer feed;
    feed.then("no", 503);
    feed.then(page("c1", entry("s-1")));
    feed.then("<html>", 200);
    feed.then("no", 401);
    feed.then(page("d1", entry("s-9"), true));
    Following f(options_for(feed));
    REQUIRE(f.until([&] { return f.set->contains("s-9"); }));
    CHECK(f.set->contains("s-1"));  // a reset takes nothing back
    CHECK(f.follower->failures() >= 3);
    for (const auto& request : feed.requests())
        if (request.find("since=") != std::string::npos) CHECK(request.find("since=c1") != std::string::npos);
}

TEST_CASE("a feed that is never heard is waited for, then its setting decides") {
    FakeServer feed;  // drops every connection
    auto options = options_for(feed);
    options.max_age = 400ms;
    SECTION("allow") {
        options.refuse_when_stale = false;
        Following f(options);
        CHECK(f.follower->must_refuse());
        REQUIRE(f.until([&] { return f.follower->stale(); }));
        CHECK_FALSE(f.follower->must_refuse());
        CHECK_FALSE(f.follower->ready());
    }
    SECTION("refuse") {
        options.refuse_when_stale = true;
        Following f(options);
        REQUIRE(f.until([&] { return f.follower->stale(); }));
        CHECK(f.follower->must_refuse());
        feed.then(page("c1", entry("s-1")));
        REQUIRE(f.until([&] { return !f.follower->must_refuse(); }));
        CHECK_FALSE(f.follower->stale());
        CHECK(f.set->contains("s-1"));
    }
}

TEST_CASE("entries that a full set cannot take hold the cursor back") {
    FakeServer feed;
    std::string many;
    for (int i = 0; i < 120; ++i) many += (i == 0 ? "" : ",") + entry("s-" + std::to_string(i));
    feed.then(page("c1", many));
    feed.then(page("c1", many));
    Following f(options_for(feed));
    REQUIRE(f.until([&] { return feed.requests().size() >= 2; }));
    CHECK(f.set->size() == 100);
    CHECK_FALSE(f.follower->ready());
    CHECK(f.follower->must_refuse());
    CHECK(feed.requests()[1].find("since=") == std::string::npos);
}

TEST_CASE("an ended session is forgotten a little after its last token has expired, and not before") {
    const std::int64_t now = 1'700'000'000;
    FakeServer feed;
    std::string all;
    for (const int until : {-3600, -60, -6, -5, -4, 0, 600, 3600})
        all += (all.empty() ? "" : ",") + entry("s" + std::to_string(until), now + until);
    feed.then(page("c1", all));
    auto options = options_for(feed);
    options.sweep_interval = 1ms;
    options.clock = [&] { return test::kNow; };
    REQUIRE(test::kNow.time_since_epoch() == std::chrono::seconds(now));
    Following f(options);
    REQUIRE(f.until([&] { return f.follower->ready(); }));
    REQUIRE(f.until([&] { return f.set->size() <= 4; }));
    for (const int gone : {-3600, -60, -6, -5}) CHECK_FALSE(f.set->contains("s" + std::to_string(gone)));
    for (const int held : {-4, 0, 600, 3600}) CHECK(f.set->contains("s" + std::to_string(held)));
}

TEST_CASE("a full set makes room at once with what has expired") {
    auto time = test::kNow;
    const std::int64_t now = 1'700'000'000;
    FakeServer feed;
    std::string first;
    for (int i = 0; i < 100; ++i)
        first += (i == 0 ? "" : ",") + entry("s-" + std::to_string(i), now + (i < 60 ? 100 : 600));
    feed.then(page("c1", first));
    auto options = options_for(feed);
    options.sweep_interval = 1h;
    options.clock = [&] { return time; };
    Following f(options);
    REQUIRE(f.until([&] { return f.follower->ready(); }));
    CHECK(f.set->size() == 100);
    time += 105s;
    std::string second;
    for (int i = 100; i < 150; ++i)
        second += (i == 100 ? "" : ",") + entry("s-" + std::to_string(i), now + 900);
    feed.then(page("c2", second));
    feed.then(page("c3", ""));
    REQUIRE(f.until([&] { return f.set->contains("s-149"); }));
    CHECK(f.set->size() == 90);
    CHECK(f.set->contains("s-60"));
    CHECK_FALSE(f.set->contains("s-59"));
    // Nothing was left out, so the cursor moves on.
    REQUIRE(f.until([&] { return feed.requests().back().find("since=c2") != std::string::npos; }));
}

TEST_CASE("a service refuses the token of an ended session and says when it cannot know") {
    FakeServer feed;
    const test::Signer signer(shared::jwt::Algorithm::hs256);
    const auto keys =
        std::make_shared<const shared::keys::KeySource>(test::rules(), std::vector{signer.key()});
    const auto token = signer.token(test::payload());
    Following f(options_for(feed));
    const auto check = shared::session::make_token_check(keys, f.follower, [] { return test::kNow; });
    CHECK(check(token).error() == shared::jwt::Errc::sessions_unknown);
    CHECK(check("x").error() == shared::jwt::Errc::wrong_part_count);
    feed.then(page("c1", entry("other")));
    REQUIRE(f.until([&] { return f.follower->ready(); }));
    CHECK(check(token).has_value());
    feed.then(page("c2", entry("s-1")));
    REQUIRE(f.until([&] { return f.set->contains("s-1"); }));
    CHECK(check(token).error() == shared::jwt::Errc::revoked);
    CHECK(shared::session::make_token_check(keys, nullptr, [] { return test::kNow; })(token).has_value());
}

TEST_CASE("a token that was accepted before is refused when its issuer's key is withdrawn") {
    const test::Signer old_key(shared::jwt::Algorithm::rs256);
    const test::Signer new_key(shared::jwt::Algorithm::rs256);
    const auto set_of = [](const test::Signer& signer) {
        return R"({"keys":[{"kty":"RSA","e":"AQAB","n":")" + shared::base64url_encode(signer.rsa_modulus()) +
               "\"}]}";
    };
    FakeServer issuer;
    issuer.otherwise(set_of(old_key));
    shared::keys::JwksOptions options;
    options.url = issuer.url("/jwks.json");
    options.refresh = 20ms;
    asio::io_context io{1};
    const auto jwks = std::make_shared<shared::keys::JwksFollower>("auth", options);
    jwks->start(io);
    const auto keys =
        std::make_shared<const shared::keys::KeySource>(test::rules(), std::vector<shared::jwt::Key>{}, jwks);
    REQUIRE(run_until(io, [&] { return keys->ready(); }));

    const auto check = shared::session::make_token_check(keys, nullptr, [] { return test::kNow; });
    const auto token = old_key.token(test::payload());
    CHECK(check(token).has_value());
    CHECK(check(token).has_value());
    issuer.otherwise(set_of(new_key));
    const auto before = keys->version();
    REQUIRE(run_until(io, [&] { return keys->version() != before; }));
    CHECK(check(token).error() == shared::jwt::Errc::bad_signature);
    CHECK(check(new_key.token(test::payload())).has_value());
    jwks->stop();
}

TEST_CASE("a follower that was stopped lets go of its context") {
    FakeServer feed;
    feed.then(page("c1", ""));
    Following f(options_for(feed));
    REQUIRE(f.until([&] { return f.follower->ready(); }));
    f.follower->stop();
    f.io.restart();
    f.io.run_for(9s);
    CHECK(f.io.stopped());  // no work is left
}
