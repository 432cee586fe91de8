// What is accepted, and what comes out.
#include <openssl/err.h>

#include <catch2/catch.hpp>
#include <thread>

#include "shared/base/encoding.hpp"
#include "test/unit/shared/jwt_support.hpp"

using shared::jwt::Algorithm;
using shared::jwt::Errc;
using test::kNow;
using test::payload;
using test::Signer;

namespace {

const std::vector<Algorithm> kAll = {Algorithm::hs256, Algorithm::rs256, Algorithm::ps256, Algorithm::es256,
                                     Algorithm::eddsa};

}  // namespace

TEST_CASE("a good token of each algorithm is accepted again and again") {
    for (const auto algorithm : kAll) {
        const Signer signer(algorithm);
        const auto verifier = test::verifier_of({signer.key()});
        for (int i = 0; i < 50; ++i) {
            const auto token = signer.token(payload(",\"n\":" + std::to_string(i)));
            INFO(to_string(algorithm) << " " << i);
            REQUIRE(verifier.verify(token, kNow).has_value());
        }
    }
}

TEST_CASE("the claims of a verified token are read in full") {
    const Signer signer(Algorithm::hs256);
    const auto verifier = test::verifier_of({signer.key()});
    const auto token = signer.token(
        R"( { "iss":"kampus-auth","aud":["x","kampus-api"],"sub":"u-\u00e9\ud83d\ude00","role":"admin","nim":"22001",)"
        R"("sid":"s-1","jti":"j\/1","iat":1699999990.25,"nbf":1.6e9,"exp":1700000600.5,"scope":"read  write",)"
        R"("scp":["audit"],"dept":"SD","level":3,"on":true,"nothing":null,"deep":{"a":[1,{"b":2}]} } )");
    const auto claims = verifier.verify(token, kNow).value();
    CHECK(claims.iss == "kampus-auth");
    CHECK(claims.sub == "u-\u00e9\U0001F600");
    CHECK(claims.role == "admin");
    CHECK(claims.nim == "22001");
    CHECK(claims.sid == "s-1");
    CHECK(claims.jti == "j/1");
    CHECK(claims.exp == 1700000600.5);
    CHECK(claims.iat.value() == 1699999990.25);
    CHECK(claims.nbf.value() == 1.6e9);
    CHECK(claims.scopes == std::vector<std::string>{"read", "write", "audit"});
    CHECK(claims.find("dept").value() == "SD");
    CHECK(claims.find("level").value() == "3");
    CHECK(claims.find("on").value() == "true");
    CHECK(claims.find("sub").value() == claims.sub);
    CHECK_FALSE(claims.find("nothing"));
    CHECK_FALSE(claims.find("deep"));
    CHECK_FALSE(claims.find("absent"));
}

TEST_CASE("what the header may say besides alg changes nothing") {
    const Signer signer(Algorithm::hs256);
    const auto verifier = test::verifier_of({signer.key("k-1")});
    for (const auto* more :
         {"", R"(,"typ":"JWT")", R"(,"typ":"jwt")", R"(,"typ":"at+jwt")", R"(,"typ":"AT+JWT")",
          R"(,"kid":"k-1")", R"(,"cty":"JWT")", R"(,"jwk":{"kty":"oct","k":"YQ"})",
          R"(,"jku":"http://127.0.0.1:1/")", R"(,"x5u":"http://127.0.0.1:1/","x5c":["AAAA"])",
          R"(,"b64":false)", R"(,"zip":"DEF")"}) {
        INFO(more);
        CHECK(verifier.verify(signer.token(R"({"alg":"HS256")" + std::string(more) + "}", payload()), kNow)
                  .has_value());
    }
}

TEST_CASE("times hold up to the leeway, on both sides") {
    const Signer signer(Algorithm::hs256);
    const auto verifier = test::verifier_of({signer.key()});
    const auto at = [&](const std::string& times) {
        return verifier
            .verify(signer.token(R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u",)" + times + "}"), kNow)
            .has_value();
    };
    CHECK(at(R"("exp":1699999971)"));
    CHECK(at(R"("exp":1699999970.5)"));
    CHECK_FALSE(at(R"("exp":1699999970)"));
    CHECK(at(R"("exp":9007199254740992)"));
    CHECK(at(R"("exp":1700000600,"nbf":1700000030)"));
    CHECK(at(R"("exp":1700000600,"iat":1700000030)"));
    CHECK(at(R"("exp":17000006E2)"));
    CHECK(at(R"("exp":1700000600,"nbf":0,"iat":0)"));
}

