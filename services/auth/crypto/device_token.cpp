#include "services/auth/crypto/device_token.hpp"

#include <algorithm>
#include <vector>

#include "services/auth/crypto/mac.hpp"
#include "shared/base/encoding.hpp"
#include "shared/base/random.hpp"

namespace auth::crypto {
namespace {

constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kPartLength = 22;  // of 16 bytes as base64url, the id's and each MAC's

// Id and MACs; nullopt: it has not the form of a token.
std::optional<std::vector<std::string_view>> split(std::string_view token) {
    if (token.size() > DeviceTokens::kMaxLength) return std::nullopt;
    std::vector<std::string_view> parts;
    while (true) {
        const auto dot = std::min(token.find('.'), token.size());
        const auto part = token.substr(0, dot);
        if (part.size() != kPartLength || !shared::base64url_decode(part)) return std::nullopt;
        parts.push_back(part);
        if (dot == token.size()) break;
        token.remove_prefix(dot + 1);
    }
    if (parts.size() < 2 || parts.size() > 1 + DeviceTokens::kAccounts) return std::nullopt;
    return parts;
}

}  // namespace

std::string DeviceTokens::mac(std::string_view device, std::string_view account_id) const {
    const auto message = "kampus device v1|" + std::string(device) + '|' + std::string(account_id);
    return shared::base64url_encode(hmac_sha256(key_, message).substr(0, kMacBytes));
}

std::optional<std::string> DeviceTokens::device_of(std::string_view token,
                                                   std::string_view account_id) const {
    const auto parts = split(token);
    if (!parts) return std::nullopt;
    const auto expected = mac(parts->front(), account_id);
    const bool known = std::any_of(parts->begin() + 1, parts->end(), [&](std::string_view part) {
        return equal_in_constant_time(part, expected);
    });
    if (!known) return std::nullopt;
    return std::string(parts->front());
}

std::string DeviceTokens::remember(std::string_view token, std::string_view account_id) const {
    const auto parts = split(token);
    if (!parts) {
        const auto device = shared::random_id();
        return device + '.' + mac(device, account_id);
    }
    const auto own = mac(parts->front(), account_id);
    std::string next = std::string(parts->front()) + '.' + own;
    std::size_t accounts = 1;
    for (auto part = parts->begin() + 1; part != parts->end() && accounts < kAccounts; ++part) {
        if (*part == own) continue;
        next += '.';
        next += *part;
        ++accounts;
    }
    return next;
}

}  // namespace auth::crypto
