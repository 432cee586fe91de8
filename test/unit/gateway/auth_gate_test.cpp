// The gate of one worker: credentials, cache, sessions, rules, and what a refusal says.
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>

#include "gateway/auth/issuer.hpp"
#include "gateway/auth/issuer_set.hpp"
#include "gateway/auth/token_gate.hpp"
#include "shared/base/encoding.hpp"
#include "test/unit/shared/jwt_support.hpp"

using gateway::auth::IssuerSet;
using gateway::auth::TokenGate;
using shared::jwt::Algorithm;
using test::kNow;
using test::payload;
using test::Signer;
namespace config = gateway::config;

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

// Counts every allocation of this binary: a hit must not make one. The sanitizers bring their own operator
// new, which must not be mixed with another.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNT_ALLOCATIONS 1
void* operator new(std::size_t size) {
    ++allocations;
    void* memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
#endif

namespace {

config::Issuer settings() {
    config::Issuer issuer;
    issuer.name = "kampus";
    issuer.issuer = "kampus-auth";
    issuer.audience = "kampus-api";
    issuer.realm = "kampus";
    config::SigningKey key;
    key.secret = test::kSecret;
    issuer.keys.push_back(key);
    issuer.claim_headers = {
        {"sub", "X-User-Id"}, {"role", "X-User-Role"}, {"nim", "X-User-Nim"}, {"sid", "X-Session-Id"}};
    return issuer;
}

config::Issuer with_feed() {
    auto issuer = settings();
    config::RevocationFeed feed;
    feed.url = "http://127.0.0.1:1/internal/revocations";
    issuer.revocations = feed;
    return issuer;
}

struct Fixture {
    explicit Fixture(config::Issuer issuer = settings())
        : issuers(IssuerSet::make({std::move(issuer)})), gate(issuers) {}

    gateway::auth::Decision ask(const std::string& authorization, const config::AuthRule& rule = {},
                                shared::WallTime now = kNow, std::string_view query = "",
                                std::string_view path = "/") {
        return gate.check(authorization, rule, {path, query}, now);
    }
    gateway::auth::Decision bearer(const std::string& token, shared::WallTime now = kNow) {
        return ask("Bearer " + token, {}, now);
    }

    Signer signer{Algorithm::hs256};
    std::shared_ptr<IssuerSet> issuers;
    TokenGate gate;
};

std::string claims(const std::string& role, const std::string& nim, const std::string& more = "") {
    return R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u-1","exp":1700000600,"sid":"s-1","role":")" +
           role + R"(","nim":")" + nim + "\"" + more + "}";
}

}  // namespace

TEST_CASE("a good token lets through with ready-made header lines") {
    Fixture f;
    const auto token = f.signer.token(payload(R"(,"nim":"22001")"));
    for (const std::string scheme : {"Bearer ", "bearer ", "BEARER "}) {
        const auto decision = f.ask(scheme + token);
        REQUIRE(decision.allowed);
        CHECK(decision.cached == (scheme != "Bearer "));
        CHECK(decision.identity->user_id() == "u-1");
        CHECK(decision.identity->role() == "mahasiswa");
        CHECK(decision.identity->nim() == "22001");
        CHECK(decision.identity->session_id() == "s-1");
        CHECK(decision.identity->token_id() == "t-1");
        CHECK(decision.identity->header_block() ==
              "X-User-Id: u-1\r\nX-User-Role: mahasiswa\r\nX-User-Nim: 22001\r\nX-Session-Id: s-1\r\n");
    }
}

TEST_CASE("a claim that is absent has no header line") {
    Fixture f;
    CHECK(f.bearer(f.signer.token(payload())).identity->header_block().find("X-User-Nim") ==
          std::string::npos);
}

