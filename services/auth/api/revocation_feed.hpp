// Keeps the list of ended sessions current and wakes those who wait for news of it (gateways, by long-poll).
//
// Sessions that this process ends are known at once; those of other replicas by asking the store, often while
// somebody waits, seldom while nobody does. The same question tells whether the database is up.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <string_view>

#include "services/auth/domain/revocation_view.hpp"
#include "services/auth/store/session_store.hpp"
#include "shared/base/clock.hpp"

namespace auth::api {

// For one io_context and its one thread.
class RevocationFeed {
  public:
    struct Timing {
        std::chrono::milliseconds while_waited{250};
        std::chrono::milliseconds while_idle{750};
        std::chrono::milliseconds stale_after{3000};
    };

    RevocationFeed(boost::asio::io_context& io, store::SessionStore& sessions, shared::WallClock clock,
                   Timing timing);

    // Asks the store once; false: it did not answer.
    boost::asio::awaitable<bool> ask();
    // Asks the store until stop(). Spawned once, when the store is prepared.
    boost::asio::awaitable<void> follow();
    // Ends follow() and wakes everybody.
    void stop();
    bool stopped() const { return stopped_; }

    // A session that this process has ended, after the store knows it.
    void add(const std::vector<domain::EndedSession>& ended);

    const domain::RevocationView& view() const { return view_; }
    // The list has been complete once: what is not on it has not ended.
    bool loaded() const { return loaded_; }
    // The last question to the store was answered, not long ago.
    bool current() const;

    // Returns at news, at `deadline` or at stop().
    boost::asio::awaitable<void> wait_for_news(std::chrono::steady_clock::time_point deadline);
    std::size_t waiting() const { return waiters_.size(); }

  private:
    boost::asio::awaitable<void> rest(std::chrono::steady_clock::time_point asked);
    void wake();

    boost::asio::io_context& io_;
    store::SessionStore& sessions_;
    shared::WallClock clock_;
    Timing timing_;
    domain::RevocationView view_;
    boost::asio::steady_timer pause_;
    std::list<boost::asio::steady_timer*> waiters_;
    bool loaded_ = false;
    bool stopped_ = false;
    bool up_ = true;                   // for one log line per change
    domain::WallTime answered_for_{};  // when the last question that was answered was asked
    std::chrono::steady_clock::time_point answered_at_{};
};

}  // namespace auth::api
