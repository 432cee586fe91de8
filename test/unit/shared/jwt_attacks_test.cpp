// Attacks on the signature that need a key or a signature of their own kind, and the published examples.
#include <openssl/bn.h>
#include <openssl/evp.h>

#include <catch2/catch.hpp>

#include "shared/base/encoding.hpp"
#include "shared/jwt/jwks.hpp"
#include "test/unit/shared/jwt_support.hpp"

using shared::base64url_decode;
using shared::base64url_encode;
using shared::jwt::Algorithm;
using shared::jwt::Key;
using shared::jwt::KeySet;
using test::kNow;
using test::outcome;
using test::payload;
using test::Signer;

namespace {

using Bignum = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

// n of RSA, or the order of P-256 or of Ed25519's group, as numbers of exactly `size` bytes.
std::string big_endian(const BIGNUM* number, std::size_t size) {
    std::string out(size, '\0');
    REQUIRE(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(size)) ==
            static_cast<int>(size));
    return out;
}
Bignum from_hex(const char* text) {
    BIGNUM* number = nullptr;
    REQUIRE(BN_hex2bn(&number, text) > 0);
    return {number, BN_free};
}
Bignum from_bytes(std::string_view bytes) {
    return {BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()),
                      nullptr),
            BN_free};
}
const char* const kP256Order = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
const char* const kEd25519Order = "1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED";

std::string input_of(Algorithm algorithm) {
    return base64url_encode(R"({"alg":")" + std::string(to_string(algorithm)) + "\"}") + "." +
           base64url_encode(payload());
}

}  // namespace

TEST_CASE("no spelling of a public key is an HMAC secret: the RS256 to HS256 confusion fails") {
    for (const auto algorithm : {Algorithm::rs256, Algorithm::ps256, Algorithm::es256, Algorithm::eddsa}) {
        const Signer signer(algorithm);
        const auto verifier = test::verifier_of({signer.key("k-1")});
        const auto pem = signer.public_pem();
        const auto jwks = shared::jwt::to_jwks({signer.key("k-1")});
        std::string one_line;
        for (const char c : pem)
            if (c != '\n') one_line += c;
        for (const auto& secret :
             {pem, pem.substr(0, pem.size() - 1), pem + "\n", one_line, signer.public_der(), jwks,
              jwks.substr(9, jwks.size() - 11), std::string("k-1"), std::string()}) {
            const auto confused = Signer::with_secret(secret);
            for (const auto* header : {R"({"alg":"HS256"})", R"({"alg":"HS256","kid":"k-1"})"}) {
                INFO(to_string(algorithm) << " " << header << " " << secret);
                CHECK(outcome(verifier.verify(confused.token(header, payload()), kNow)) ==
                      "alg_key_mismatch");
            }
            // and as what the key's own algorithm would have to be: the length differs, or the signature
            const auto lying = input_of(algorithm);
            const auto result =
                outcome(verifier.verify(lying + "." + base64url_encode(confused.sign(lying)), kNow));
            CHECK(result == "bad_signature_length");
        }
    }
}

TEST_CASE("a secret that everybody knows signs nothing") {
    const auto verifier = test::verifier_of({Signer(Algorithm::hs256).key("k-1")});
    for (const auto& secret :
         {std::string(), std::string("secret"), std::string(32, '\0'), std::string(64, '\0'),
          std::string("your-256-bit-secret"), std::string(test::kSecret) + "x",
          std::string(test::kSecret).substr(1), std::string("null")}) {
        INFO(secret);
        CHECK(outcome(verifier.verify(Signer::with_secret(secret).token(payload()), kNow)) ==
              "bad_signature");
    }
    // HMAC pads a key with zeros (RFC 2104): this is the same key, not another one that happens to fit.
    CHECK(outcome(verifier.verify(
              Signer::with_secret(std::string(test::kSecret) + std::string(1, '\0')).token(payload()),
              kNow)) == "accepted");
}