TEST_CASE("no credentials is a 401 without an error code, bad ones carry invalid_token") {
    Fixture f;
    const auto none = f.gate.check(std::nullopt, {}, {"/", ""}, kNow);
    CHECK_FALSE(none.allowed);
    CHECK(none.status == 401);
    CHECK(none.reason == "no_credentials");
    CHECK(none.www_authenticate == R"(Bearer realm="kampus")");
    for (const auto* other : {"", "Basic dTpw", "Bearerx abc", "Digest a=b", "Bear"}) {
        INFO(other);
        CHECK(f.ask(other).www_authenticate == R"(Bearer realm="kampus")");
    }
    const auto good = f.signer.token(payload());
    for (const auto& malformed :
         {std::string("Bearer"), std::string("Bearer "), "Bearer  " + good, "Bearer\t" + good}) {
        INFO(malformed);
        const auto decision = f.ask(malformed);
        CHECK(decision.status == 401);
        CHECK(decision.reason == "malformed_credentials");
        CHECK(decision.www_authenticate.find(R"(error="invalid_token")") != std::string::npos);
    }
    for (const auto& bad : {good + " ", good + "," + good, "x" + good, std::string("a.b.c")}) {
        INFO(bad);
        const auto decision = f.bearer(bad);
        CHECK(decision.status == 401);
        CHECK(decision.www_authenticate.find(R"(error="invalid_token")") != std::string::npos);
        CHECK(decision.identity == nullptr);
    }
    const auto expired = f.bearer(good, kNow + std::chrono::hours(1));
    CHECK(expired.reason == "expired");
    CHECK(expired.www_authenticate.find("expired") != std::string::npos);
}

TEST_CASE("a public route looks at no token") {
    Fixture f;
    config::AuthRule rule;
    rule.is_public = true;
    CHECK(f.ask("Bearer rubbish", rule).allowed);
    CHECK(f.ask("Bearer " + f.signer.token(payload()), rule).identity == nullptr);
}

TEST_CASE("a rule that names nothing still needs a token") {
    Fixture f;
    CHECK_FALSE(f.gate.check(std::nullopt, config::AuthRule{}, {"/", ""}, kNow).allowed);
}

TEST_CASE("a claim cannot forge a header line") {
    Fixture f;
    for (const auto* nim : {R"(22001\r\nX-User-Role: admin)", R"(a\nb)", R"(a\u0000b)", R"(a\u007fb)",
                            R"(a\tb)", R"( a)", R"(a )"}) {
        INFO(nim);
        const auto decision = f.bearer(f.signer.token(claims("mahasiswa", nim)));
        CHECK(decision.status == 401);
        CHECK(decision.reason == "bad_claim_type");
    }
    CHECK(f.bearer(f.signer.token(claims("mahasiswa", "a b"))).allowed);
}

TEST_CASE("roles and scopes decide") {
    Fixture f;
    config::AuthRule rule;
    rule.roles = {"admin", "dosen"};
    const auto ask = [&](const std::string& role, const std::string& more = "") {
        return f.ask("Bearer " + f.signer.token(claims(role, "1", more)), rule);
    };
    CHECK(ask("dosen").allowed);
    const auto refused = ask("mahasiswa");
    CHECK(refused.status == 403);
    CHECK(refused.reason == "role_missing");
    CHECK(refused.www_authenticate == R"(Bearer realm="kampus", error="insufficient_scope")");
    CHECK(refused.identity != nullptr);  // for the log
    CHECK_FALSE(ask("").allowed);
    CHECK_FALSE(ask("Admin").allowed);
    rule.scopes = {"read", "write"};
    CHECK(ask("admin", R"(,"scope":"write read")").allowed);
    CHECK(ask("admin", R"(,"scp":["read","write"])").allowed);
    CHECK(ask("admin", R"(,"scope":"read")").reason == "scope_missing");
    CHECK(ask("admin", R"(,"scope":"read,write")").reason == "scope_missing");
}

