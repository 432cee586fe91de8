// Keys: strength when they are configured, JWK sets, thumbprints.
#include <openssl/evp.h>

#include <catch2/catch.hpp>
#include <regex>

#include "shared/base/encoding.hpp"
#include "shared/jwt/jwks.hpp"
#include "test/unit/shared/jwt_support.hpp"

using shared::base64url_encode;
using shared::jwt::Algorithm;
using shared::jwt::Key;
using shared::jwt::KeyErrc;
using shared::jwt::KeySet;
using test::kNow;
using test::payload;
using test::Signer;

namespace {

std::string problem(const shared::Result<Key>& key) {
    return key ? "taken" : key.error().message();
}
const std::string kWeak = shared::ErrorCode(KeyErrc::too_weak).message();
const std::string kType = shared::ErrorCode(KeyErrc::wrong_type).message();
const std::string kUnreadable = shared::ErrorCode(KeyErrc::unreadable).message();

// RFC 7638 section 3.1.
const std::string kRfcModulus =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
    "BJECPebWKRXjBZCiFV4n3oknj"
    "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
    "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
    "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
    "kEgU8awapJzK"
    "nqDKgw";

}  // namespace

TEST_CASE("weak and unfitting keys are refused when they are configured") {
    CHECK(problem(Key::from_secret(std::string(31, 'x'))) == kWeak);
    CHECK(problem(Key::from_secret("")) == kWeak);
    CHECK(problem(Key::from_secret(std::string(32, 'x'))) == "taken");

    for (const unsigned bits : {1024U, 2047U}) {
        INFO(bits);
        const Signer small(Algorithm::rs256, bits);
        CHECK(problem(Key::from_public_pem(Algorithm::rs256, small.public_pem())) == kWeak);
        CHECK(problem(Key::from_public_pem(Algorithm::ps256, small.public_pem())) == kWeak);
    }
    const Signer p384(Algorithm::es256, 0, "P-384");
    CHECK(problem(Key::from_public_pem(Algorithm::es256, p384.public_pem())) == kType);
    const Signer k256(Algorithm::es256, 0, "secp256k1");
    CHECK(problem(Key::from_public_pem(Algorithm::es256, k256.public_pem())) == kType);

    const Signer rsa(Algorithm::rs256);
    const Signer ec(Algorithm::es256);
    const Signer ed(Algorithm::eddsa);
    CHECK(problem(Key::from_public_pem(Algorithm::hs256, rsa.public_pem())) == kType);
    CHECK(problem(Key::from_public_pem(Algorithm::es256, rsa.public_pem())) == kType);
    CHECK(problem(Key::from_public_pem(Algorithm::eddsa, ec.public_pem())) == kType);
    CHECK(problem(Key::from_public_pem(Algorithm::ps256, ed.public_pem())) == kType);
    CHECK(problem(Key::from_public_pem(Algorithm::rs256, rsa.private_pem())) == kUnreadable);
    CHECK(problem(Key::from_public_pem(Algorithm::rs256, "")) == kUnreadable);
    CHECK(problem(Key::from_public_pem(Algorithm::rs256, "-----BEGIN PUBLIC KEY-----\nAAAA\n")) ==
          kUnreadable);
}

TEST_CASE("an Ed25519 key of small order is refused: under it anybody can sign") {
    const auto neutral = '\1' + std::string(31, '\0');
    // Why: R = the neutral element and S = 0 are then a signature of any text.
    const auto* bytes = reinterpret_cast<const unsigned char*>(neutral.data());
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pkey(
        EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes, neutral.size()), EVP_PKEY_free);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    REQUIRE(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1);
    const auto forged = neutral + std::string(32, '\0');
    REQUIRE(EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(forged.data()), 64,
                             reinterpret_cast<const unsigned char*>("any text"), 8) == 1);

    const std::vector<std::string> points = {
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "00" + std::string(62, '0'),
        "01" + std::string(62, '0'),
        "ec" + std::string(60, 'f') + "7f",
        "ed" + std::string(60, 'f') + "7f",
        "ee" + std::string(60, 'f') + "7f",
    };
    for (const auto& hex : points) {
        std::string point;
        for (std::size_t i = 0; i < hex.size(); i += 2)
            point += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
        for (const int sign : {0, 0x80}) {
            point[31] = static_cast<char>((point[31] & 0x7F) | sign);
            const auto x = base64url_encode(point);
            INFO(hex << " " << sign);
            std::vector<std::string> errors;
            const auto set =
                KeySet::from_jwks(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":")" + x + "\"}]}", &errors);
            CHECK(set.value().empty());
            REQUIRE(errors.size() == 1);
            CHECK(errors[0].find(kWeak) != std::string::npos);
        }
    }
}

TEST_CASE("a private key gives its public half") {
    for (const auto algorithm : {Algorithm::rs256, Algorithm::ps256, Algorithm::es256, Algorithm::eddsa}) {
        const Signer signer(algorithm);
        const auto key = Key::from_private_pem(algorithm, signer.private_pem(), "k").value();
        CHECK(key.kid() == "k");
        CHECK(test::verifier_of({key}).verify(signer.token(payload()), kNow).has_value());
        CHECK(thumbprint(key).value() == thumbprint(signer.key()).value());
    }
    CHECK(problem(Key::from_private_pem(Algorithm::rs256, Signer(Algorithm::rs256).public_pem())) ==
          kUnreadable);
}

