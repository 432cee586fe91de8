#include "shared/keys/key_source.hpp"

#include <stdexcept>

#include "shared/log/log.hpp"

namespace shared::keys {

KeySource::KeySource(jwt::Rules rules, std::vector<jwt::Key> fixed, std::shared_ptr<JwksFollower> jwks)
    : rules_(std::move(rules)), fixed_(std::move(fixed)), jwks_(std::move(jwks)) {
    make_verifier();
}

std::shared_ptr<const jwt::Verifier> KeySource::make_verifier() const {
    auto keys = fixed_;
    if (jwks_) {
        const auto fetched = jwks_->keys();
        keys.insert(keys.end(), fetched->keys().begin(), fetched->keys().end());
    }
    return std::make_shared<const jwt::Verifier>(rules_,
                                                 std::make_shared<const jwt::KeySet>(std::move(keys)));
}

std::size_t KeySource::key_count() const {
    return fixed_.size() + (jwks_ ? jwks_->keys()->keys().size() : 0);
}

jwt::Errc KeySource::judge(jwt::Errc refusal) const {
    const bool key_not_found = refusal == jwt::Errc::unknown_kid || refusal == jwt::Errc::alg_key_mismatch ||
                               refusal == jwt::Errc::no_keys;
    if (!jwks_ || !key_not_found) return refusal;
    jwks_->want_unknown_kid();
    return jwks_->failing() || jwks_->keys()->empty() ? jwt::Errc::no_keys : refusal;
}

std::vector<jwt::Key> read_jwks(std::string_view text, std::string_view issuer) {
    std::vector<std::string> left_out;
    const auto set = jwt::KeySet::from_jwks(text, &left_out);
    if (!set) throw std::runtime_error("is no JWK set");
    if (set->empty())
        throw std::runtime_error("holds no key for us" + (left_out.empty() ? "" : ": " + left_out[0]));
    for (const auto& line : left_out) log::warn("jwks_key_left_out", {{"issuer", issuer}, {"key", line}});
    return set->keys();
}

}  // namespace shared::keys
