// Signs any header and payload, right or wrong, with each of our algorithms; by OpenSSL alone.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "shared/base/clock.hpp"
#include "shared/jwt/verifier.hpp"

namespace test {

inline constexpr const char* kSecret = "a-test-only-key-of-more-than-32-bytes-0123456789";

class Signer {
  public:
    // A new key pair; HS256 uses kSecret.
    explicit Signer(shared::jwt::Algorithm algorithm, unsigned rsa_bits = 2048, const char* curve = "P-256",
                    unsigned rsa_exponent = 65537);
    static Signer with_secret(std::string secret);

    shared::jwt::Algorithm algorithm() const { return algorithm_; }
    // Signature bytes as JWS has them (RFC 7518 section 3).
    std::string sign(std::string_view input) const;
    // As JWS does not have them. A negative salt length is PKCS #1 v1.5, else PSS; no `mgf1`: the same hash.
    std::string sign_rsa(std::string_view input, const char* hash, int pss_salt,
                         const char* mgf1 = nullptr) const;
    std::string sign_ecdsa(std::string_view input, const char* hash) const;
    // "header.payload.signature" of these two texts as they are.
    std::string token(std::string_view header, std::string_view payload) const;
    // With {"alg":"…","typ":"JWT"}.
    std::string token(std::string_view payload) const;

    std::string public_pem() const;
    std::string public_der() const;
    std::string private_pem() const;
    std::string rsa_modulus() const;  // 256 bytes with 2048 bits
    shared::jwt::Key key(std::string kid = "") const;
    static std::string to_der(const std::string& raw);  // ES256: a raw signature in DER

  private:
    // DER for ES256.
    std::string sign_digest(std::string_view input, const EVP_MD* hash, int pss_salt,
                            const EVP_MD* mgf1) const;

    shared::jwt::Algorithm algorithm_;
    std::string secret_;
    std::shared_ptr<EVP_PKEY> pkey_;
};

inline const shared::WallTime kNow{std::chrono::seconds(1'700'000'000)};

// Claims that hold at kNow under rules(); `more` is appended as it is, e.g. R"(,"nim":"22001")".
std::string payload(std::string_view more = "");
shared::jwt::Rules rules();
shared::jwt::Verifier verifier_of(std::vector<shared::jwt::Key> keys);
std::string outcome(const shared::Result<shared::jwt::Claims>& result);  // "accepted" or the reason

}  // namespace test
