// The keys that one issuer's tokens are verified with: configured ones, and those behind a JWKS URL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/jwt/verifier.hpp"
#include "shared/keys/jwks_follower.hpp"

namespace shared::keys {

// Thread-safe. Verifiers are immutable: who verifies often keeps one and makes another when version() has
// moved.
class KeySource {
  public:
    // `jwks` may be null, and is started and stopped by its owner. Throws std::invalid_argument for rules
    // that nothing should be checked against (jwt::Verifier).
    KeySource(jwt::Rules rules, std::vector<jwt::Key> fixed, std::shared_ptr<JwksFollower> jwks = nullptr);

    std::uint64_t version() const { return jwks_ ? jwks_->version() : 1; }
    std::shared_ptr<const jwt::Verifier> make_verifier() const;
    std::size_t key_count() const;
    // Keys have come from the URL too, if there is one: tokens can be judged.
    bool ready() const { return jwks_ ? !jwks_->keys()->empty() : !fixed_.empty(); }
    const JwksFollower* jwks() const { return jwks_.get(); }

    // What the refusal of a verifier of ours means. A key that is not known asks for the set out of turn, and
    // while the set cannot be fetched, it may be one of those that could not be: an outage (no_keys, 503),
    // not the caller's fault.
    jwt::Errc judge(jwt::Errc refusal) const;

  private:
    jwt::Rules rules_;
    std::vector<jwt::Key> fixed_;
    std::shared_ptr<JwksFollower> jwks_;
};

// The keys of a JWK set that is configured as text; `issuer` is for the log, which names keys that are left
// out. Throws std::runtime_error for a text that is none, or that holds no key of ours.
std::vector<jwt::Key> read_jwks(std::string_view text, std::string_view issuer);

}  // namespace shared::keys
