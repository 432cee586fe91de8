#include <catch2/catch.hpp>

#include "services/auth/crypto/mac.hpp"
#include "services/auth/crypto/token_signer.hpp"
#include "shared/jwt/verifier.hpp"

using namespace std::chrono_literals;

namespace {

const shared::WallTime kNow{std::chrono::seconds(1'800'000'000)};
const std::string kSecret(40, 's');

auth::crypto::AccessClaims claims() {
    auth::crypto::AccessClaims claims;
    claims.iss = "kampus-auth";
    claims.aud = "kampus-api";
    claims.sub = "6b0476de6dfa9b82b507f2f1";
    claims.role = "mahasiswa";
    claims.nim = "22001";
    claims.sid = "ZmmnLQMgSHPiAUUKpv62mg";
    claims.jti = "j-1";
    claims.iat = kNow;
    claims.exp = kNow + 600s;
    return claims;
}

shared::jwt::Verifier verifier(const std::string& secret) {
    std::vector<shared::jwt::Key> keys;
    keys.push_back(shared::jwt::Key::from_secret(secret).value());
    shared::jwt::Rules rules;
    rules.issuer = "kampus-auth";
    rules.audience = "kampus-api";
    return {rules, std::make_shared<const shared::jwt::KeySet>(std::move(keys))};
}

}  // namespace

TEST_CASE("a minted token passes the strict verifier with every claim of the contract") {
    const auto token = auth::crypto::make_hs256_signer(kSecret)->sign(claims());
    const auto read = verifier(kSecret).verify(token, kNow);
    REQUIRE(read.has_value());
    CHECK(read->iss == "kampus-auth");
    CHECK(read->sub == "6b0476de6dfa9b82b507f2f1");
    CHECK(read->role == "mahasiswa");
    CHECK(read->nim == "22001");
    CHECK(read->sid == "ZmmnLQMgSHPiAUUKpv62mg");
    CHECK(read->jti == "j-1");
    CHECK(read->exp == 1'800'000'600);
    CHECK(read->iat == 1'800'000'000);
    CHECK_FALSE(verifier(std::string(40, 't')).verify(token, kNow).has_value());
    CHECK(verifier(kSecret).verify(token, kNow + 631s).error() == shared::jwt::Errc::expired);
}

TEST_CASE("an account without a role of its own yet gets a token without one") {
    auto without = claims();
    without.role.clear();
    without.nim.reset();
    const auto read = verifier(kSecret).verify(auth::crypto::make_hs256_signer(kSecret)->sign(without), kNow);
    REQUIRE(read.has_value());
    CHECK(read->role.empty());
    CHECK_FALSE(read->find("role"));
    CHECK_FALSE(read->find("nim"));
}

TEST_CASE("HMAC-SHA256 gives RFC 4231's second answer and comparison looks at every byte") {
    const auto mac = auth::crypto::hmac_sha256("Jefe", "what do ya want for nothing?");
    CHECK(mac.substr(0, 4) == "\x5b\xdc\xc1\x46");
    CHECK(mac.size() == 32);
    CHECK(auth::crypto::equal_in_constant_time("abc", "abc"));
    CHECK_FALSE(auth::crypto::equal_in_constant_time("abc", "abd"));
    CHECK_FALSE(auth::crypto::equal_in_constant_time("abc", "ab"));
    CHECK_FALSE(auth::crypto::equal_in_constant_time("ab", "abc"));
    CHECK_FALSE(auth::crypto::equal_in_constant_time("", "a"));
    CHECK(auth::crypto::equal_in_constant_time("", ""));
}
