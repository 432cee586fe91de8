#include "shared/keys/jwks_follower.hpp"

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
#include "shared/log/log.hpp"

namespace shared::keys {

namespace asio = boost::asio;
using Millis = std::chrono::milliseconds;

namespace {

constexpr Millis kFirstRetry{1'000};
constexpr Millis kLongestRetry{30'000};
constexpr std::size_t kBodyLimit = 256 * 1024;

std::int64_t steady_ms() {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Between 80 and 100 %: processes that were started together do not fetch together for ever.
Millis jitter(Millis time) {
    thread_local std::minstd_rand random{std::random_device{}()};
    return Millis(std::uniform_int_distribution<std::int64_t>(time.count() * 4 / 5, time.count())(random));
}

http::Url url_of(const JwksOptions& options) {
    auto url = http::parse_url(options.url);
    if (!url) throw std::invalid_argument("the JWKS URL is none: " + options.url);
    return std::move(*url);
}

}  // namespace

JwksFollower::JwksFollower(std::string name, JwksOptions options)
    : name_(std::move(name)),
      options_(std::move(options)),
      url_(url_of(options_)),
      keys_(std::make_shared<const jwt::KeySet>(std::vector<jwt::Key>{})) {}

void JwksFollower::start(asio::io_context& context) {
    context_ = &context;
    auto following = [](std::shared_ptr<JwksFollower> self) -> asio::awaitable<void> {
        co_await self->follow();
    };
    auto ended = [name = name_](std::exception_ptr failure) {
        if (!failure) return;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& e) {
            log::error("jwks_follower_broken", {{"issuer", name}, {"error", e.what()}});
        }
    };
    asio::co_spawn(context, following(shared_from_this()), std::move(ended));
}

void JwksFollower::wake() {
    asio::post(*context_.load(), [self = shared_from_this()] {
        if (self->timer_ != nullptr) self->timer_->cancel();
    });
}

void JwksFollower::stop() {
    stopped_ = true;
    if (context_ != nullptr) wake();
}

std::shared_ptr<const jwt::KeySet> JwksFollower::keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
}

Millis JwksFollower::age() const {
    const auto last = last_good_ms_.load(std::memory_order_relaxed);
    return Millis(last == 0 ? 0 : steady_ms() - last);
}

void JwksFollower::want_unknown_kid() {
    const auto now = steady_ms();
    auto last = last_extra_ms_.load(std::memory_order_relaxed);
    if (last != 0 && now - last < options_.unknown_kid_interval.count()) return;
    if (context_ == nullptr || stopped_ || !last_extra_ms_.compare_exchange_strong(last, now))
        return;  // another worker was first
    extra_wanted_ = true;
    wake();
}

void JwksFollower::publish(std::shared_ptr<const jwt::KeySet> keys) {
    {
        const std::lock_guard lock(mutex_);
        keys_ = std::move(keys);
    }
    version_.fetch_add(1, std::memory_order_release);
}

Millis JwksFollower::until_next_fetch(int failures_in_a_row) const {
    if (failures_in_a_row == 0) return jitter(options_.refresh);
    auto wait = kFirstRetry;
    for (int i = 1; i < failures_in_a_row && wait < kLongestRetry; ++i) wait *= 2;
    wait = jitter(std::min({wait, kLongestRetry, options_.refresh}));
    // Wake up when the last good keys become too old.
    const auto left = options_.max_stale - age();
    if (!keys()->empty() && left < wait) wait = std::max(left + Millis(1), Millis(1));
    return wait;
}

asio::awaitable<Result<void>> JwksFollower::fetch_once() {
    http::ClientRequest request("GET", url_);
    request.body_limit_bytes = kBodyLimit;
    auto response = co_await http::fetch(std::move(request), options_.timeout);
    if (!response) co_return response.error();
    if (response->status != 200) co_return make_error_code(boost::system::errc::protocol_error);
    if (response->body == last_body_ && !keys()->empty()) co_return Result<void>{};

    std::vector<std::string> left_out;
    auto set = jwt::KeySet::from_jwks(response->body, &left_out);
    if (!set) co_return set.error();
    for (const auto& line : left_out) log::warn("jwks_key_left_out", {{"issuer", name_}, {"key", line}});
    // A set without a single key of ours is far more often a mistake than an intention.
    if (set->empty()) co_return jwt::make_error_code(jwt::KeyErrc::unsupported);
    last_body_ = std::move(response->body);
    log::info("jwks_loaded", {{"issuer", name_}, {"keys", set->keys().size()}});
    publish(std::make_shared<const jwt::KeySet>(std::move(*set)));
    co_return Result<void>{};
}

asio::awaitable<void> JwksFollower::follow() {
    async::TimerSlot slot(co_await asio::this_coro::executor, timer_);
    int failures_in_a_row = 0;
    while (!stopped_) {
        extra_wanted_ = false;
        const auto result = co_await fetch_once();
        if (stopped_) break;
        if (result) {
            failures_in_a_row = 0;
            last_good_ms_ = steady_ms();
            failing_ = false;
        } else {
            if (++failures_in_a_row == 1)
                log::warn("jwks_fetch_failed", {{"issuer", name_}, {"error", result.error().message()}});
            failures_.fetch_add(1, std::memory_order_relaxed);
            failing_ = true;
            if (!keys()->empty() && age() > options_.max_stale) {
                log::error("jwks_too_old", {{"issuer", name_}, {"age_ms", age().count()}});
                publish(std::make_shared<const jwt::KeySet>(std::vector<jwt::Key>{}));
                last_body_.clear();
            }
        }
        if (extra_wanted_) continue;
        boost::system::error_code ignored;
        slot.timer().expires_after(until_next_fetch(failures_in_a_row));
        co_await slot.timer().async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

}  // namespace shared::keys
