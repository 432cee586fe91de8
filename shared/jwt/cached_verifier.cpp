#include "shared/jwt/cached_verifier.hpp"

#include <algorithm>

namespace shared::jwt {

void CachedVerifier::use(std::shared_ptr<const Verifier> verifier) {
    verifier_ = std::move(verifier);
    ++version_;
}

Result<Claims> CachedVerifier::verify(std::string_view token, WallTime now) {
    if (auto* entry = cache_.find(token)) {
        if (now < entry->expires && entry->keys_version == version_) {
            ++hits_;
            return entry->payload;
        }
        cache_.drop(*entry);
    }
    auto claims = verifier_->verify(token, now);
    if (!claims || !cache_.enabled()) return claims;
    const auto expires = std::min(to_time(claims->exp), now + kMaxAge);
    if (expires <= now) return claims;  // within the leeway
    auto& entry = cache_.put(token);
    entry.expires = expires;
    entry.keys_version = version_;
    entry.payload = *claims;
    return claims;
}

}  // namespace shared::jwt
