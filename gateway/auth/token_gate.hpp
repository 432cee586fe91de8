// The token check of one worker: credentials -> cache -> strict verifier -> revocation -> rule of the route.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/auth/identity.hpp"
#include "gateway/auth/rule.hpp"
#include "shared/base/clock.hpp"

namespace shared::jwt {
class RevocationSet;
}
namespace shared::session {
class Follower;
}

namespace gateway::auth {

class IssuerSet;
class TokenCache;

// What the rule needs to know of the request. `path` and `query` are the canonical ones that are also
// forwarded; `query` is without the "?".
struct RequestFacts {
    std::string_view path;
    std::string_view query;
};

// All text in here is static or owned by the gate and outlives the request.
struct Decision {
    bool allowed = false;
    unsigned status = 0;                // refused: 401, 403 or 503
    std::string_view reason;            // refused: stable snake_case name for log and metrics, e.g. "expired"
    std::string_view www_authenticate;  // value of WWW-Authenticate; empty: send none
    unsigned retry_after_s = 0;         // 503 only
    std::string_view detail;            // one sentence for the problem body
    IdentityRef identity;               // null on public routes and when refused before a token was verified
    bool cached = false;                // the token was found in the cache
};

struct GateOptions {
    std::string realm = "kampus";
    std::size_t cache_entries = 4096;  // 0: no cache
    std::chrono::seconds cache_for{60};
    std::vector<IdentityHeader> headers = default_identity_headers();
};

// One per worker, used by that worker's thread only; what is shared between workers (`issuers`,
// `revocations`) is made for it. No system call and, for a token in the cache, no allocation.
class TokenGate {
  public:
    // `revocations` and `follower` may be null: sessions are then not checked.
    TokenGate(GateOptions options, std::shared_ptr<IssuerSet> issuers,
              std::shared_ptr<const shared::jwt::RevocationSet> revocations = nullptr,
              std::shared_ptr<const shared::session::Follower> follower = nullptr);
    ~TokenGate();

    // `authorization`: value of the request's only Authorization field, nullopt without one (two of them are
    // a 400 of the head reader, not ours).
    Decision check(std::optional<std::string_view> authorization, const AuthRule& rule,
                   const RequestFacts& request, shared::WallTime now);

    // After a reload: other issuers, an empty cache.
    void replace_issuers(std::shared_ptr<IssuerSet> issuers);

    struct Counters {  // read by the metrics code of the same worker
        std::uint64_t cache_hits = 0;
        std::uint64_t verified = 0;
        std::uint64_t refused = 0;
    };
    const Counters& counters() const { return counters_; }

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    Counters counters_;
};

}  // namespace gateway::auth
