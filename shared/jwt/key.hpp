// Verification keys: each is bound to exactly one algorithm and checked for strength when it is configured.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"

namespace shared::jwt {

enum class Algorithm { hs256, rs256, ps256, es256, eddsa };
std::string_view to_string(Algorithm algorithm);                  // "HS256"
std::optional<Algorithm> parse_algorithm(std::string_view name);  // exact, case-sensitive

enum class KeyErrc {
    unreadable = 1,  // no key in the text
    too_weak,     // HMAC secret shorter than 32 bytes, RSA below 2048 bits or e = 1, Ed25519 point of small
                  // order
    wrong_type,   // key type or curve that does not fit the algorithm
    unsupported,  // a JWK with use/alg/kty that is not for us
};
const boost::system::error_category& key_category();
inline ErrorCode make_error_code(KeyErrc e) {
    return {static_cast<int>(e), key_category()};
}

class Key {
  public:
    static Result<Key> from_secret(std::string_view secret, std::string kid = "");  // HS256
    // "PUBLIC KEY", "RSA PUBLIC KEY" or "CERTIFICATE"; a private key is refused: a verifier has no use for
    // one.
    static Result<Key> from_public_pem(Algorithm algorithm, std::string_view pem, std::string kid = "");
    // The public half of a private key in PEM: for a signer that checks or publishes its own key.
    static Result<Key> from_private_pem(Algorithm algorithm, std::string_view pem, std::string kid = "");

    Algorithm algorithm() const;
    const std::string& kid() const;  // empty: none

    struct Impl;
    explicit Key(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
    const Impl& impl() const { return *impl_; }

  private:
    std::shared_ptr<const Impl> impl_;
};

// The keys of one issuer. A token with a kid uses the key of that kid; a token without one uses the set's
// only key of its algorithm.
class KeySet {
  public:
    explicit KeySet(std::vector<Key> keys);
    // RFC 7517; keys that are not for verifying signatures with our algorithms are left out. `errors`, if
    // given, receives a line per key that was left out.
    static Result<KeySet> from_jwks(std::string_view json, std::vector<std::string>* errors = nullptr);

    bool empty() const { return keys_.empty(); }
    const std::vector<Key>& keys() const { return keys_; }

    // The key for a token's header. Errors of jwt::Errc: no_keys (the set is empty), unknown_kid (also: no
    // kid, and the set has several keys of that algorithm), alg_key_mismatch.
    Result<const Key*> find(Algorithm algorithm, std::optional<std::string_view> kid) const;

  private:
    std::vector<Key> keys_;
};

}  // namespace shared::jwt

template <>
struct boost::system::is_error_code_enum<shared::jwt::KeyErrc> : std::true_type {};
