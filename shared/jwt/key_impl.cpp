#include "shared/jwt/key_impl.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <cstring>
#include <optional>

namespace shared::jwt {
namespace {

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// Fetched once: a look-up by name in each call costs more than hashing a token.
EVP_MD* sha256() {
    static EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return md;
}

EVP_MAC* hmac() {
    static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    return mac;
}

// ERR_clear_error() walks through the whole queue even if it is empty, which costs as much as a fifth of an
// HMAC.
void clear_errors() {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

constexpr std::size_t kP256Bytes = 32;

// One unsigned 32-byte number as a DER INTEGER: no leading zeros, but one if the top bit is set (X.690
// section 8.3).
unsigned char* put_der_integer(unsigned char* out, const unsigned char* number) {
    std::size_t skip = 0;
    while (skip < kP256Bytes - 1 && number[skip] == 0) ++skip;
    const std::size_t length = kP256Bytes - skip;
    const bool pad = (number[skip] & 0x80) != 0;
    *out++ = 0x02;
    *out++ = static_cast<unsigned char>(length + (pad ? 1 : 0));
    if (pad) *out++ = 0;
    std::memcpy(out, number + skip, length);
    return out + length;
}

EvpMacCtx make_mac(std::string_view secret) {
    EvpMacCtx context(EVP_MAC_CTX_new(hmac()));
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    if (!context || EVP_MAC_init(context.get(), bytes(secret), secret.size(), params) != 1) return nullptr;
    return context;
}

EvpPkeyCtx make_verifier(EVP_PKEY* pkey, Algorithm algorithm) {
    EvpPkeyCtx context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey, nullptr));
    if (!context || EVP_PKEY_verify_init(context.get()) != 1) return nullptr;
    EVP_PKEY_CTX* const c = context.get();
    if (EVP_PKEY_CTX_set_signature_md(c, sha256()) != 1) return nullptr;
    if (algorithm == Algorithm::rs256 && EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) != 1)
        return nullptr;
    // RFC 7518 section 3.5: MGF1 with the same hash, salt as long as the hash.
    if (algorithm == Algorithm::ps256 && (EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) != 1 ||
                                          EVP_PKEY_CTX_set_rsa_mgf1_md(c, sha256()) != 1 ||
                                          EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) != 1))
        return nullptr;
    return context;
}

}  // namespace

Key::Impl::~Impl() {
    OPENSSL_cleanse(secret.data(), secret.size());
}

Result<void> Key::Impl::verify(std::string_view signing_input, std::string_view signature) const {
    if (signature.size() != signature_bytes) return Errc::bad_signature_length;
    bool good = false;
    switch (algorithm) {
        case Algorithm::hs256:
            good = verify_mac(signing_input, signature);
            break;
        case Algorithm::rs256:
        case Algorithm::ps256:
        case Algorithm::es256:
            good = verify_digest(signing_input, signature);
            break;
        case Algorithm::eddsa:
            good = verify_eddsa(signing_input, signature);
            break;
    }
    // Ours must not be mistaken for a later TLS call's. Those of earlier calls do no harm here: nothing above
    // looks at the queue.
    clear_errors();
    if (!good) return Errc::bad_signature;
    return {};
}

bool Key::Impl::verify_mac(std::string_view signing_input, std::string_view signature) const {
    auto context = macs_.take();
    if (context) {
        if (EVP_MAC_init(context.get(), nullptr, 0, nullptr) != 1) return false;  // same key, from the start
    } else {
        context = make_mac(secret);
        if (!context) return false;
    }
    unsigned char mac[32];
    std::size_t length = 0;
    if (EVP_MAC_update(context.get(), bytes(signing_input), signing_input.size()) != 1 ||
        EVP_MAC_final(context.get(), mac, &length, sizeof mac) != 1)
        return false;
    macs_.give(std::move(context));
    return length == signature.size() && CRYPTO_memcmp(mac, signature.data(), length) == 0;
}

bool Key::Impl::verify_digest(std::string_view signing_input, std::string_view signature) const {
    unsigned char digest[32];
    unsigned int digest_length = 0;
    if (EVP_Digest(signing_input.data(), signing_input.size(), digest, &digest_length, sha256(), nullptr) !=
        1)
        return false;
    unsigned char der[2 + 2 * (kP256Bytes + 3)];
    if (algorithm == Algorithm::es256) {
        unsigned char* end = put_der_integer(der + 2, bytes(signature));
        end = put_der_integer(end, bytes(signature) + kP256Bytes);
        der[0] = 0x30;
        der[1] = static_cast<unsigned char>(end - der - 2);
        signature = {reinterpret_cast<const char*>(der), static_cast<std::size_t>(end - der)};
    }
    auto context = verifiers_.take();
    if (!context) context = make_verifier(pkey.get(), algorithm);
    if (!context) return false;
    const int result =
        EVP_PKEY_verify(context.get(), bytes(signature), signature.size(), digest, digest_length);
    if (result >= 0) verifiers_.give(std::move(context));  // after an internal error a fresh one is made
    return result == 1;
}

bool Key::Impl::verify_eddsa(std::string_view signing_input, std::string_view signature) const {
    const EvpMdCtx context(EVP_MD_CTX_new());
    return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(signing_input),
                            signing_input.size()) == 1;
}

}  // namespace shared::jwt
