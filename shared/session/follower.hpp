// Follows the auth-service's feed of ended sessions (long-poll with a cursor) into a RevocationSet.
//
// First everything that is still relevant, in pages, then what is new; an entry that comes twice changes
// nothing, so the server may overlap its answers, and a restart of either side loses nothing. While no answer
// comes, it tries again with exponential back-off and jitter; what is known stays known.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "shared/base/clock.hpp"
#include "shared/http/client.hpp"
#include "shared/jwt/revocation_set.hpp"

namespace shared::session {

struct FollowerOptions {
    std::string name = "auth";      // in logs
    std::string url;                // http://host:port/internal/revocations
    std::string token;              // bearer
    std::chrono::seconds wait{25};  // how long the server may hold a request; at most 30, at most max_age / 2
    std::chrono::milliseconds retry{500};       // first wait after a failure, doubled up to
    std::chrono::milliseconds retry_max{5000};  // this one; each is shortened by up to half at random
    std::chrono::milliseconds max_age{60'000};  // not heard for longer: stale
    bool refuse_when_stale = false;             // fail closed; else fail open
    // How often entries whose `until` has passed are dropped.
    std::chrono::milliseconds sweep_interval{10'000};
    WallClock clock = system_now;  // what `until` is compared with
};

class Follower : public std::enable_shared_from_this<Follower> {
  public:
    // Throws std::invalid_argument for a URL that is none.
    Follower(FollowerOptions options, std::shared_ptr<jwt::RevocationSet> set);

    // Once; runs on `context`, whose one thread is then the set's writer.
    void start(boost::asio::io_context& context);
    // Thread-safe, while the context lives. A request that is under way ends by itself or with the context.
    void stop();

    // Everything below is thread-safe.

    // Tokens of sessions cannot be judged now (503): nothing has been heard yet since the start, or nothing
    // for longer than max_age and the setting says refuse. A feed that has never answered is waited for as
    // long as max_age even when the setting says allow: else a restart would let ended sessions in. One
    // atomic load.
    bool must_refuse() const { return must_refuse_.load(std::memory_order_relaxed); }
    bool ready() const { return ready_.load(std::memory_order_relaxed); }  // a first full answer has come
    bool stale() const { return stale_.load(std::memory_order_relaxed); }
    std::chrono::milliseconds age() const;  // since the last good answer (before the first: since the start)
    std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }
    const std::shared_ptr<jwt::RevocationSet>& set() const { return set_; }
    const FollowerOptions& options() const { return options_; }

    // Called on the context's thread about four times a second and at each change, e.g. to set gauges. Set it
    // before start().
    void on_tick(std::function<void(const Follower&)> callback) { on_tick_ = std::move(callback); }

  private:
    using Millis = std::chrono::milliseconds;

    boost::asio::awaitable<void> follow();
    boost::asio::awaitable<void> watch();
    boost::asio::awaitable<Result<void>> poll_once();
    void judge();
    std::size_t drop_expired();
    std::chrono::seconds next_wait() const;
    http::ClientRequest next_request() const;

    const FollowerOptions options_;
    const http::Url url_;
    const std::shared_ptr<jwt::RevocationSet> set_;
    std::function<void(const Follower&)> on_tick_;
    std::atomic<boost::asio::io_context*> context_{nullptr};

    // Of the context's thread.
    boost::asio::steady_timer* retry_timer_ = nullptr;  // while its coroutine runs
    boost::asio::steady_timer* watch_timer_ = nullptr;
    std::string cursor_;
    bool more_ = false;  // the last answer was a page of several
    bool full_ = false;  // the set did not take an entry
    int failures_in_a_row_ = 0;

    std::atomic<std::int64_t> last_contact_ms_{0};  // steady clock
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<bool> must_refuse_{true};
    std::atomic<bool> ready_{false};
    std::atomic<bool> stale_{false};
    std::atomic<bool> stopped_{false};
};

}  // namespace shared::session
