#include "shared/jwt/credentials.hpp"

namespace shared::jwt {
namespace {

constexpr std::string_view kScheme = "bearer";

bool is_bearer(std::string_view text) {
    if (text.size() < kScheme.size()) return false;
    for (std::size_t i = 0; i < kScheme.size(); ++i)
        if ((text[i] | 0x20) != kScheme[i]) return false;
    // "Bearerx" is another scheme.
    return text.size() == kScheme.size() || text[kScheme.size()] == ' ' || text[kScheme.size()] == '\t';
}

}  // namespace

Credentials read_credentials(std::string_view authorization) {
    if (!is_bearer(authorization)) return {};
    const auto rest = authorization.substr(kScheme.size());
    if (rest.size() < 2 || rest[0] != ' ' || rest[1] == ' ') return {Credentials::Kind::malformed, {}};
    return {Credentials::Kind::bearer, rest.substr(1)};
}

}  // namespace shared::jwt
