#include "shared/session/token_check.hpp"

#include "shared/jwt/cached_verifier.hpp"
#include "shared/metrics/count_up_to.hpp"

namespace shared::session {

std::function<Result<jwt::Claims>(std::string_view)> make_token_check(
    std::shared_ptr<const keys::KeySource> keys, std::shared_ptr<const Follower> follower, WallClock clock) {
    return [keys = std::move(keys), follower = std::move(follower), clock = std::move(clock),
            verifier = std::make_shared<jwt::CachedVerifier>(),
            version = std::uint64_t{0}](std::string_view token) mutable -> Result<jwt::Claims> {
        if (const auto now = keys->version(); !verifier->ready() || now != version) {
            verifier->use(keys->make_verifier());
            version = now;
        }
        auto claims = verifier->verify(token, clock());
        if (!claims) return keys->judge(static_cast<jwt::Errc>(claims.error().value()));
        if (!follower || claims->sid.empty()) return claims;
        if (follower->set()->contains(claims->sid)) return jwt::Errc::revoked;  // whatever else is not known
        if (follower->must_refuse()) return jwt::Errc::sessions_unknown;
        return claims;
    };
}

void export_metrics(Follower& follower, metrics::Registry& registry) {
    auto& age = registry.gauge("revocation_feed_age_seconds", "Seconds since the feed last answered");
    auto& stale = registry.gauge("revocation_feed_stale", "1: not heard for longer than its maximum age");
    auto& ready = registry.gauge("revocation_feed_ready", "1: a first full answer has come");
    auto& sessions = registry.gauge("revoked_sessions", "Ended sessions that are held");
    auto& failures = registry.counter("revocation_feed_failures_total", "Failed requests to the feed");
    follower.on_tick([&age, &stale, &ready, &sessions, &failures](const Follower& f) {
        age.Set(std::chrono::duration<double>(f.age()).count());
        stale.Set(f.stale() ? 1 : 0);
        ready.Set(f.ready() ? 1 : 0);
        sessions.Set(static_cast<double>(f.set()->size()));
        metrics::count_up_to(failures, f.failures());
    });
}

}  // namespace shared::session
