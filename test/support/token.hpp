// HS256 tokens for tests, right or wrong in any way a test wants.
#pragma once

#include <chrono>
#include <string>

namespace test {

inline constexpr const char* kJwtSecret = "a-test-only-key-of-more-than-32-bytes-0123456789";

struct TokenClaims {
    std::string iss = "kampus-auth";
    std::string aud = "kampus-api";
    std::string sub = "u-1";
    std::string role = "mahasiswa";
    std::string nim;
    std::string sid = "s-1";
    std::chrono::seconds lifetime{600};  // negative: expired
};

std::string mint_token(const TokenClaims& claims, const std::string& secret = kJwtSecret);

// Signs these two JSON texts as they are.
std::string mint_raw(const std::string& header_json, const std::string& payload_json,
                     const std::string& secret = kJwtSecret);

}  // namespace test
