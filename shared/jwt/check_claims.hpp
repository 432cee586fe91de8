// From the nodes of a payload whose signature is good to claims that hold now (RFC 7519 section 4.1).
#pragma once

#include <span>

#include "shared/base/clock.hpp"
#include "shared/base/result.hpp"
#include "shared/jwt/claims.hpp"
#include "shared/jwt/json_scan.hpp"
#include "shared/jwt/verifier.hpp"

namespace shared::jwt {

// Order of the checks: types, exp, nbf, iat, iss, aud, sub.
Result<Claims> check_claims(std::span<const JsonNode> payload, const Rules& rules, WallTime now);

}  // namespace shared::jwt
