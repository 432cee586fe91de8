#include "shared/jwt/verifier.hpp"

#include <stdexcept>

#include "shared/jwt/check_claims.hpp"
#include "shared/jwt/key_impl.hpp"
#include "shared/jwt/reader.hpp"

namespace shared::jwt {

struct Verifier::Impl {
    Rules rules;
    std::shared_ptr<const KeySet> keys;
};

Verifier::Verifier(Rules rules, std::shared_ptr<const KeySet> keys)
    : impl_(std::make_unique<Impl>(Impl{std::move(rules), std::move(keys)})) {
    const auto& r = impl_->rules;
    if (!impl_->keys) throw std::invalid_argument("a token verifier needs a key set");
    // An empty rule would be met by a token that leaves the claim empty.
    if (r.issuer.empty() || r.audience.empty())
        throw std::invalid_argument("a token verifier needs an issuer and an audience");
    if (r.leeway.count() < 0 || r.leeway.count() > 300)
        throw std::invalid_argument("a token verifier's leeway is 0 to 300 seconds");
}

Verifier::~Verifier() = default;

const Rules& Verifier::rules() const {
    return impl_->rules;
}

Result<Claims> Verifier::verify(std::string_view token, WallTime now) const {
    ReadBuffer buffer;
    const auto read = read_token(token, impl_->rules.max_token_bytes, buffer);
    if (!read) return read.error();
    return verify(*read, now);
}

Result<Claims> Verifier::verify(const ReadToken& token, WallTime now) const {
    const auto key = impl_->keys->find(token.algorithm, token.kid);
    if (!key) return key.error();
    if (auto good = (*key)->impl().verify(token.signing_input, token.signature); !good) return good.error();
    return check_claims(token.payload, impl_->rules, now);
}

}  // namespace shared::jwt
