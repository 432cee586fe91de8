#include "test/unit/shared/jwt_support.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <stdexcept>

#include "shared/base/encoding.hpp"

namespace test {

using shared::base64url_encode;
using shared::jwt::Algorithm;

namespace {

EVP_PKEY* generate_rsa(unsigned bits, unsigned exponent) {
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> e(BN_new(), BN_free);
    EVP_PKEY* pkey = nullptr;
    if (BN_set_word(e.get(), exponent) != 1 || EVP_PKEY_keygen_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) != 1 ||
        EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e.get()) != 1 ||
        EVP_PKEY_generate(context.get(), &pkey) != 1)
        return nullptr;
    return pkey;
}

std::shared_ptr<EVP_PKEY> generate(Algorithm algorithm, unsigned rsa_bits, const char* curve,
                                   unsigned rsa_exponent) {
    EVP_PKEY* pkey = nullptr;
    if (algorithm == Algorithm::rs256 || algorithm == Algorithm::ps256)
        pkey = generate_rsa(rsa_bits, rsa_exponent);
    else if (algorithm == Algorithm::es256)
        pkey = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve);
    else
        pkey = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    if (pkey == nullptr) throw std::runtime_error("no key pair");
    return {pkey, EVP_PKEY_free};
}

std::string pem_of(EVP_PKEY* pkey, bool with_private) {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), BIO_free_all);
    const int ok = with_private
                       ? PEM_write_bio_PrivateKey(bio.get(), pkey, nullptr, nullptr, 0, nullptr, nullptr)
                       : PEM_write_bio_PUBKEY(bio.get(), pkey);
    if (ok != 1) throw std::runtime_error("no PEM");
    BUF_MEM* memory = nullptr;
    BIO_get_mem_ptr(bio.get(), &memory);
    return {memory->data, memory->length};
}

// DER -> r and s, each of 32 bytes.
std::string to_raw(const std::string& der) {
    const auto* p = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
        d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der.size())), ECDSA_SIG_free);
    const auto size = der.size() > 72 ? 48 : 32;  // P-384 or P-256
    std::string raw(static_cast<std::size_t>(2 * size), '\0');
    auto* to = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), to, size);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), to + size, size);
    return raw;
}

}  // namespace

Signer::Signer(Algorithm algorithm, unsigned rsa_bits, const char* curve, unsigned rsa_exponent)
    : algorithm_(algorithm) {
    if (algorithm == Algorithm::hs256)
        secret_ = kSecret;
    else
        pkey_ = generate(algorithm, rsa_bits, curve, rsa_exponent);
}

Signer Signer::with_secret(std::string secret) {
    Signer signer(Algorithm::hs256);
    signer.secret_ = std::move(secret);
    return signer;
}

std::string Signer::sign(std::string_view input) const {
    switch (algorithm_) {
        case Algorithm::hs256: {
            unsigned length = 0;
            std::string out(32, '\0');
            HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
                 reinterpret_cast<const unsigned char*>(input.data()), input.size(),
                 reinterpret_cast<unsigned char*>(out.data()), &length);
            return out;
        }
        case Algorithm::rs256:
            return sign_rsa(input, "SHA256", -1);
        case Algorithm::ps256:
            return sign_rsa(input, "SHA256", 32);
        case Algorithm::es256:
            return sign_ecdsa(input, "SHA256");
        case Algorithm::eddsa:
            return sign_digest(input, nullptr, -1, nullptr);
    }
    throw std::logic_error("no such algorithm");
}

std::string Signer::sign_rsa(std::string_view input, const char* hash, int pss_salt, const char* mgf1) const {
    return sign_digest(input, EVP_get_digestbyname(hash), pss_salt,
                       mgf1 != nullptr ? EVP_get_digestbyname(mgf1) : nullptr);
}

std::string Signer::sign_ecdsa(std::string_view input, const char* hash) const {
    return to_raw(sign_digest(input, EVP_get_digestbyname(hash), -1, nullptr));
}

std::string Signer::sign_digest(std::string_view input, const EVP_MD* hash, int pss_salt,
                                const EVP_MD* mgf1) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_PKEY_CTX* parameters = nullptr;
    bool ok = EVP_DigestSignInit(context.get(), &parameters, hash, nullptr, pkey_.get()) == 1;
    if (pss_salt >= 0)
        ok = ok && EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, pss_salt) == 1 &&
             (mgf1 == nullptr || EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, mgf1) == 1);
    std::string out(1024, '\0');
    std::size_t length = out.size();
    ok = ok && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &length,
                              reinterpret_cast<const unsigned char*>(input.data()), input.size()) == 1;
    if (!ok) throw std::runtime_error("no signature");
    out.resize(length);
    return out;
}

std::string Signer::token(std::string_view header, std::string_view payload) const {
    const auto input = base64url_encode(header) + "." + base64url_encode(payload);
    return input + "." + base64url_encode(sign(input));
}

std::string Signer::token(std::string_view payload) const {
    return token(R"({"alg":")" + std::string(to_string(algorithm_)) + R"(","typ":"JWT"})", payload);
}

std::string Signer::public_pem() const {
    return pem_of(pkey_.get(), false);
}
std::string Signer::public_der() const {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(pkey_.get(), &der);
    std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return out;
}
std::string Signer::rsa_modulus() const {
    BIGNUM* n = nullptr;
    EVP_PKEY_get_bn_param(pkey_.get(), OSSL_PKEY_PARAM_RSA_N, &n);
    std::string out(static_cast<std::size_t>(BN_num_bytes(n)), '\0');
    BN_bn2bin(n, reinterpret_cast<unsigned char*>(out.data()));
    BN_free(n);
    return out;
}
std::string Signer::private_pem() const {
    return pem_of(pkey_.get(), true);
}

shared::jwt::Key Signer::key(std::string kid) const {
    using shared::jwt::Key;
    if (algorithm_ == Algorithm::hs256) return Key::from_secret(secret_, std::move(kid)).value();
    return Key::from_public_pem(algorithm_, public_pem(), std::move(kid)).value();
}

std::string Signer::to_der(const std::string& raw) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(ECDSA_SIG_new(), ECDSA_SIG_free);
    ECDSA_SIG_set0(parts.get(), BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(parts.get(), &der);
    std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return out;
}

std::string payload(std::string_view more) {
    return R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u-1","role":"mahasiswa","sid":"s-1","jti":"t-1",)"
           R"("iat":1699999990,"exp":1700000600)" +
           std::string(more) + "}";
}

shared::jwt::Rules rules() {
    shared::jwt::Rules rules;
    rules.issuer = "kampus-auth";
    rules.audience = "kampus-api";
    return rules;
}

shared::jwt::Verifier verifier_of(std::vector<shared::jwt::Key> keys) {
    return {rules(), std::make_shared<const shared::jwt::KeySet>(std::move(keys))};
}

std::string outcome(const shared::Result<shared::jwt::Claims>& result) {
    return result ? "accepted" : result.error().message();
}

}  // namespace test
