// Blocking work (Argon2id, mongoc) off the I/O thread: a fixed number of threads and a bounded queue.
#pragma once

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <type_traits>

#include "shared/base/result.hpp"

namespace shared::async {

enum class Errc {
    queue_full = 1,  // the pool has as much waiting work as it accepts: answer 503 with Retry-After
};
const boost::system::error_category& category();
inline ErrorCode make_error_code(Errc e) {
    return {static_cast<int>(e), category()};
}

class BoundedPool {
  public:
    // `threads` run at once, at most `queue_limit` more wait.
    BoundedPool(std::size_t threads, std::size_t queue_limit)
        : pool_(threads), limit_(threads + queue_limit) {}
    // Runs what was accepted to its end.
    ~BoundedPool() { pool_.join(); }

    std::size_t in_use() const { return in_use_.load(std::memory_order_relaxed); }

    // Runs `work()` on the pool and resumes the caller on its own executor with work's value. Error
    // queue_full when there is no room; an exception of `work` is rethrown to the caller. `work` is moved
    // into the pool: it must own what it uses. Name the lambda first (g++ 12: no capturing lambda in a
    // statement with co_await).
    template <class F, class R = std::invoke_result_t<F&>>
    boost::asio::awaitable<Result<R>> run(F work) {
        if (in_use_.fetch_add(1, std::memory_order_relaxed) >= limit_) {
            in_use_.fetch_sub(1, std::memory_order_relaxed);
            co_return Result<R>(boost::system::in_place_error, make_error_code(Errc::queue_full));
        }
        auto initiation = [this](auto handler, F job) {
            auto executor = boost::asio::get_associated_executor(handler);
            auto task = [this, executor, handler = std::move(handler), job = std::move(job)]() mutable {
                std::exception_ptr failure;
                std::optional<R> value;
                try {
                    value.emplace(job());
                } catch (...) {
                    failure = std::current_exception();
                }
                in_use_.fetch_sub(1, std::memory_order_relaxed);
                boost::asio::post(
                    executor, [handler = std::move(handler), failure, value = std::move(value)]() mutable {
                        std::move(handler)(failure, std::move(value));
                    });
            };
            boost::asio::post(pool_, std::move(task));
        };
        auto operation = boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&,
                                                     void(std::exception_ptr, std::optional<R>)>(
            initiation, boost::asio::use_awaitable, std::move(work));
        std::optional<R> value = co_await std::move(operation);
        co_return Result<R>(boost::system::in_place_value, std::move(*value));
    }

  private:
    boost::asio::thread_pool pool_;
    std::size_t limit_;
    std::atomic<std::size_t> in_use_{0};
};

}  // namespace shared::async

template <>
struct boost::system::is_error_code_enum<shared::async::Errc> : std::true_type {};