TEST_CASE("a kid never reaches a key of another algorithm, and a key of another issuer is not there") {
    const Signer hs(Algorithm::hs256);
    const Signer rs(Algorithm::rs256);
    const Signer es(Algorithm::es256);
    const auto ours = test::verifier_of({hs.key("h"), rs.key("r"), es.key("e")});
    const auto with = [&](const Signer& s, const std::string& kid) {
        return outcome(ours.verify(
            s.token(R"({"alg":")" + std::string(to_string(s.algorithm())) + R"(","kid":")" + kid + "\"}",
                    payload()),
            kNow));
    };
    CHECK(with(hs, "h") == "accepted");
    CHECK(with(rs, "r") == "accepted");
    CHECK(with(es, "e") == "accepted");
    for (const auto* kid : {"r", "e"}) CHECK(with(hs, kid) == "alg_key_mismatch");
    for (const auto* kid : {"h", "e"}) CHECK(with(rs, kid) == "alg_key_mismatch");
    for (const auto* kid : {"h", "r"}) CHECK(with(es, kid) == "alg_key_mismatch");

    // Another issuer's token, with its own kid, without one, and with a kid that both issuers use.
    const Signer theirs(Algorithm::es256);
    const auto claims_of_theirs = R"({"iss":"kampus-lain","aud":"kampus-api","sub":"u-1","exp":1700000600})";
    const auto other = [&](const std::string& header, const std::string& claims) {
        return outcome(ours.verify(theirs.token(header, claims), kNow));
    };
    for (const auto& claims : {payload(), std::string(claims_of_theirs)}) {
        CHECK(other(R"({"alg":"ES256","kid":"theirs"})", claims) == "unknown_kid");
        CHECK(other(R"({"alg":"ES256","kid":"e"})", claims) == "bad_signature");
        CHECK(other(R"({"alg":"ES256"})", claims) == "bad_signature");
    }
    // Even a key that two issuers share does not make one's token the other's.
    CHECK(outcome(ours.verify(es.token(R"({"alg":"ES256","kid":"e"})", claims_of_theirs), kNow)) ==
          "issuer_mismatch");
}

TEST_CASE("an RSA signature is of its own padding, salt length and hash, and below the modulus") {
    const Signer rs(Algorithm::rs256);
    const auto as_rs = test::verifier_of({Key::from_public_pem(Algorithm::rs256, rs.public_pem()).value()});
    const auto as_ps = test::verifier_of({Key::from_public_pem(Algorithm::ps256, rs.public_pem()).value()});
    const auto rs_input = input_of(Algorithm::rs256);
    const auto ps_input = input_of(Algorithm::ps256);
    const auto result = [&](const auto& verifier, const std::string& input, const std::string& signature) {
        return outcome(verifier.verify(input + "." + base64url_encode(signature), kNow));
    };
    REQUIRE(result(as_rs, rs_input, rs.sign(rs_input)) == "accepted");
    REQUIRE(result(as_ps, ps_input, rs.sign_rsa(ps_input, "SHA256", 32)) == "accepted");
    CHECK(outcome(as_ps.verify(rs.token(payload()), kNow)) == "alg_key_mismatch");
    CHECK(result(as_ps, ps_input, rs.sign(ps_input)) == "bad_signature");
    CHECK(result(as_rs, rs_input, rs.sign_rsa(rs_input, "SHA256", 32)) == "bad_signature");
    for (const auto* hash : {"SHA1", "SHA224", "SHA384", "SHA512", "MD5"}) {
        INFO(hash);
        CHECK(result(as_rs, rs_input, rs.sign_rsa(rs_input, hash, -1)) == "bad_signature");
        CHECK(result(as_ps, ps_input, rs.sign_rsa(ps_input, hash, 32)) == "bad_signature");
    }
    for (const int salt : {0, 20, 31, 33, 222}) {  // RFC 7518 section 3.5: as long as the hash
        INFO(salt);
        CHECK(result(as_ps, ps_input, rs.sign_rsa(ps_input, "SHA256", salt)) == "bad_signature");
    }
    CHECK(result(as_ps, ps_input, rs.sign_rsa(ps_input, "SHA256", 32, "SHA1")) == "bad_signature");

    const auto modulus = rs.rsa_modulus();
    const auto one = std::string(255, '\0') + '\1';
    for (const auto& signature : {std::string(256, '\0'), one, modulus, std::string(256, '\xFF')}) {
        CHECK(result(as_rs, rs_input, signature) == "bad_signature");
        CHECK(result(as_ps, ps_input, signature) == "bad_signature");
    }
    // The same number once more around the modulus: the same signature to who does not look (if it fits).
    const auto good = rs.sign(rs_input);
    const Bignum sum = from_bytes(good);
    REQUIRE(BN_add(sum.get(), sum.get(), from_bytes(modulus).get()) == 1);
    const auto wrapped = big_endian(sum.get(), 257);
    CHECK(result(as_rs, rs_input, wrapped) == "bad_signature_length");
    if (wrapped[0] == 0) CHECK(result(as_rs, rs_input, wrapped.substr(1)) == "bad_signature");
}

