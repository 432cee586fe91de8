// Keeps the keys behind a JWKS URL at hand: fetches in the background, keeps the last good set while fetching
// fails, up to a maximum age, and fetches out of turn when a token names an unknown key, but not more often
// than allowed.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "shared/http/client.hpp"
#include "shared/jwt/key.hpp"

namespace shared::keys {

struct JwksOptions {
    std::string url;                             // http:// or https://
    std::chrono::milliseconds refresh{300'000};  // between fetches, shortened by up to a fifth at random
    std::chrono::milliseconds max_stale{
        86'400'000};  // last good keys are used for so long while fetching fails
    std::chrono::milliseconds unknown_kid_interval{30'000};  // at most one extra fetch per so long
    std::chrono::milliseconds timeout{5'000};                // of one fetch
    bool operator==(const JwksOptions&) const = default;
};

class JwksFollower : public std::enable_shared_from_this<JwksFollower> {
  public:
    // Throws std::invalid_argument for a URL that is none. `name` is the issuer's, for logs.
    JwksFollower(std::string name, JwksOptions options);

    void start(boost::asio::io_context& context);  // once
    void stop();                                   // thread-safe, while the context lives

    // Thread-safe, all of them. No keys: none have come yet, or the last good ones are older than max_stale.
    std::shared_ptr<const jwt::KeySet> keys() const;
    std::uint64_t version() const { return version_.load(std::memory_order_acquire); }  // changes with keys()
    bool failing() const {
        return failing_.load(std::memory_order_relaxed);
    }  // the last fetch failed, or none was
    std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }
    std::chrono::milliseconds age() const;  // since the last good fetch
    // A token names a key that is not there: fetch now, unless that was done within unknown_kid_interval.
    void want_unknown_kid();

    const JwksOptions& options() const { return options_; }

  private:
    boost::asio::awaitable<void> follow();
    boost::asio::awaitable<Result<void>> fetch_once();
    void wake();  // thread-safe
    void publish(std::shared_ptr<const jwt::KeySet> keys);
    std::chrono::milliseconds until_next_fetch(int failures_in_a_row) const;

    const std::string name_;
    const JwksOptions options_;
    const http::Url url_;
    std::atomic<boost::asio::io_context*> context_{nullptr};
    boost::asio::steady_timer* timer_ = nullptr;  // of the context's thread, while the coroutine runs
    std::string last_body_;                       // the same text again changes nothing

    mutable std::mutex mutex_;  // guards keys_; taken by a reader only after version() has changed
    std::shared_ptr<const jwt::KeySet> keys_;
    std::atomic<std::uint64_t> version_{1};
    std::atomic<std::int64_t> last_good_ms_{0};  // steady clock; 0: never
    std::atomic<std::int64_t> last_extra_ms_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<bool> failing_{true};
    std::atomic<bool> extra_wanted_{false};
    std::atomic<bool> stopped_{false};
};

}  // namespace shared::keys
