#include "services/auth/crypto/refresh_token.hpp"

#include "services/auth/crypto/mac.hpp"
#include "shared/base/encoding.hpp"
#include "shared/base/text.hpp"

namespace auth::crypto {

std::string RefreshTokens::mint(std::string_view sid, std::int64_t gen) const {
    std::string token = std::string(sid) + '.' + std::to_string(gen);
    token += '.' + shared::base64url_encode(hmac_sha256(key_, "kampus refresh v1|" + token));
    return token;
}

std::optional<RefreshTokens::Parts> RefreshTokens::read(std::string_view token) const {
    if (token.size() > 128) return std::nullopt;
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    if (first == std::string_view::npos || first == 0 || last == first) return std::nullopt;
    Parts parts;
    parts.sid = token.substr(0, first);
    const auto gen = shared::parse_number<std::int64_t>(token.substr(first + 1, last - first - 1));
    if (!gen || *gen < 0) return std::nullopt;
    parts.gen = *gen;
    // Comparing whole tokens also refuses a second spelling of the number ("007").
    if (!equal_in_constant_time(token, mint(parts.sid, parts.gen))) return std::nullopt;
    return parts;
}

}  // namespace auth::crypto
