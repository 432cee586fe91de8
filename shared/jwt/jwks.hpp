// Publishing keys (RFC 7517) and naming them (RFC 7638).
#pragma once

#include <string>
#include <vector>

#include "shared/base/result.hpp"
#include "shared/jwt/key.hpp"

namespace shared::jwt {

// base64url(SHA-256) of the key's canonical public members: a kid that follows from the key. Error
// KeyErrc::unsupported for a secret, which must never be published in any form.
Result<std::string> thumbprint(const Key& key);

// {"keys":[…]} with kty, use, alg, kid and the public members; secrets are left out. A key without a kid is
// published under its thumbprint.
std::string to_jwks(const std::vector<Key>& keys);

}  // namespace shared::jwt