TEST_CASE("an own-claim rule compares what the upstream would read") {
    Fixture f;
    config::ClaimRule own;
    own.claim = "nim";
    own.against = config::ClaimRule::Against::query;
    own.query = "nim";
    own.allow_absent = true;
    own.unless_roles = {"admin"};
    config::AuthRule rule;
    rule.claims = {own};
    const auto ask = [&](std::string_view query, const std::string& role = "mahasiswa") {
        return f.ask("Bearer " + f.signer.token(claims(role, "22001")), rule, kNow, query).allowed;
    };
    CHECK(ask(""));
    CHECK(ask("semester=1"));
    CHECK(ask("nim=22001"));
    CHECK(ask("semester=1&nim=22001&x"));
    CHECK(ask("nim=%322001"));
    CHECK(ask("n%69m=22001"));
    CHECK(ask("NIM=22002"));  // another parameter
    for (const auto* query :
         {"nim=22002", "nim=", "nim", "nim=22001&nim=22002", "nim=22002&nim=22001", "nim=22001&nim=22001",
          "n%69m=22002", "nim=2200%32", "nim=22001%00", "nim=22001%", "nim=22001%2", "nim=22001+",
          "nim=220010", "nim=2200", "a=1;nim=22002", "nim=22001;nim=22002"}) {
        INFO(query);
        CHECK_FALSE(ask(query));
    }
    CHECK(ask("nim=22002", "admin"));
    // Twice is refused as what it is, whoever asks.
    for (const char* role : {"mahasiswa", "admin"}) {
        const auto decision =
            f.ask("Bearer " + f.signer.token(claims(role, "22001")), rule, kNow, "nim=22001&n%69m=22001");
        CHECK(decision.status == 422);
        CHECK(decision.reason == "query_parameter_repeated");
    }
    rule.claims[0].allow_absent = false;
    CHECK_FALSE(ask(""));
}

TEST_CASE("an own-claim rule on a path segment") {
    Fixture f;
    config::ClaimRule own;
    own.claim = "nim";
    own.against = config::ClaimRule::Against::path_segment;
    own.path_segment = 3;
    config::AuthRule rule;
    rule.claims = {own};
    const auto ask = [&](std::string_view path) {
        return f.ask("Bearer " + f.signer.token(claims("mahasiswa", "22001")), rule, kNow, "", path);
    };
    CHECK(ask("/api/acad/mahasiswa/22001/khs").allowed);
    CHECK(ask("/api/acad/mahasiswa/22001").allowed);
    CHECK(ask("/api/acad/mahasiswa/22002").reason == "claim_mismatch");
    CHECK_FALSE(ask("/api/acad/mahasiswa/22001x").allowed);
    CHECK_FALSE(ask("/api/acad/mahasiswa/").allowed);
    CHECK_FALSE(ask("/api/acad").allowed);
    CHECK_FALSE(ask("/").allowed);
    rule.claims[0].claim = "absent";
    CHECK_FALSE(ask("/api/acad/mahasiswa/22001").allowed);
}

TEST_CASE("a claim may have to be one of the configured values") {
    Fixture f;
    config::ClaimRule own;
    own.claim = "dept";
    own.values = {"SD", "TI"};
    config::AuthRule rule;
    rule.claims = {own};
    const auto ask = [&](const std::string& more) {
        return f.ask("Bearer " + f.signer.token(claims("dosen", "1", more)), rule).allowed;
    };
    CHECK(ask(R"(,"dept":"TI")"));
    CHECK_FALSE(ask(R"(,"dept":"MA")"));
    CHECK_FALSE(ask(""));
}

TEST_CASE("a cached token is used up to its expiry and no longer than the cache's time") {
    Fixture f;
    const auto token = f.signer.token(payload());
    CHECK_FALSE(f.bearer(token).cached);
    CHECK(f.bearer(token).cached);
    CHECK(f.bearer(token, kNow + std::chrono::seconds(59)).cached);
    CHECK_FALSE(f.bearer(token, kNow + std::chrono::seconds(60)).cached);  // verified anew
    const auto short_lived =
        f.signer.token(R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u","exp":1700000010})");
    CHECK(f.bearer(short_lived).allowed);
    CHECK(f.bearer(short_lived, kNow + std::chrono::seconds(9)).cached);
    const auto in_leeway = f.bearer(short_lived, kNow + std::chrono::seconds(20));
    CHECK(in_leeway.allowed);
    CHECK_FALSE(in_leeway.cached);
    CHECK(f.bearer(short_lived, kNow + std::chrono::seconds(40)).reason == "expired");
}

TEST_CASE("a token that differs in one byte from a cached one is no hit") {
    Fixture f;
    const auto token = f.signer.token(payload());
    REQUIRE(f.bearer(token).allowed);
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto other = token;
        other[i] = other[i] == 'A' ? 'B' : 'A';
        if (other == token) continue;
        REQUIRE_FALSE(f.bearer(other).allowed);
    }
    CHECK_FALSE(f.bearer(token.substr(0, token.size() - 1)).allowed);
    CHECK(f.bearer(token).cached);
}

