#include "shared/session/feed_token.hpp"

#include <openssl/hmac.h>

#include <stdexcept>

#include "shared/base/encoding.hpp"

namespace shared::session {

std::string derive_feed_token(std::string_view jwt_secret) {
    constexpr std::string_view label = "kampus revocation feed v1";
    unsigned char mac[32];
    unsigned length = 0;
    if (HMAC(EVP_sha256(), jwt_secret.data(), static_cast<int>(jwt_secret.size()),
             reinterpret_cast<const unsigned char*>(label.data()), label.size(), mac, &length) == nullptr)
        throw std::runtime_error("HMAC-SHA256 failed");
    return to_hex({reinterpret_cast<const char*>(mac), length});
}

}  // namespace shared::session
