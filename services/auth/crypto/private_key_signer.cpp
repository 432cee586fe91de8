// ES256, RS256, PS256 and EdDSA by OpenSSL: cpp-jwt would parse the PEM for every token and knows neither
// PS256 as we check it nor Ed25519.
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>

#include "services/auth/crypto/token_signer.hpp"
#include "shared/base/encoding.hpp"
#include "shared/json/json.hpp"

namespace auth::crypto {
namespace {

using shared::jwt::Algorithm;

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* pointer) const {
        Free(pointer);
    }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using MdContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;

constexpr int kP256Bytes = 32;

std::int64_t seconds(shared::WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string payload(const AccessClaims& claims) {
    shared::json::Writer out;
    out.object([&] {
        out.member("iss", claims.iss);
        out.member("aud", claims.aud);
        out.member("sub", claims.sub);
        if (!claims.role.empty()) out.member("role", claims.role);
        if (claims.nim) out.member("nim", *claims.nim);
        out.member("sid", claims.sid);
        out.member("jti", claims.jti);
        out.member("iat", seconds(claims.iat));
        out.member("exp", seconds(claims.exp));
    });
    return out.str();
}

// OpenSSL gives ASN.1; JWS wants r and s at full length behind one another (RFC 7518 section 3.4).
std::string raw_ecdsa(const std::string& der) {
    const auto* data = reinterpret_cast<const unsigned char*>(der.data());
    const EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &data, static_cast<long>(der.size())));
    if (!signature) throw std::runtime_error("OpenSSL gave an ECDSA signature that cannot be read");
    std::string raw(2 * kP256Bytes, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, kP256Bytes);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + kP256Bytes, kP256Bytes);
    return raw;
}

class PrivateKeySigner final : public TokenSigner {
  public:
    PrivateKeySigner(Algorithm algorithm, const std::string& pem, const std::string& kid)
        : algorithm_(algorithm) {
        const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
        key_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
        ERR_clear_error();
        if (!key_) throw std::runtime_error("no private key in PEM form");
        shared::json::Writer out;
        out.object([&] {
            out.member("alg", shared::jwt::to_string(algorithm));
            out.member("typ", "JWT");
            out.member("kid", kid);
        });
        header_ = shared::base64url_encode(out.str());
        sign(AccessClaims());  // a key that cannot sign is found now, not at the first login
    }

    std::string sign(const AccessClaims& claims) const override {
        std::string token = header_ + '.' + shared::base64url_encode(payload(claims));
        std::string signature = signature_of(token);
        if (algorithm_ == Algorithm::es256) signature = raw_ecdsa(signature);
        return token + '.' + shared::base64url_encode(signature);
    }

  private:
    std::string signature_of(const std::string& text) const {
        const MdContext context(EVP_MD_CTX_new());
        EVP_PKEY_CTX* options = nullptr;  // the context's
        const EVP_MD* digest = algorithm_ == Algorithm::eddsa ? nullptr : EVP_sha256();
        bool ok = EVP_DigestSignInit(context.get(), &options, digest, nullptr, key_.get()) == 1;
        if (ok && algorithm_ == Algorithm::ps256)
            ok = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
        const auto* data = reinterpret_cast<const unsigned char*>(text.data());
        std::size_t length = 0;
        ok = ok && EVP_DigestSign(context.get(), nullptr, &length, data, text.size()) == 1;
        std::string signature(length, '\0');
        ok = ok && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                                  data, text.size()) == 1;
        ERR_clear_error();
        if (!ok) throw std::runtime_error("the private key cannot sign");
        signature.resize(length);
        return signature;
    }

    Algorithm algorithm_;
    Pkey key_;
    std::string header_;
};

}  // namespace

std::unique_ptr<TokenSigner> make_private_key_signer(Algorithm algorithm, const std::string& pem,
                                                     const std::string& kid) {
    return std::make_unique<PrivateKeySigner>(algorithm, pem, kid);
}

}  // namespace auth::crypto
