// What a service asks of a token: signature and claims, and that its session has not ended.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "shared/base/clock.hpp"
#include "shared/base/result.hpp"
#include "shared/jwt/claims.hpp"
#include "shared/keys/key_source.hpp"
#include "shared/metrics/metrics.hpp"
#include "shared/session/follower.hpp"

namespace shared::session {

// For shared::http::Server, one thread. Verified tokens are remembered (jwt::CachedVerifier); their sessions
// are looked at each time. `follower` may be null: sessions are then not checked. Errors:
// jwt::Errc, among them `no_keys` while the issuer's keys cannot be had, `revoked` for an ended session,
// `sessions_unknown` while the follower must refuse.
std::function<Result<jwt::Claims>(std::string_view)> make_token_check(
    std::shared_ptr<const keys::KeySource> keys, std::shared_ptr<const Follower> follower = nullptr,
    WallClock clock = system_now);

// Keeps the gauges revocation_feed_age_seconds, revocation_feed_stale, revocation_feed_ready,
// revocation_feed_failures_total and revoked_sessions up to date. Before start(); the registry must outlive
// the follower's context.
void export_metrics(Follower& follower, metrics::Registry& registry);

}  // namespace shared::session
