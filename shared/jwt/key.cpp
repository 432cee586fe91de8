#include "shared/jwt/key.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "shared/jwt/key_impl.hpp"

namespace shared::jwt {
namespace {

using Bio = std::unique_ptr<BIO, OpensslDeleter<BIO_free_all>>;
using Bignum = std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>>;
using Certificate = std::unique_ptr<X509, OpensslDeleter<X509_free>>;

constexpr std::size_t kMinSecretBytes = 32;  // RFC 7518 section 3.2: not shorter than the hash
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;  // a larger one only buys the sender of bad tokens our CPU time

constexpr std::array<std::string_view, 5> kAlgorithmNames = {"HS256", "RS256", "PS256", "ES256", "EdDSA"};

class KeyCategory : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "jwt.key"; }
    std::string message(int value) const override {
        switch (static_cast<KeyErrc>(value)) {
            case KeyErrc::unreadable:
                return "no usable key in the text";
            case KeyErrc::too_weak:
                return "key too weak: an HMAC secret needs 32 bytes, RSA 2048 bits and an odd exponent of 3 "
                       "or more, Ed25519 a point that is not of small order";
            case KeyErrc::wrong_type:
                return "key type or curve does not fit the algorithm";
            case KeyErrc::unsupported:
                return "key is not one for verifying signatures with our algorithms";
        }
        return "unknown";
    }
};

Bio memory(std::string_view text) {
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// No pass phrase is ever asked for on a terminal.
int no_pass_phrase(char*, int, int, void*) {
    return -1;
}

Result<std::size_t> check_rsa(EVP_PKEY* pkey) {
    if (EVP_PKEY_is_a(pkey, "RSA") != 1) return KeyErrc::wrong_type;
    const int bits = EVP_PKEY_get_bits(pkey);
    if (bits < kMinRsaBits) return KeyErrc::too_weak;
    if (bits > kMaxRsaBits) return KeyErrc::unsupported;
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &raw) != 1) return KeyErrc::unreadable;
    const Bignum e(raw);
    if (BN_is_one(e.get()) || !BN_is_odd(e.get())) return KeyErrc::too_weak;
    if (BN_num_bits(e.get()) > 64) return KeyErrc::unsupported;
    return static_cast<std::size_t>(EVP_PKEY_get_size(pkey));
}

Result<std::size_t> check_p256(EVP_PKEY* pkey) {
    std::array<char, 32> group{};
    std::size_t length = 0;
    if (EVP_PKEY_is_a(pkey, "EC") != 1 ||
        EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                       &length) != 1 ||
        std::string_view(group.data(), length) != SN_X9_62_prime256v1)
        return KeyErrc::wrong_type;
    const EvpPkeyCtx context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey, nullptr));
    if (!context || EVP_PKEY_public_check(context.get()) != 1)
        return KeyErrc::unreadable;  // not on the curve
    return std::size_t{64};
}

// The points of small order (RFC 8032's curve has a cofactor of 8), the sign bit left out, in both spellings
// of 0 and 1. Under such a key a signature for any text can be made without a secret, as with RSA's e = 1.
bool has_small_order(std::array<unsigned char, 32> point) {
    point[31] &= 0x7F;
    static constexpr unsigned char kOrder8[2][32] = {
        {0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
         0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05},
        {0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
         0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A}};
    for (const auto& bad : kOrder8)
        if (std::equal(point.begin(), point.end(), bad)) return true;
    // 0 and 1; p - 1, p and p + 1 with p = 2^255 - 19.
    const bool low =
        point[0] <= 1 && std::all_of(point.begin() + 1, point.end(), [](auto b) { return b == 0; });
    const bool high = point[0] >= 0xEC && point[0] <= 0xEE && point[31] == 0x7F &&
                      std::all_of(point.begin() + 1, point.begin() + 31, [](auto b) { return b == 0xFF; });
    return low || high;
}

Result<std::size_t> check_ed25519(EVP_PKEY* pkey) {
    if (EVP_PKEY_is_a(pkey, "ED25519") != 1) return KeyErrc::wrong_type;
    std::array<unsigned char, 32> point{};
    std::size_t length = point.size();
    if (EVP_PKEY_get_raw_public_key(pkey, point.data(), &length) != 1 || length != point.size())
        return KeyErrc::unreadable;
    if (has_small_order(point)) return KeyErrc::too_weak;
    return std::size_t{64};
}

