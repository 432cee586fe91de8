// Access tokens (JWT, RFC 7519). Minting only: whoever reads a token uses shared/jwt.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/clock.hpp"
#include "shared/base/result.hpp"
#include "shared/jwt/key.hpp"

namespace auth::crypto {

struct AccessClaims {
    std::string iss;
    std::string aud;
    std::string sub;
    std::string role;  // empty: left out (the account has to set its own password first)
    std::optional<std::string> nim;
    std::string sid;
    std::string jti;
    shared::WallTime iat{};
    shared::WallTime exp{};
};

class TokenSigner {
  public:
    virtual ~TokenSigner() = default;
    // Throws std::runtime_error if the key cannot sign (checked once at start-up).
    virtual std::string sign(const AccessClaims& claims) const = 0;
};

// HS256 by cpp-jwt; `secret` at least 32 bytes.
std::unique_ptr<TokenSigner> make_hs256_signer(std::string secret);

// A private key in PEM form; `kid` goes into each token's header. Throws std::runtime_error for a key that
// cannot sign.
std::unique_ptr<TokenSigner> make_private_key_signer(shared::jwt::Algorithm algorithm, const std::string& pem,
                                                     const std::string& kid);

}  // namespace auth::crypto
