#include "test/support/token.hpp"

#include <openssl/hmac.h>

#include <array>
#include <ctime>

#include "shared/base/encoding.hpp"
#include "shared/base/random.hpp"
#include "shared/json/json.hpp"

namespace test {

std::string mint_raw(const std::string& header_json, const std::string& payload_json,
                     const std::string& secret) {
    const auto input = shared::base64url_encode(header_json) + "." + shared::base64url_encode(payload_json);
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned length = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac.data(), &length);
    return input + "." + shared::base64url_encode({reinterpret_cast<const char*>(mac.data()), length});
}

std::string mint_token(const TokenClaims& claims, const std::string& secret) {
    const auto now = static_cast<std::int64_t>(std::time(nullptr));
    shared::json::Writer payload;
    payload.object([&] {
        payload.member("iss", claims.iss);
        payload.member("aud", claims.aud);
        payload.member("sub", claims.sub);
        payload.member("role", claims.role);
        if (!claims.nim.empty()) payload.member("nim", claims.nim);
        payload.member("sid", claims.sid);
        payload.member("jti", shared::random_id());
        payload.member("iat", std::min(now, now + claims.lifetime.count()));
        payload.member("exp", now + claims.lifetime.count());
    });
    return mint_raw(R"({"alg":"HS256","typ":"JWT"})", payload.str(), secret);
}

}  // namespace test