// Length of this key's signatures, or why the key is not taken.
Result<std::size_t> check_strength(Algorithm algorithm, EVP_PKEY* pkey) {
    switch (algorithm) {
        case Algorithm::rs256:
        case Algorithm::ps256:
            return check_rsa(pkey);
        case Algorithm::es256:
            return check_p256(pkey);
        case Algorithm::eddsa:
            return check_ed25519(pkey);
        case Algorithm::hs256:
            break;
    }
    return KeyErrc::wrong_type;  // a public key as an HMAC secret is the classic confusion
}

}  // namespace

const boost::system::error_category& key_category() {
    static const KeyCategory category;
    return category;
}

std::string_view to_string(Algorithm algorithm) {
    return kAlgorithmNames[static_cast<std::size_t>(algorithm)];
}

std::optional<Algorithm> parse_algorithm(std::string_view name) {
    for (std::size_t i = 0; i < kAlgorithmNames.size(); ++i)
        if (kAlgorithmNames[i] == name) return static_cast<Algorithm>(i);
    return std::nullopt;
}

Result<Key> make_public_key(Algorithm algorithm, EvpPkey pkey, std::string kid) {
    const auto signature_bytes = check_strength(algorithm, pkey.get());
    ERR_clear_error();
    if (!signature_bytes) return signature_bytes.error();
    auto impl = std::make_shared<Key::Impl>();
    impl->algorithm = algorithm;
    impl->kid = std::move(kid);
    impl->pkey = std::move(pkey);
    impl->signature_bytes = *signature_bytes;
    return Key(std::move(impl));
}

Result<Key> Key::from_secret(std::string_view secret, std::string kid) {
    if (secret.size() < kMinSecretBytes) return KeyErrc::too_weak;
    auto impl = std::make_shared<Impl>();
    impl->algorithm = Algorithm::hs256;
    impl->kid = std::move(kid);
    impl->secret = secret;
    impl->signature_bytes = 32;
    return Key(std::move(impl));
}

Result<Key> Key::from_public_pem(Algorithm algorithm, std::string_view pem, std::string kid) {
    EvpPkey pkey;
    if (const auto bio = memory(pem))
        pkey.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_pass_phrase, nullptr));
    if (!pkey) {
        const auto bio = memory(pem);
        const Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr)
                                          : nullptr);
        if (certificate) pkey.reset(X509_get_pubkey(certificate.get()));
    }
    ERR_clear_error();
    if (!pkey) return KeyErrc::unreadable;
    return make_public_key(algorithm, std::move(pkey), std::move(kid));
}

Result<Key> Key::from_private_pem(Algorithm algorithm, std::string_view pem, std::string kid) {
    const auto bio = memory(pem);
    const EvpPkey both(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr) : nullptr);
    unsigned char* der = nullptr;
    const int size = both ? i2d_PUBKEY(both.get(), &der) : 0;
    const unsigned char* p = der;
    EvpPkey half(size > 0 ? d2i_PUBKEY(nullptr, &p, size) : nullptr);
    OPENSSL_free(der);
    ERR_clear_error();
    if (!half) return KeyErrc::unreadable;
    return make_public_key(algorithm, std::move(half), std::move(kid));
}

Algorithm Key::algorithm() const {
    return impl_->algorithm;
}
const std::string& Key::kid() const {
    return impl_->kid;
}

KeySet::KeySet(std::vector<Key> keys) : keys_(std::move(keys)) {}

// A set holds a handful of keys: comparing their kids costs less than hashing one.
Result<const Key*> KeySet::find(Algorithm algorithm, std::optional<std::string_view> kid) const {
    if (keys_.empty()) return Errc::no_keys;
    const Key* found = nullptr;
    bool kid_seen = false;
    for (const auto& key : keys_) {
        if (kid && key.kid() != *kid) continue;
        kid_seen = true;
        if (key.algorithm() != algorithm) continue;
        if (found != nullptr) return Errc::unknown_kid;  // the token does not say which
        found = &key;
    }
    if (found != nullptr) return found;
    return kid_seen ? Errc::alg_key_mismatch : Errc::unknown_kid;
}

}  // namespace shared::jwt
