#include "services/auth/api/revocation_feed.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "shared/log/log.hpp"

namespace auth::api {

using boost::asio::awaitable;
using Steady = std::chrono::steady_clock;

RevocationFeed::RevocationFeed(boost::asio::io_context& io, store::SessionStore& sessions,
                               shared::WallClock clock, Timing timing)
    : io_(io), sessions_(sessions), clock_(std::move(clock)), timing_(timing), pause_(io) {}

awaitable<bool> RevocationFeed::ask() {
    const auto now = clock_();
    // Whoever writes takes its time before the write is visible, and clocks differ: ask for the overlap
    // again.
    const auto since = loaded_ ? answered_for_ - view_.overlap() : domain::WallTime{};
    auto entries = co_await sessions_.ended_since(since, now);
    if (entries) {
        answered_for_ = now;
        answered_at_ = Steady::now();
        view_.expire(now);
        const bool first = !loaded_;
        loaded_ = true;
        if (view_.merge(*entries) || first) wake();
    }
    if (up_ != entries.has_value()) {
        up_ = entries.has_value();
        if (up_)
            shared::log::info("database_up");
        else
            shared::log::error("database_down", {{"message", entries.error().message()}});
    }
    co_return entries.has_value();
}

awaitable<void> RevocationFeed::follow() {
    while (!stopped_) {
        const auto asked = Steady::now();
        co_await ask();
        co_await rest(asked);
    }
}

// Cut short by the first one who waits, and then only down to the shorter interval: a gateway that comes back
// after each answer does not make us ask more often.
awaitable<void> RevocationFeed::rest(Steady::time_point asked) {
    while (!stopped_) {
        const auto next = asked + (waiters_.empty() ? timing_.while_idle : timing_.while_waited);
        if (Steady::now() >= next) co_return;
        pause_.expires_at(next);
        boost::system::error_code cut_short;
        co_await pause_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cut_short));
    }
}

void RevocationFeed::stop() {
    stopped_ = true;
    pause_.cancel();
    wake();
}

void RevocationFeed::add(const std::vector<domain::EndedSession>& ended) {
    if (view_.merge(ended)) wake();
}

bool RevocationFeed::current() const {
    return loaded_ && Steady::now() - answered_at_ < timing_.stale_after;
}

awaitable<void> RevocationFeed::wait_for_news(Steady::time_point deadline) {
    if (stopped_) co_return;
    boost::asio::steady_timer timer(io_, deadline);
    waiters_.push_front(&timer);
    const auto self = waiters_.begin();
    if (waiters_.size() == 1) pause_.cancel();  // from now on somebody waits: ask often
    boost::system::error_code woken;
    co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    waiters_.erase(self);
}

void RevocationFeed::wake() {
    for (auto* timer : waiters_) timer->cancel();
}

}  // namespace auth::api