TEST_CASE("a cube root is no RS256 signature under a key with e = 3") {
    // Bleichenbacher's forgery (2006): a block whose end nobody looks at, so that a root exists without a
    // key.
    const Signer rs(Algorithm::rs256, 2048, "", 3);
    const auto key = Key::from_public_pem(Algorithm::rs256, rs.public_pem());
    REQUIRE(key.has_value());
    const auto verifier = test::verifier_of({*key});
    REQUIRE(outcome(verifier.verify(rs.token(payload()), kNow)) == "accepted");
    const auto input = input_of(Algorithm::rs256);
    unsigned char digest[32];
    REQUIRE(EVP_Digest(input.data(), input.size(), digest, nullptr, EVP_sha256(), nullptr) == 1);
    const std::string digest_info(
        "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19);
    std::string block = std::string("\0\1", 2) + std::string(8, '\xFF') + '\0' + digest_info +
                        std::string(reinterpret_cast<char*>(digest), 32);
    const auto prefix = block;
    block.resize(256, '\xFF');  // the largest number that begins so
    const Bignum target = from_bytes(block);
    const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context(BN_CTX_new(), BN_CTX_free);
    const Bignum root(BN_new(), BN_free);
    const Bignum cube(BN_new(), BN_free);
    for (int bit = 700; bit >= 0; --bit) {  // the integer cube root, bit by bit
        BN_set_bit(root.get(), bit);
        BN_sqr(cube.get(), root.get(), context.get());
        BN_mul(cube.get(), cube.get(), root.get(), context.get());
        if (BN_cmp(cube.get(), target.get()) > 0) BN_clear_bit(root.get(), bit);
    }
    BN_sqr(cube.get(), root.get(), context.get());
    BN_mul(cube.get(), cube.get(), root.get(), context.get());
    REQUIRE(big_endian(cube.get(), 256).starts_with(prefix));  // it is the forgery
    CHECK(outcome(verifier.verify(input + "." + base64url_encode(big_endian(root.get(), 256)), kNow)) ==
          "bad_signature");
}

TEST_CASE("an ES256 signature is raw, of its curve's range and of its own hash") {
    const Signer es(Algorithm::es256);
    const auto verifier = test::verifier_of({es.key()});
    const auto input = input_of(Algorithm::es256);
    const auto raw = es.sign(input);
    const auto r = raw.substr(0, 32);
    const auto s = raw.substr(32);
    const auto with = [&](const std::string& signature) {
        return outcome(verifier.verify(input + "." + base64url_encode(signature), kNow));
    };
    REQUIRE(with(raw) == "accepted");
    CHECK(with(Signer::to_der(raw)) == "bad_signature_length");
    const Bignum order = from_hex(kP256Order);
    const auto n = big_endian(order.get(), 32);
    const std::string zero(32, '\0');
    const auto one = std::string(31, '\0') + '\1';
    const std::string most(32, '\xFF');
    // r and s are from 1 to n - 1 (CVE-2022-21449 took zeros).
    for (const auto& bad : {zero, one, n, most})
        for (const auto& forged : {bad + bad, bad + s, r + bad}) CHECK(with(forged) == "bad_signature");
    for (const auto& first : {zero, one, n, most})
        for (const auto& second : {zero, one, n, most}) CHECK(with(first + second) == "bad_signature");
    CHECK(with(s + r) == "bad_signature");
    CHECK(with(raw.substr(0, 63)) == "bad_signature_length");
    CHECK(with(r.substr(1) + s.substr(1)) == "bad_signature_length");
    CHECK(with('\0' + r + '\0' + s) == "bad_signature_length");
    for (std::size_t size = 1; size < 64; ++size) CHECK(with(raw.substr(0, size)) == "bad_signature_length");
    CHECK(with(Signer(Algorithm::es256, 0, "P-384").sign(input)) != "accepted");
    CHECK(with(es.sign_ecdsa(input, "SHA384")) == "bad_signature");
    CHECK(with(es.sign_ecdsa(input, "SHA1")) == "bad_signature");

    // (r, n - s) is a signature, too: whoever holds one can make the other, but of the same text only.
    // Nothing of ours takes two spellings of one token for two tokens: what ends a session is its sid.
    const Bignum mirrored = from_bytes(s);
    REQUIRE(BN_sub(mirrored.get(), order.get(), mirrored.get()) == 1);
    CHECK(with(r + big_endian(mirrored.get(), 32)) == "accepted");
}

TEST_CASE("an EdDSA signature has one spelling") {
    const Signer ed(Algorithm::eddsa);
    const auto verifier = test::verifier_of({ed.key()});
    const auto input = input_of(Algorithm::eddsa);
    const auto good = ed.sign(input);
    const auto with = [&](const std::string& signature) {
        return outcome(verifier.verify(input + "." + base64url_encode(signature), kNow));
    };
    REQUIRE(with(good) == "accepted");
    // S + L (RFC 8032 section 5.1.7 wants S < L); numbers are little-endian there.
    const std::string s_bytes(good.rbegin(), good.rbegin() + 32);
    const Bignum sum = from_bytes(s_bytes);
    REQUIRE(BN_add(sum.get(), sum.get(), from_hex(kEd25519Order).get()) == 1);
    const auto wrapped = big_endian(sum.get(), 32);
    CHECK(with(good.substr(0, 32) + std::string(wrapped.rbegin(), wrapped.rend())) == "bad_signature");
    // The neutral element as R with S = 0 would fit a key of small order; ours is none.
    CHECK(with('\1' + std::string(63, '\0')) == "bad_signature");
    CHECK(with(std::string(32, '\0') + good.substr(32)) == "bad_signature");
    CHECK(with(good.substr(0, 32) + std::string(32, '\0')) == "bad_signature");
    CHECK(with(good.substr(32) + good.substr(0, 32)) == "bad_signature");
    for (std::size_t size = 1; size < 64; ++size) CHECK(with(good.substr(0, size)) == "bad_signature_length");
}

TEST_CASE("a verifier without keys says so instead of calling the token bad") {
    const Signer signer(Algorithm::hs256);
    CHECK(outcome(test::verifier_of({}).verify(signer.token(payload()), kNow)) == "no_keys");
}

TEST_CASE("the published examples verify: RFC 7515 A.1 to A.3 and RFC 8037 A.4") {
    // Their payloads are not for us; that the claims are what is refused shows that the signature holds.
    const std::string claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    struct Example {
        const char* name;
        Key key;
        std::string token;
    };
    const auto jwk = [](const std::string& text) {
        return KeySet::from_jwks(R"({"keys":[)" + text + "]}").value().keys().at(0);
    };
    const std::vector<Example> examples = {
        {"A.1 HS256",
         Key::from_secret(*base64url_decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
                                            "1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
             .value(),
         "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + claims +
             ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
        {"A.2 RS256",
         jwk(R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-)"
             R"(4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-)"
             R"(bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5I)"
             R"(hlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})"),
         "eyJhbGciOiJSUzI1NiJ9." + claims +
             ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
             "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
             "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07"
             "Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
             "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6Lbg"
             "GY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
        {"A.3 ES256",
         jwk(R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
             R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})"),
         "eyJhbGciOiJFUzI1NiJ9." + claims +
             ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    };
    const shared::WallTime then{std::chrono::seconds(1'300'819'000)};
    for (const auto& example : examples) {
        INFO(example.name);
        const auto verifier = test::verifier_of({example.key});
        CHECK(outcome(verifier.verify(example.token, then)) == "issuer_mismatch");
        CHECK(outcome(verifier.verify(example.token, kNow)) == "expired");
        auto changed = example.token;
        changed[changed.size() - 20] = changed[changed.size() - 20] == 'A' ? 'B' : 'A';
        CHECK(outcome(verifier.verify(changed, then)) == "bad_signature");
    }
    // RFC 8037's payload is a sentence.
    const auto ed = test::verifier_of(
        {jwk(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})")});
    CHECK(outcome(ed.verify(
              "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
              "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
              kNow)) == "payload_not_json_object");
}