TEST_CASE("a thumbprint is that of RFC 7638's example") {
    const auto set = KeySet::from_jwks(R"({"keys":[{"kty":"RSA","n":")" + kRfcModulus +
                                       R"(","e":"AQAB","alg":"RS256","kid":"2011-04-29"}]})")
                         .value();
    REQUIRE(set.keys().size() == 1);
    CHECK(thumbprint(set.keys()[0]).value() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    CHECK(thumbprint(Signer(Algorithm::hs256).key()).error() == KeyErrc::unsupported);
}

TEST_CASE("published keys verify after a round trip, and secrets are never published") {
    const Signer rs(Algorithm::rs256), ps(Algorithm::ps256), es(Algorithm::es256), ed(Algorithm::eddsa);
    const Signer hs(Algorithm::hs256);
    const auto text =
        shared::jwt::to_jwks({rs.key("r"), ps.key("p"), es.key("e"), ed.key(), hs.key("secret-kid")});
    CHECK(text.find("secret-kid") == std::string::npos);
    CHECK(text.find("\"oct\"") == std::string::npos);
    std::vector<std::string> errors;
    const auto set = KeySet::from_jwks(text, &errors).value();
    CHECK(errors.empty());
    REQUIRE(set.keys().size() == 4);
    CHECK(set.keys()[3].kid() == thumbprint(ed.key()).value());
    const auto verifier = test::verifier_of(set.keys());
    for (const auto* signer : {&rs, &ps, &es, &ed})
        CHECK(verifier.verify(signer->token(payload()), kNow).has_value());
}

TEST_CASE("an EC key whose coordinates begin with zeros keeps their full length") {
    for (int tries = 0; tries < 3000; ++tries) {
        const Signer es(Algorithm::es256);
        const auto text = shared::jwt::to_jwks({es.key("e")});
        // A first byte of zero is "A" and then one of "A".."P"; one key in 128 has such a coordinate.
        static const std::regex kLeadingZero("\"[xy]\":\"A[A-P]");
        if (!std::regex_search(text, kLeadingZero)) continue;
        const auto set = KeySet::from_jwks(text).value();
        REQUIRE(set.keys().size() == 1);
        CHECK(test::verifier_of(set.keys()).verify(es.token(payload()), kNow).has_value());
        return;
    }
    FAIL("no such key found");
}

TEST_CASE("of a JWK set only the keys that are for us are taken, and the rest is told") {
    const Signer es(Algorithm::es256);
    auto good = shared::jwt::to_jwks({es.key("good")});
    good = good.substr(9, good.size() - 11);  // the one object
    const auto member = [&](const std::string& name) {
        const auto at = good.find("\"" + name + "\":\"") + name.size() + 4;
        return good.substr(at, good.find('"', at) - at);
    };
    const auto x = member("x");
    const auto y = member("y");
    const auto ec = [&](const std::string& more) {
        return R"({"kty":"EC","crv":"P-256","x":")" + x + R"(","y":")" + y + "\"" + more + "}";
    };
    const std::vector<std::string> bad = {
        R"({"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","alg":"HS256"})",
        ec(R"(,"use":"enc")"),
        ec(R"(,"use":1)"),
        ec(R"(,"key_ops":["sign"])"),
        ec(R"(,"key_ops":"verify")"),
        ec(R"(,"alg":"RS256")"),
        ec(R"(,"alg":"ES384")"),
        ec(R"(,"alg":1)"),
        ec(R"(,"d":"AAAA")"),
        ec(R"(,"kid":1)"),
        ec(R"(,"kid":"good")"),
        R"({"kty":"EC","crv":"P-384","x":")" + x + R"(","y":")" + y + "\"}",
        R"({"kty":"EC","crv":"P-256","x":")" + y + R"(","y":")" + x + "\"}",  // not on the curve
        R"({"kty":"EC","crv":"P-256","x":")" + x + "\"}",
        R"({"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})",
        R"({"kty":"RSA","n":"AQAB","e":"AQAB"})",                     // 17 bits
        R"({"kty":"RSA","n":")" + kRfcModulus + R"(","e":"AQ"})",     // e = 1
        R"({"kty":"RSA","n":")" + kRfcModulus + R"(","e":"Ag"})",     // e = 2
        R"({"kty":"RSA","n":")" + kRfcModulus + R"(=","e":"AQAB"})",  // padding
        R"({"kty":"RSA","n":")" + kRfcModulus + R"(","e":65537})",
        R"({"kty":"OKP","crv":"X25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})",
        R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})",
        R"({"kty":"unknown"})",
        "{}",
        "1",
    };
    std::string text = R"({"keys":[)" + good;
    for (const auto& key : bad) text += "," + key;
    text += R"(],"more":1})";
    std::vector<std::string> errors;
    const auto set = KeySet::from_jwks(text, &errors).value();
    CHECK(set.keys().size() == 1);
    for (const auto& error : errors) INFO(error);
    CHECK(errors.size() == bad.size());
    CHECK(KeySet::from_jwks(R"({"keys":[)" + ec(R"(,"key_ops":["verify"],"use":"sig")") + "]}")
              .value()
              .keys()
              .size() == 1);
}

TEST_CASE("a text that is no JWK set is an error, an empty set is not") {
    for (const auto* text :
         {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[]}x)", R"({"keys":[],"keys":[]})", "<html>"})
        CHECK_FALSE(KeySet::from_jwks(text).has_value());
    CHECK(KeySet::from_jwks(R"({"keys":[]})").value().empty());
}