TEST_CASE("a hit allocates nothing") {
    Fixture f;
    config::ClaimRule own;
    own.claim = "nim";
    own.against = config::ClaimRule::Against::query;
    own.query = "nim";
    config::AuthRule rule;
    rule.roles = {"mahasiswa"};
    rule.claims = {own};
    const auto authorization = "Bearer " + f.signer.token(claims("mahasiswa", "22001"));
    REQUIRE(f.ask(authorization, rule, kNow, "nim=22001").allowed);
    const auto before = allocations.load();
    bool all = true;
    for (int i = 0; i < 1000; ++i) {
        const auto decision = f.gate.check(authorization, rule, {"/api/acad/ips", "nim=22001"}, kNow);
        all = all && decision.allowed && decision.cached;
    }
    CHECK(allocations == before);
    CHECK(all);
    (void)f.ask(authorization + "x");
#ifdef COUNT_ALLOCATIONS
    CHECK(allocations > before);  // the counter counts
#endif
}

TEST_CASE("the cache stays within its bounds and long tokens fit too") {
    auto issuer = settings();
    issuer.cache.entries = 64;
    Fixture f(issuer);
    for (int round = 0; round < 2; ++round)
        for (int i = 0; i < 1000; ++i)
            REQUIRE(f.bearer(f.signer.token(payload(",\"n\":" + std::to_string(i)))).allowed);
    const auto large = f.signer.token(payload(",\"x\":\"" + std::string(3000, 'x') + "\""));
    CHECK(f.bearer(large).allowed);
    CHECK(f.bearer(large).cached);
    issuer.cache.entries = 0;
    Fixture none(issuer);
    const auto token = none.signer.token(payload());
    CHECK(none.bearer(token).allowed);
    CHECK_FALSE(none.bearer(token).cached);
}

TEST_CASE("before the feed has answered once, nothing with a session passes") {
    Fixture f(with_feed());
    const auto token = f.signer.token(payload());
    const auto unknown = f.bearer(token);
    CHECK(unknown.status == 503);
    CHECK(unknown.reason == "sessions_unknown");
    CHECK(unknown.retry_after_s > 0);
    CHECK(unknown.www_authenticate.empty());
    CHECK_FALSE(f.issuers->ready());
}

TEST_CASE("an identity outlives the cache entry it came from") {
    auto issuer = settings();
    issuer.cache.entries = 4;
    Fixture f(issuer);
    const auto identity = f.bearer(f.signer.token(claims("dosen", "1"))).identity;
    for (int i = 0; i < 100; ++i) (void)f.bearer(f.signer.token(payload(",\"n\":" + std::to_string(i))));
    CHECK(identity->role() == "dosen");
}

TEST_CASE("an issuer that cannot decide stops the start with its name") {
    const auto problem = [](config::Issuer issuer) -> std::string {
        try {
            IssuerSet::make({std::move(issuer)});
        } catch (const std::runtime_error& e) {
            return e.what();
        }
        return "";
    };
    CHECK(problem(settings()).empty());
    auto issuer = settings();
    issuer.keys[0].secret = "short";
    CHECK(problem(issuer).find("issuer \"kampus\": key 0: key too weak") == 0);
    issuer = settings();
    issuer.keys[0].algorithm = "RS256";
    CHECK(problem(issuer).find("no usable key") != std::string::npos);
    issuer = settings();
    issuer.keys.clear();
    CHECK(problem(issuer).find("no key") != std::string::npos);
    issuer = settings();
    issuer.audience.clear();
    CHECK(problem(issuer).find("audience") != std::string::npos);
    issuer = settings();
    issuer.jwks.emplace();
    issuer.jwks->file = "/nowhere/jwks.json";
    CHECK(problem(issuer).find("/nowhere/jwks.json") != std::string::npos);
    issuer.jwks->file.clear();
    issuer.jwks->url = "ftp://x";
    CHECK(problem(issuer).find("ftp://x") != std::string::npos);
}