TEST_CASE("a kid chooses among several keys, and without one the only key of the algorithm is used") {
    const Signer a = Signer::with_secret(std::string(32, 'a'));
    const Signer b = Signer::with_secret(std::string(32, 'b'));
    const Signer es(Algorithm::es256);
    const auto verifier = test::verifier_of({a.key("a"), b.key("b"), es.key("e")});
    const auto outcome = [&](const std::string& token) {
        const auto result = verifier.verify(token, kNow);
        return result ? "accepted" : result.error().message();
    };
    CHECK(outcome(a.token(R"({"alg":"HS256","kid":"a"})", payload())) == "accepted");
    CHECK(outcome(b.token(R"({"alg":"HS256","kid":"b"})", payload())) == "accepted");
    CHECK(outcome(a.token(R"({"alg":"HS256","kid":"b"})", payload())) == "bad_signature");
    CHECK(outcome(a.token(R"({"alg":"HS256"})", payload())) == "unknown_kid");
    CHECK(outcome(es.token(R"({"alg":"ES256"})", payload())) == "accepted");
    CHECK(outcome(es.token(R"({"alg":"ES256","kid":"a"})", payload())) == "alg_key_mismatch");
}

TEST_CASE("a refused token leaves nothing in OpenSSL's error queue and does not mind what is there") {
    for (const auto algorithm : kAll) {
        const Signer signer(algorithm);
        const auto verifier = test::verifier_of({signer.key()});
        auto bad = signer.token(payload());
        bad[bad.size() - 10] = bad[bad.size() - 10] == 'A' ? 'B' : 'A';
        ERR_raise(ERR_LIB_USER, 1);
        INFO(to_string(algorithm));
        CHECK(verifier.verify(bad, kNow).error() == Errc::bad_signature);
        CHECK(ERR_peek_error() == 0);
        ERR_raise(ERR_LIB_USER, 1);
        CHECK(verifier.verify(signer.token(payload()), kNow).has_value());
        CHECK(ERR_peek_error() == 0);
    }
}

TEST_CASE("one verifier serves several threads at once") {
    for (const auto algorithm : kAll) {
        const Signer signer(algorithm);
        const auto verifier = test::verifier_of({signer.key()});
        const auto good = signer.token(payload());
        auto bad = good;
        bad[bad.size() - 10] = bad[bad.size() - 10] == 'A' ? 'B' : 'A';
        std::atomic<int> wrong{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 10; ++t)  // more threads than the key keeps contexts for
            threads.emplace_back([&] {
                for (int i = 0; i < 60; ++i) {
                    if (!verifier.verify(good, kNow)) ++wrong;
                    if (verifier.verify(bad, kNow)) ++wrong;
                }
            });
        for (auto& thread : threads) thread.join();
        INFO(to_string(algorithm));
        CHECK(wrong == 0);
    }
}

TEST_CASE("rules that would check nothing are refused at once") {
    const auto keys =
        std::make_shared<const shared::jwt::KeySet>(std::vector{Signer(Algorithm::hs256).key()});
    const auto with = [&](auto change) {
        auto rules = test::rules();
        change(rules);
        return shared::jwt::Verifier(rules, keys).rules().issuer;
    };
    CHECK_NOTHROW(with([](auto&) {}));
    CHECK_THROWS_AS(with([](auto& r) { r.issuer = ""; }), std::invalid_argument);
    CHECK_THROWS_AS(with([](auto& r) { r.audience = ""; }), std::invalid_argument);
    CHECK_THROWS_AS(with([](auto& r) { r.leeway = std::chrono::seconds(301); }), std::invalid_argument);
    CHECK_THROWS_AS(with([](auto& r) { r.leeway = std::chrono::seconds(-1); }), std::invalid_argument);
}

TEST_CASE("a token above 8 KiB is read when the limit allows it") {
    const Signer signer(Algorithm::hs256);
    auto rules = test::rules();
    rules.max_token_bytes = 64 * 1024;
    const shared::jwt::Verifier verifier(
        rules, std::make_shared<const shared::jwt::KeySet>(std::vector{signer.key()}));
    const auto token = signer.token(payload(",\"x\":\"" + std::string(30'000, 'x') + "\""));
    CHECK(verifier.verify(token, kNow).value().find("x")->size() == 30'000);
}
