#include "shared/session/follower.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <random>
#include <stdexcept>

#include "shared/async/timer_slot.hpp"
#include "shared/http/uri.hpp"
#include "shared/log/log.hpp"
#include "shared/session/feed_page.hpp"

namespace shared::session {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto kTick = 250ms;
// On top of `wait`: how long an answer may take to come once the server lets go of it.
constexpr auto kAnswerTime = 5s;
// Entries are dropped this long after their `until`: clocks of two machines differ.
constexpr std::int64_t kSweepMargin = 5;
// A server that answers a long-poll at once, with nothing new, must not make us spin.
constexpr auto kShortestPoll = 100ms;
constexpr std::size_t kBodyLimit = 16 * 1024 * 1024;  // a page of auth-service has 300 KB at most

std::int64_t steady_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

http::Url url_of(const FollowerOptions& options) {
    auto url = http::parse_url(options.url);
    if (!url) throw std::invalid_argument("the revocation feed's URL is none: " + options.url);
    return std::move(*url);
}

FollowerOptions clamp(FollowerOptions options) {
    const auto half_age = std::chrono::duration_cast<std::chrono::seconds>(options.max_age / 2);
    options.wait =
        std::clamp(std::min(options.wait, half_age), std::chrono::seconds(0), std::chrono::seconds(30));
    options.retry = std::max(options.retry, std::chrono::milliseconds(10));
    options.retry_max = std::max(options.retry_max, options.retry);
    return options;
}

std::chrono::milliseconds back_off(const FollowerOptions& options, int failures) {
    auto wait = options.retry;
    for (int i = 1; i < failures && wait < options.retry_max; ++i) wait *= 2;
    wait = std::min(wait, options.retry_max);
    thread_local std::minstd_rand random{std::random_device{}()};
    std::uniform_int_distribution<std::int64_t> share(wait.count() / 2, wait.count());
    return std::chrono::milliseconds(share(random));
}

// A coroutine that ends by an exception would leave the feed unread without a word.
auto log_failure(std::string name) {
    return [name = std::move(name)](std::exception_ptr failure) {
        if (!failure) return;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& e) {
            log::error("revocation_feed_broken", {{"feed", name}, {"error", e.what()}});
        }
    };
}

