// The keys of this issuer: one signs, all of them verify, the public halves are published.
//
// Key files live in one folder: keys.json names each key's file, algorithm and state. `rotate` moves them on:
//   next     published, signs nothing yet: every verifier has time to fetch it
//   active   signs
//   retired  verifies what it signed until the last token has expired; then its file goes
// So at no moment is there a token whose key a verifier could not know.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "services/auth/crypto/token_signer.hpp"
#include "shared/jwt/key.hpp"

namespace auth::crypto {

struct IssuerKeys {
    std::unique_ptr<TokenSigner> signer;
    std::shared_ptr<const shared::jwt::KeySet> verification;
    std::string jwks;  // what /.well-known/jwks.json answers
};

// HS256 with one secret. Nothing is published. Throws std::runtime_error for a weak secret.
std::shared_ptr<const IssuerKeys> make_secret_keys(const std::string& secret);

// The key files of a folder. Tokens signed with `secret` before the change to key files still verify. Throws
// std::runtime_error that names the file.
std::shared_ptr<const IssuerKeys> load_key_files(const std::filesystem::path& folder,
                                                 const std::string& secret);

struct Rotation {
    shared::jwt::Algorithm algorithm = shared::jwt::Algorithm::es256;  // of the new key
    std::chrono::seconds publish_for{600};    // how long a key has to be published before it signs
    std::chrono::seconds retire_after{1200};  // how long a retired key still verifies
};

// Makes the folder, an active key and the next one where there is no keys.json; false where there is one. Of
// replicas that start at once one makes them.
bool make_first_key_files(const std::filesystem::path& folder, shared::WallTime now);

// One step; an empty folder gets an active key and the next one. Returns a line for the operator. Throws
// std::runtime_error, and changes nothing, when the next key has not been published for long enough.
std::string rotate_key_files(const std::filesystem::path& folder, const Rotation& rotation,
                             shared::WallTime now);

}  // namespace auth::crypto
