#include "gateway/auth/token_gate.hpp"

#include <algorithm>
#include <vector>

#include "gateway/auth/authorize.hpp"
#include "gateway/auth/issuer.hpp"
#include "gateway/auth/issuer_set.hpp"
#include "shared/jwt/credentials.hpp"
#include "shared/jwt/revocation_set.hpp"
#include "shared/jwt/token_cache.hpp"

namespace gateway::auth {

namespace jwt = shared::jwt;

namespace {

constexpr unsigned kRetryAfterSeconds = 2;

Decision refuse_credentials(const Issuer& issuer) {
    Decision decision;
    decision.status = 401;
    decision.reason = "no_credentials";
    decision.www_authenticate = issuer.challenge();
    decision.detail = "Silakan masuk terlebih dahulu";
    return decision;
}

Decision refuse_token(const Issuer& issuer, jwt::Errc errc) {
    Decision decision;
    decision.reason = jwt::reason(errc);
    if (errc == jwt::Errc::no_keys || errc == jwt::Errc::sessions_unknown) {
        decision.status = 503;
        decision.retry_after_s = kRetryAfterSeconds;
        decision.detail = "Pemeriksaan token sedang tidak tersedia";
        return decision;
    }
    decision.status = 401;
    decision.www_authenticate = issuer.challenge_invalid_token(errc);
    decision.detail = errc == jwt::Errc::revoked ? "Sesi sudah berakhir, silakan masuk kembali"
                                                 : "Token tidak sah atau sudah kedaluwarsa";
    return decision;
}

}  // namespace

// What is kept of a verified token.
struct CachedIdentity {
    std::uint64_t sessions_version = 0;  // of the ended sessions it was last checked against
    IdentityRef identity;
};

// What the worker knows of one issuer.
struct IssuerView {
    explicit IssuerView(std::shared_ptr<const Issuer> issuer_)
        : issuer(std::move(issuer_)), cache(issuer->settings().cache.entries) {}

    std::shared_ptr<const Issuer> issuer;
    std::shared_ptr<const jwt::Verifier> verifier;
    std::uint64_t keys_version = 0;  // of `verifier`
    jwt::TokenCache<CachedIdentity> cache;
};

struct TokenGate::Impl {
    explicit Impl(std::shared_ptr<IssuerSet> issuers_) : issuers(std::move(issuers_)) {
        for (const auto& issuer : issuers->issuers()) views.push_back(std::make_unique<IssuerView>(issuer));
    }

    shared::Result<IdentityRef> identify(IssuerView& view, std::string_view token, shared::WallTime now,
                                         bool& cached);
    shared::Result<IdentityRef> verify(IssuerView& view, std::string_view token, shared::WallTime now);
    static shared::Result<void> check_session(const Issuer& issuer, const Identity& identity);

    std::shared_ptr<IssuerSet> issuers;
    std::vector<std::unique_ptr<IssuerView>> views;
};

shared::Result<void> TokenGate::Impl::check_session(const Issuer& issuer, const Identity& identity) {
    const auto* ended = issuer.ended_sessions();
    if (ended != nullptr && !identity.session_id().empty() && ended->contains(identity.session_id()))
        return jwt::Errc::revoked;
    return {};
}

shared::Result<IdentityRef> TokenGate::Impl::identify(IssuerView& view, std::string_view token,
                                                      shared::WallTime now, bool& cached) {
    const auto& issuer = *view.issuer;
    if (const auto version = issuer.keys().version(); version != view.keys_version) {
        view.verifier = issuer.keys().make_verifier();
        view.keys_version = version;
    }
    auto* entry = view.cache.find(token);
    if (entry != nullptr && (now >= entry->expires || entry->keys_version != view.keys_version)) {
        view.cache.drop(*entry);
        entry = nullptr;
    }
    if (entry == nullptr) return verify(view, token, now);

    const auto* ended = issuer.ended_sessions();
    if (ended != nullptr) {
        // Only new entries can have ended this session since the last look.
        if (const auto version = ended->version(); version != entry->payload.sessions_version) {
            if (auto ok = check_session(issuer, *entry->payload.identity); !ok) {
                view.cache.drop(*entry);
                return ok.error();
            }
            entry->payload.sessions_version = version;
        }
        if (issuer.must_refuse_sessions() && !entry->payload.identity->session_id().empty())
            return jwt::Errc::sessions_unknown;
    }
    cached = true;
    return entry->payload.identity;
}

shared::Result<IdentityRef> TokenGate::Impl::verify(IssuerView& view, std::string_view token,
                                                    shared::WallTime now) {
    const auto& issuer = *view.issuer;
    auto claims = view.verifier->verify(token, now);
    if (!claims) return issuer.keys().judge(static_cast<jwt::Errc>(claims.error().value()));
    const double exp = claims->exp;
    auto identity = Identity::make(std::move(*claims), issuer.settings().claim_headers);
    if (!identity) return identity.error();
    // Read before the look-up: an entry that comes in between is then seen at the next hit.
    const auto* ended = issuer.ended_sessions();
    const auto sessions_version = ended != nullptr ? ended->version() : 0;
    if (auto ok = check_session(issuer, **identity); !ok) return ok.error();
    if (issuer.must_refuse_sessions() && !(*identity)->session_id().empty())
        return jwt::Errc::sessions_unknown;

    const auto expires = std::min(jwt::to_time(exp), now + issuer.settings().cache.max_age);
    if (view.cache.enabled() && expires > now) {
        auto& entry = view.cache.put(token);
        entry.expires = expires;
        entry.keys_version = view.keys_version;
        entry.payload.sessions_version = sessions_version;
        entry.payload.identity = *identity;
    }
    return identity;
}

TokenGate::TokenGate(std::shared_ptr<IssuerSet> issuers)
    : impl_(std::make_unique<Impl>(std::move(issuers))) {}
TokenGate::~TokenGate() = default;

Decision TokenGate::check(std::optional<std::string_view> authorization, const config::AuthRule& rule,
                          const RequestFacts& request, shared::WallTime now) {
    Decision decision;
    if (rule.is_public) {
        decision.allowed = true;
        return decision;
    }
    auto& view = *impl_->views.at(rule.issuer_index);
    const auto credentials = authorization ? jwt::read_credentials(*authorization) : jwt::Credentials{};
    if (credentials.kind != jwt::Credentials::Kind::bearer) {
        if (credentials.kind == jwt::Credentials::Kind::none) return refuse_credentials(*view.issuer);
        decision = refuse_token(*view.issuer, jwt::Errc::bad_character);
        decision.reason = "malformed_credentials";
        return decision;
    }
    bool cached = false;
    auto identity = impl_->identify(view, credentials.token, now, cached);
    if (!identity) {
        return refuse_token(*view.issuer, static_cast<jwt::Errc>(identity.error().value()));
    }
    decision.identity = std::move(*identity);
    decision.cached = cached;
    if (repeats_a_parameter(rule, request)) {
        decision.status = 422;
        decision.reason = "query_parameter_repeated";
        decision.detail = "Parameter yang sama hanya boleh dikirim satu kali";
        return decision;
    }
    if (const auto why = authorize(*decision.identity, rule, request); !why.empty()) {
        decision.status = 403;
        decision.reason = why;
        decision.www_authenticate = view.issuer->challenge_insufficient_scope();
        decision.detail = "Anda tidak berhak mengakses data ini";
        return decision;
    }
    decision.allowed = true;
    return decision;
}

}  // namespace gateway::auth
