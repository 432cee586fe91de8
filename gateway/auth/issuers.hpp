// The issuers whose tokens the gateway takes, and where their keys come from.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "shared/jwt/key.hpp"

namespace gateway::auth {

struct PemKey {
    shared::jwt::Algorithm algorithm = shared::jwt::Algorithm::rs256;
    std::string file;  // public key in PEM
    std::string kid;
};

// Exactly one source of keys: `secret`, `pem_keys`, `jwks_file` or `jwks_url`.
struct IssuerOptions {
    std::string name;      // for logs and metrics
    std::string issuer;    // claim iss, compared byte for byte
    std::string audience;  // must be in claim aud
    std::chrono::seconds leeway{30};
    std::size_t max_token_bytes = 8 * 1024;

    std::string secret;  // HS256, at least 32 bytes
    std::string secret_kid;
    std::vector<PemKey> pem_keys;
    std::string jwks_file;
    std::string jwks_url;
    std::chrono::seconds refresh_every{300};
    std::chrono::seconds max_stale{24 * 3600};  // keys older than this are no longer used: 503
    std::chrono::seconds refetch_at_most_every{30};
    std::chrono::milliseconds fetch_timeout{5000};
};

}  // namespace gateway::auth
