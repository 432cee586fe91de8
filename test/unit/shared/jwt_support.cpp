#include "test/unit/shared/jwt_support.hpp"

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <stdexcept>

#include "shared/base/encoding.hpp"

namespace test {

using shared::base64url_encode;
using shared::jwt::Algorithm;

namespace {

std::shared_ptr<EVP_PKEY> generate(Algorithm algorithm, unsigned rsa_bits, const char* curve) {
    EVP_PKEY* pkey = nullptr;
    if (algorithm == Algorithm::rs256 || algorithm == Algorithm::ps256)
        pkey = EVP_RSA_gen(rsa_bits);
    else if (algorithm == Algorithm::es256)
        pkey = EVP_EC_gen(curve);
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

}  // namespace

Signer::Signer(Algorithm algorithm, unsigned rsa_bits, const char* curve) : algorithm_(algorithm) {
    if (algorithm == Algorithm::hs256)
        secret_ = kSecret;
    else
        pkey_ = generate(algorithm, rsa_bits, curve);
}

Signer Signer::with_secret(std::string secret) {
    Signer signer(Algorithm::hs256);
    signer.secret_ = std::move(secret);
    return signer;
}

std::string Signer::sign(std::string_view input) const {
    const auto* data = reinterpret_cast<const unsigned char*>(input.data());
    std::string out(1024, '\0');
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    if (algorithm_ == Algorithm::hs256) {
        unsigned length = 0;
        HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), data, input.size(), to, &length);
        out.resize(length);
        return out;
    }
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_PKEY_CTX* parameters = nullptr;
    const EVP_MD* md = algorithm_ == Algorithm::eddsa ? nullptr : EVP_sha256();
    bool ok = EVP_DigestSignInit(context.get(), &parameters, md, nullptr, pkey_.get()) == 1;
    if (algorithm_ == Algorithm::ps256)
        ok = ok && EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
    std::size_t length = out.size();
    ok = ok && EVP_DigestSign(context.get(), to, &length, data, input.size()) == 1;
    if (!ok) throw std::runtime_error("no signature");
    out.resize(length);
    if (algorithm_ != Algorithm::es256) return out;

    const auto* p = reinterpret_cast<const unsigned char*>(out.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
        d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(out.size())), ECDSA_SIG_free);
    std::string raw(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), reinterpret_cast<unsigned char*>(raw.data()), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), reinterpret_cast<unsigned char*>(raw.data()) + 32, 32);
    return raw;
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

}  // namespace test
