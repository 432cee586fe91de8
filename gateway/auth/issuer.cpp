#include "gateway/auth/issuer.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <tuple>

#include "shared/log/log.hpp"
#include "shared/session/feed_token.hpp"

namespace gateway::auth {

namespace jwt = shared::jwt;

namespace {

bool same(const config::Jwks& a, const config::Jwks& b) {
    const auto all = [](const config::Jwks& j) {
        return std::tie(j.url, j.refresh, j.max_stale, j.unknown_kid_interval, j.timeout);
    };
    return all(a) == all(b);
}

shared::session::FollowerOptions feed_options(const config::Issuer& issuer) {
    const auto& feed = *issuer.revocations;
    shared::session::FollowerOptions options;
    options.name = issuer.name;
    options.url = feed.url;
    options.token = feed.token;
    if (options.token.empty())
        for (const auto& key : issuer.keys)
            if (key.algorithm == "HS256") {
                options.token = shared::session::derive_feed_token(key.secret);
                break;
            }
    options.wait = feed.wait;
    options.retry = feed.retry;
    options.max_age = feed.max_age;
    options.refuse_when_stale = feed.on_stale == config::RevocationFeed::OnStale::refuse;
    return options;
}

bool same(const config::RevocationFeed& a, const config::RevocationFeed& b) {
    const auto all = [](const config::RevocationFeed& f) {
        return std::tie(f.url, f.token, f.wait, f.retry, f.max_age, f.on_stale, f.max_entries);
    };
    return all(a) == all(b);
}

}  // namespace

Issuer::Issuer(const config::Issuer& settings, const std::vector<std::shared_ptr<Issuer>>& previous)
    : settings_(settings) {
    challenge_ = "Bearer realm=\"" + settings_.realm + "\"";
    const auto invalid = challenge_ + ", error=\"invalid_token\", error_description=";
    challenge_invalid_ = invalid + "\"the token is not valid\"";
    challenge_expired_ = invalid + "\"the token has expired\"";
    challenge_revoked_ = invalid + "\"the session has ended\"";
    challenge_scope_ = challenge_ + ", error=\"insufficient_scope\"";
    load_keys();
    take_jwks(previous);
    if (fixed_keys_.empty() && !jwks_) fail("there is no key to verify its tokens with");
    take_feed(previous);
    try {
        make_verifier();
    } catch (const std::invalid_argument& e) {
        fail(e.what());
    }
}

void Issuer::fail(const std::string& what) const {
    throw std::runtime_error("issuer \"" + settings_.name + "\": " + what);
}

void Issuer::load_keys() {
    std::size_t number = 0;
    for (const auto& key : settings_.keys) {
        const auto algorithm = jwt::parse_algorithm(key.algorithm);
        const auto at = "key " + std::to_string(number++) + ": ";
        if (!algorithm) fail(at + "unknown algorithm " + key.algorithm);
        auto made = *algorithm == jwt::Algorithm::hs256
                        ? jwt::Key::from_secret(key.secret, key.kid)
                        : jwt::Key::from_public_pem(*algorithm, key.public_key, key.kid);
        if (!made) fail(at + made.error().message());
        fixed_keys_.push_back(std::move(*made));
    }
    if (!settings_.jwks || settings_.jwks->file.empty()) return;
    const auto& file = settings_.jwks->file;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) fail("cannot read jwks.file " + file);
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    std::vector<std::string> left_out;
    const auto set = jwt::KeySet::from_jwks(text, &left_out);
    if (!set) fail("jwks.file " + file + " is no JWK set");
    if (set->empty())
        fail("jwks.file " + file + " holds no key for us" + (left_out.empty() ? "" : ": " + left_out[0]));
    for (const auto& line : left_out)
        shared::log::warn("jwks_key_left_out", {{"issuer", settings_.name}, {"key", line}});
    fixed_keys_.insert(fixed_keys_.end(), set->keys().begin(), set->keys().end());
}

void Issuer::take_jwks(const std::vector<std::shared_ptr<Issuer>>& previous) {
    if (!settings_.jwks || settings_.jwks->url.empty()) return;
    for (const auto& other : previous)
        if (other->jwks_ && same(other->jwks_->task->settings(), *settings_.jwks)) {
            jwks_ = other->jwks_;
            return;
        }
    jwks_ = std::make_shared<Owned<JwksFollower>>(
        std::make_shared<JwksFollower>(settings_.name, *settings_.jwks));
}

void Issuer::take_feed(const std::vector<std::shared_ptr<Issuer>>& previous) {
    if (!settings_.revocations) return;
    auto options = feed_options(settings_);
    for (const auto& other : previous)
        if (other->feed_ && same(*other->settings_.revocations, *settings_.revocations) &&
            other->feed_->task->options().token == options.token) {
            feed_ = other->feed_;
            return;
        }
    auto set = std::make_shared<jwt::RevocationSet>(settings_.revocations->max_entries);
    try {
        feed_ = std::make_shared<Owned<shared::session::Follower>>(
            std::make_shared<shared::session::Follower>(std::move(options), std::move(set)));
    } catch (const std::invalid_argument& e) {
        fail(e.what());
    }
}

std::shared_ptr<const jwt::Verifier> Issuer::make_verifier() const {
    auto keys = fixed_keys_;
    if (jwks_) {
        const auto fetched = jwks_->task->keys();
        keys.insert(keys.end(), fetched->keys().begin(), fetched->keys().end());
    }
    jwt::Rules rules;
    rules.issuer = settings_.issuer;
    rules.audience = settings_.audience;
    rules.leeway = settings_.leeway;
    rules.max_token_bytes = settings_.max_token_bytes;
    return std::make_shared<const jwt::Verifier>(std::move(rules),
                                                 std::make_shared<const jwt::KeySet>(std::move(keys)));
}

std::size_t Issuer::key_count() const {
    return fixed_keys_.size() + (jwks_ ? jwks_->task->keys()->keys().size() : 0);
}

std::string_view Issuer::challenge_invalid_token(jwt::Errc errc) const {
    if (errc == jwt::Errc::expired) return challenge_expired_;
    if (errc == jwt::Errc::revoked) return challenge_revoked_;
    return challenge_invalid_;
}

}  // namespace gateway::auth
