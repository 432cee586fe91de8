// One issuer at run time: its rules, its keys, its ended sessions, and the texts that refusals carry.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/config.hpp"
#include "shared/jwt/verifier.hpp"
#include "shared/keys/key_source.hpp"
#include "shared/session/follower.hpp"

namespace gateway::auth {

// A background task that several snapshots may share: it runs from the first start to the last stop.
template <class Task>
struct Owned {
    explicit Owned(std::shared_ptr<Task> task_) : task(std::move(task_)) {}
    std::shared_ptr<Task> task;
    std::atomic<int> owners{0};
};
using OwnedJwks = std::shared_ptr<Owned<shared::keys::JwksFollower>>;
using OwnedFeed = std::shared_ptr<Owned<shared::session::Follower>>;

class Issuer {
  public:
    // Throws std::runtime_error naming the issuer and what is wrong.
    Issuer(const config::Issuer& settings, const std::vector<std::shared_ptr<Issuer>>& previous);

    // ---- for the gates, thread-safe

    const shared::keys::KeySource& keys() const { return *keys_; }
    const shared::jwt::RevocationSet* ended_sessions() const {
        return feed_ ? feed_->task->set().get() : nullptr;
    }
    bool must_refuse_sessions() const { return feed_ && feed_->task->must_refuse(); }

    const config::Issuer& settings() const { return settings_; }

    // Values of WWW-Authenticate (RFC 6750 section 3).
    std::string_view challenge() const { return challenge_; }
    std::string_view challenge_invalid_token(shared::jwt::Errc errc) const;
    std::string_view challenge_insufficient_scope() const { return challenge_scope_; }

    // ---- for IssuerSet

    const OwnedJwks& jwks() const { return jwks_; }
    const OwnedFeed& feed() const { return feed_; }

  private:
    std::vector<shared::jwt::Key> load_keys() const;
    void take_jwks(const std::vector<std::shared_ptr<Issuer>>& previous);
    void take_feed(const std::vector<std::shared_ptr<Issuer>>& previous);
    [[noreturn]] void fail(const std::string& what) const;

    config::Issuer settings_;
    OwnedJwks jwks_;
    std::optional<shared::keys::KeySource> keys_;
    OwnedFeed feed_;
    std::string challenge_;
    std::string challenge_invalid_;
    std::string challenge_expired_;
    std::string challenge_revoked_;
    std::string challenge_scope_;
};

}  // namespace gateway::auth