asio::awaitable<void> sleep(asio::steady_timer& timer, std::chrono::milliseconds time) {
    boost::system::error_code ignored;
    timer.expires_after(time);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

Follower::Follower(FollowerOptions options, std::shared_ptr<jwt::RevocationSet> set)
    : options_(clamp(std::move(options))), url_(url_of(options_)), set_(std::move(set)) {}

void Follower::start(asio::io_context& context) {
    context_ = &context;
    last_contact_ms_ = steady_ms();
    // Each coroutine keeps the follower alive; named first, because a statement with a coroutine must hold no
    // capturing temporary (docs/common-errors.md).
    auto following = [](std::shared_ptr<Follower> self) -> asio::awaitable<void> { co_await self->follow(); };
    auto watching = [](std::shared_ptr<Follower> self) -> asio::awaitable<void> { co_await self->watch(); };
    asio::co_spawn(context, following(shared_from_this()), log_failure(options_.name));
    asio::co_spawn(context, watching(shared_from_this()), log_failure(options_.name));
}

void Follower::stop() {
    stopped_ = true;
    if (context_ == nullptr) return;
    asio::post(*context_.load(), [self = shared_from_this()] {
        if (self->retry_timer_ != nullptr) self->retry_timer_->cancel();
        if (self->watch_timer_ != nullptr) self->watch_timer_->cancel();
    });
}

std::chrono::milliseconds Follower::age() const {
    const auto last = last_contact_ms_.load(std::memory_order_relaxed);
    return Millis(last == 0 ? 0 : steady_ms() - last);
}

// Only an answer that could be complete is waited for.
std::chrono::seconds Follower::next_wait() const {
    return cursor_.empty() || more_ ? 0s : options_.wait;
}

http::ClientRequest Follower::next_request() const {
    auto url = url_;
    url.target += url.target.find('?') == std::string::npos ? '?' : '&';
    if (!cursor_.empty()) url.target += "since=" + http::percent_encode(cursor_) + "&";
    url.target += "wait=" + std::to_string(next_wait().count());
    http::ClientRequest request("GET", std::move(url));
    if (!options_.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + options_.token);
    request.body_limit_bytes = kBodyLimit;
    return request;
}

asio::awaitable<void> Follower::follow() {
    async::TimerSlot slot(co_await asio::this_coro::executor, retry_timer_);
    while (!stopped_) {
        const auto began = steady_ms();
        const auto version = set_->version();
        const auto result = co_await poll_once();
        if (stopped_) break;
        Millis pause{0};
        if (result) {
            failures_in_a_row_ = 0;
            if (!more_ && set_->version() == version) pause = kShortestPoll - Millis(steady_ms() - began);
        } else {
            failures_.fetch_add(1, std::memory_order_relaxed);
            if (++failures_in_a_row_ == 1)
                log::warn("revocation_feed_failed",
                          {{"feed", options_.name}, {"error", result.error().message()}});
            pause = back_off(options_, failures_in_a_row_);
        }
        judge();
        if (pause > Millis(0)) {
            co_await sleep(slot.timer(), pause);
        }
    }
}

asio::awaitable<Result<void>> Follower::poll_once() {
    auto request = next_request();
    const auto timeout = next_wait() + kAnswerTime;
    auto response = co_await http::fetch(std::move(request), timeout);
    if (!response) co_return response.error();
    if (response->status != 200) co_return make_error_code(boost::system::errc::protocol_error);
    auto page = parse_feed_page(response->body);
    if (!page) co_return page.error();

    bool full = false;
    for (const auto& entry : page->entries)
        if (!set_->insert(entry.sid, entry.until)) full = true;
    if (full && drop_expired() > 0) {
        full = false;
        for (const auto& entry : page->entries)
            if (!set_->insert(entry.sid, entry.until)) full = true;
    }
    if (full && !full_)
        log::error("revocation_set_full", {{"feed", options_.name}, {"entries", set_->size()}});
    full_ = full;
    // With entries left out the cursor must not move on: they are asked for again.
    if (full) co_return make_error_code(boost::system::errc::no_buffer_space);
    cursor_ = std::move(page->cursor);
    more_ = page->more;
    last_contact_ms_.store(steady_ms(), std::memory_order_relaxed);
    if (!more_) ready_.store(true, std::memory_order_relaxed);
    co_return Result<void>{};
}

std::size_t Follower::drop_expired() {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(options_.clock().time_since_epoch());
    return set_->sweep(now.count() - kSweepMargin);
}

// Decides, and tells each change of the decision once.
void Follower::judge() {
    const bool is_stale = age() > options_.max_age;
    const bool refuse = is_stale ? options_.refuse_when_stale : !ready();
    const bool was_stale = stale_.exchange(is_stale, std::memory_order_relaxed);
    must_refuse_.store(refuse, std::memory_order_relaxed);
    if (is_stale && !was_stale)
        log::error("revocation_feed_stale", {{"feed", options_.name},
                                             {"age_ms", age().count()},
                                             {"tokens", options_.refuse_when_stale ? "refused" : "allowed"}});
    if (!is_stale && was_stale) log::info("revocation_feed_current", {{"feed", options_.name}});
    if (on_tick_) on_tick_(*this);
}

asio::awaitable<void> Follower::watch() {
    async::TimerSlot slot(co_await asio::this_coro::executor, watch_timer_);
    auto next_sweep = steady_ms();
    while (!stopped_) {
        if (steady_ms() >= next_sweep) {
            drop_expired();
            next_sweep = steady_ms() + options_.sweep_interval.count();
        }
        judge();
        co_await sleep(slot.timer(), kTick);
    }
}

}  // namespace shared::session
