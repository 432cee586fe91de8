#include <jwt/jwt.hpp>
#include <stdexcept>

#include "services/auth/crypto/token_signer.hpp"

namespace auth::crypto {
namespace {

std::int64_t seconds(shared::WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

class Hs256Signer final : public TokenSigner {
  public:
    explicit Hs256Signer(std::string secret) : secret_(std::move(secret)) {}

    std::string sign(const AccessClaims& claims) const override {
        jwt::jwt_object token{jwt::params::algorithm("HS256"), jwt::params::secret(secret_),
                              jwt::params::payload({})};
        token.add_claim("iss", claims.iss);
        token.add_claim("aud", claims.aud);
        token.add_claim("sub", claims.sub);
        if (!claims.role.empty()) token.add_claim("role", claims.role);
        if (claims.nim) token.add_claim("nim", *claims.nim);
        token.add_claim("sid", claims.sid);
        token.add_claim("jti", claims.jti);
        token.add_claim("iat", seconds(claims.iat));
        token.add_claim("exp", seconds(claims.exp));
        std::error_code error;
        std::string text = token.signature(error);
        if (error) throw std::runtime_error("the access token cannot be signed: " + error.message());
        return text;
    }

  private:
    std::string secret_;
};

}  // namespace

std::unique_ptr<TokenSigner> make_hs256_signer(std::string secret) {
    return std::make_unique<Hs256Signer>(std::move(secret));
}

}  // namespace auth::crypto
