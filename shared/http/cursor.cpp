#include "shared/http/cursor.hpp"

#include <openssl/sha.h>

#include <algorithm>

#include "shared/base/encoding.hpp"
#include "shared/base/text.hpp"

namespace shared::http {
namespace {

constexpr std::size_t kCheckBytes = 4;

std::string check_value(std::string_view list, std::string_view key) {
    std::string text = std::string(list) + '\0' + std::string(key);
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
    return {reinterpret_cast<const char*>(hash), kCheckBytes};
}

}  // namespace

std::string make_cursor(std::string_view list, std::string_view key) {
    return base64url_encode(check_value(list, key) + std::string(key));
}

std::optional<std::string> read_cursor(std::string_view list, std::string_view cursor,
                                       std::size_t max_bytes) {
    const auto bytes = base64url_decode(cursor);
    if (!bytes || bytes->size() <= kCheckBytes || bytes->size() > kCheckBytes + max_bytes)
        return std::nullopt;
    std::string key = bytes->substr(kCheckBytes);
    if (bytes->compare(0, kCheckBytes, check_value(list, key)) != 0) return std::nullopt;
    if (!valid_utf8(key) || std::any_of(key.begin(), key.end(), is_control)) return std::nullopt;
    return key;
}

}  // namespace shared::http
