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
    explicit Signer(shared::jwt::Algorithm algorithm, unsigned rsa_bits = 2048, const char* curve = "P-256");
    static Signer with_secret(std::string secret);

    shared::jwt::Algorithm algorithm() const { return algorithm_; }
    // Signature bytes as JWS has them (RFC 7518 section 3).
    std::string sign(std::string_view input) const;
    // "header.payload.signature" of these two texts as they are.
    std::string token(std::string_view header, std::string_view payload) const;
    // With {"alg":"…","typ":"JWT"}.
    std::string token(std::string_view payload) const;

    std::string public_pem() const;
    std::string private_pem() const;
    shared::jwt::Key key(std::string kid = "") const;
    // ES256 only: the same signature with s replaced by n - s, or in DER.
    static std::string to_der(const std::string& raw);

  private:
    shared::jwt::Algorithm algorithm_;
    std::string secret_;
    std::shared_ptr<EVP_PKEY> pkey_;
};

inline const shared::WallTime kNow{std::chrono::seconds(1'700'000'000)};

// Claims that hold at kNow under rules(); `more` is appended as it is, e.g. R"(,"nim":"22001")".
std::string payload(std::string_view more = "");
shared::jwt::Rules rules();
shared::jwt::Verifier verifier_of(std::vector<shared::jwt::Key> keys);

}  // namespace test
