// Keyed hashes and constant-time comparison, over OpenSSL.
#pragma once

#include <string>
#include <string_view>

namespace auth::crypto {

// 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view message);

// 32 bytes.
std::string sha256(std::string_view message);

// Takes as long for the first differing byte as for the last; only the length shows.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace auth::crypto
