// The token check of one worker: credentials -> cache -> strict verifier -> revocation -> rule of the route.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "gateway/auth/identity.hpp"
#include "gateway/config/config.hpp"
#include "shared/base/clock.hpp"

namespace gateway::auth {

class IssuerSet;

// What a rule needs to know of the request. `path` and `query` are the canonical ones that are also
// forwarded; `query` is without the "?".
struct RequestFacts {
    std::string_view path;
    std::string_view query;
};

// All text in here is static or owned by the gate's issuers and outlives the request.
struct Decision {
    bool allowed = false;
    unsigned status = 0;                // refused: 401, 403, 422 or 503
    std::string_view reason;            // refused: stable snake_case name for log and metrics, e.g. "expired"
    std::string_view www_authenticate;  // value of WWW-Authenticate; empty: send none
    unsigned retry_after_s = 0;         // 503 only
    std::string_view detail;            // one sentence for the problem body
    IdentityRef identity;               // null on public routes, and when refused before a token was verified
    bool cached = false;                // the token was found in the cache
};

// One per worker and configuration snapshot, used by that worker's thread only. What workers share (keys,
// ended sessions) is behind `issuers`. No system call and, for a token in the cache, no allocation.
class TokenGate {
  public:
    explicit TokenGate(std::shared_ptr<IssuerSet> issuers);
    ~TokenGate();

    // `authorization`: value of the request's only Authorization field, nullopt without one (two of them are
    // a 400 of the head reader, not ours).
    Decision check(std::optional<std::string_view> authorization, const config::AuthRule& rule,
                   const RequestFacts& request, shared::WallTime now);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gateway::auth
