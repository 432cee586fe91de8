// A verifier that remembers what it has accepted: a signature costs up to 41 µs (ES256), a look-up less than
// one. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "shared/jwt/token_cache.hpp"
#include "shared/jwt/verifier.hpp"

namespace shared::jwt {

// Whether a token's session has ended is not its question: ask after each verify().
class CachedVerifier {
  public:
    static constexpr std::size_t kEntries = 4096;  // about 1 KB each
    static constexpr std::chrono::seconds kMaxAge{60};

    explicit CachedVerifier(std::size_t entries = kEntries) : cache_(entries) {}

    // Tokens are judged by this one from now on; what another one accepted is forgotten.
    void use(std::shared_ptr<const Verifier> verifier);
    bool ready() const { return verifier_ != nullptr; }

    // As Verifier::verify, after use(). A token that was accepted is accepted again until it expires, at most
    // kMaxAge after it was verified.
    Result<Claims> verify(std::string_view token, WallTime now);

    std::size_t size() const { return cache_.size(); }
    std::uint64_t hits() const { return hits_; }

  private:
    std::shared_ptr<const Verifier> verifier_;
    std::uint64_t version_ = 0;  // counts use()
    TokenCache<Claims> cache_;
    std::uint64_t hits_ = 0;
};

}  // namespace shared::jwt
