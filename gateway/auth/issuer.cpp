#include "gateway/auth/issuer.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "shared/session/feed_token.hpp"

namespace gateway::auth {

namespace jwt = shared::jwt;

namespace {

shared::keys::JwksOptions jwks_options(const config::Jwks& jwks) {
    shared::keys::JwksOptions options;
    options.url = jwks.url;
    options.refresh = jwks.refresh;
    options.max_stale = jwks.max_stale;
    options.unknown_kid_interval = jwks.unknown_kid_interval;
    options.timeout = jwks.timeout;
    return options;
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

}  // namespace

Issuer::Issuer(const config::Issuer& settings, const std::vector<std::shared_ptr<Issuer>>& previous)
    : settings_(settings) {
    challenge_ = "Bearer realm=\"" + settings_.realm + "\"";
    const auto invalid = challenge_ + ", error=\"invalid_token\", error_description=";
    challenge_invalid_ = invalid + "\"the token is not valid\"";
    challenge_expired_ = invalid + "\"the token has expired\"";
    challenge_revoked_ = invalid + "\"the session has ended\"";
    challenge_scope_ = challenge_ + ", error=\"insufficient_scope\"";
    auto fixed = load_keys();
    jwt::Rules rules;
    rules.issuer = settings_.issuer;
    rules.audience = settings_.audience;
    rules.leeway = settings_.leeway;
    rules.max_token_bytes = settings_.max_token_bytes;
    try {
        take_jwks(previous);
        if (fixed.empty() && !jwks_) fail("there is no key to verify its tokens with");
        keys_.emplace(std::move(rules), std::move(fixed), jwks_ ? jwks_->task : nullptr);
        take_feed(previous);
    } catch (const std::invalid_argument& e) {
        fail(e.what());
    }
}

void Issuer::fail(const std::string& what) const {
    throw std::runtime_error("issuer \"" + settings_.name + "\": " + what);
}

std::vector<jwt::Key> Issuer::load_keys() const {
    std::vector<jwt::Key> keys;
    for (const auto& key : settings_.keys) {
        const auto algorithm = jwt::parse_algorithm(key.algorithm);
        const auto at = "key " + std::to_string(keys.size()) + ": ";
        if (!algorithm) fail(at + "unknown algorithm " + key.algorithm);
        auto made = *algorithm == jwt::Algorithm::hs256
                        ? jwt::Key::from_secret(key.secret, key.kid)
                        : jwt::Key::from_public_pem(*algorithm, key.public_key, key.kid);
        if (!made) fail(at + made.error().message());
        keys.push_back(std::move(*made));
    }
    if (!settings_.jwks || settings_.jwks->file.empty()) return keys;
    const auto& file = settings_.jwks->file;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) fail("cannot read jwks.file " + file);
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    try {
        const auto read = shared::keys::read_jwks(text, settings_.name);
        keys.insert(keys.end(), read.begin(), read.end());
    } catch (const std::runtime_error& e) {
        fail("jwks.file " + file + " " + e.what());
    }
    return keys;
}

void Issuer::take_jwks(const std::vector<std::shared_ptr<Issuer>>& previous) {
    if (!settings_.jwks || settings_.jwks->url.empty()) return;
    auto options = jwks_options(*settings_.jwks);
    for (const auto& other : previous)
        if (other->jwks_ && other->jwks_->task->options() == options) {
            jwks_ = other->jwks_;
            return;
        }
    jwks_ = std::make_shared<OwnedJwks::element_type>(
        std::make_shared<shared::keys::JwksFollower>(settings_.name, std::move(options)));
}

void Issuer::take_feed(const std::vector<std::shared_ptr<Issuer>>& previous) {
    if (!settings_.revocations) return;
    auto options = feed_options(settings_);
    for (const auto& other : previous)
        if (other->feed_ && *other->settings_.revocations == *settings_.revocations &&
            other->feed_->task->options().token == options.token) {
            feed_ = other->feed_;
            return;
        }
    auto set = std::make_shared<jwt::RevocationSet>(settings_.revocations->max_entries);
    feed_ = std::make_shared<OwnedFeed::element_type>(
        std::make_shared<shared::session::Follower>(std::move(options), std::move(set)));
}

std::string_view Issuer::challenge_invalid_token(jwt::Errc errc) const {
    if (errc == jwt::Errc::expired) return challenge_expired_;
    if (errc == jwt::Errc::revoked) return challenge_revoked_;
    return challenge_invalid_;
}

}  // namespace gateway::auth
