#include "shared/service/service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "shared/log/log.hpp"

namespace shared::service {

namespace asio = boost::asio;
using asio::awaitable;
using std::chrono::milliseconds;

namespace {

void report(const std::string& task, const std::exception_ptr& failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        log::error("task_failed", {{"task", task}, {"message", error.what()}});
    }
}

[[noreturn]] void leave(int code) {
    log::flush();
    std::_Exit(code);
}

}  // namespace

Service::Service(Timing timing) : timing_(timing), signals_(io_, SIGTERM, SIGINT), drain_timer_(io_) {}
Service::~Service() = default;

void Service::serve(http::ServerOptions options, http::Router router, http::TokenCheck check) {
    server_.emplace(io_, std::move(options), std::move(router), std::move(check), metrics_);
}

void Service::prepare(std::function<awaitable<Prepared>()> step) {
    preparation_ = std::move(step);
}

void Service::spawn(std::string name, awaitable<void> task) {
    asio::co_spawn(io_, std::move(task),
                   [name = std::move(name)](std::exception_ptr failure) { report(name, failure); });
}

void Service::spawn_last(std::string name, awaitable<void> task) {
    ++last_tasks_;
    asio::co_spawn(io_, std::move(task), [this, name = std::move(name)](std::exception_ptr failure) {
        report(name, failure);
        --last_tasks_;
        last_ended();
    });
}

void Service::every(std::string name, milliseconds interval, std::function<awaitable<void>()> task) {
    auto rounds = repeat(name, interval, std::move(task));
    spawn(std::move(name), std::move(rounds));
}

awaitable<void> Service::repeat(std::string name, milliseconds interval,
                                std::function<awaitable<void>()> task) {
    while (!draining_) {
        std::exception_ptr failure;
        try {
            co_await task();
        } catch (...) {
            failure = std::current_exception();
        }
        report(name, failure);
        co_await pause(interval);
    }
}

awaitable<void> Service::pause(milliseconds time) {
    if (draining_) co_return;
    asio::steady_timer timer(io_, time);
    const auto place = pauses_.insert(pauses_.end(), &timer);
    boost::system::error_code cut_short;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cut_short));
    pauses_.erase(place);
}

awaitable<void> Service::prepare_until_done() {
    while (!draining_) {
        auto outcome = Prepared::not_yet;
        std::exception_ptr failure;
        try {
            outcome = co_await preparation_();
        } catch (...) {
            failure = std::current_exception();
        }
        report("preparation", failure);
        if (outcome == Prepared::yes) prepared_ = true;
        if (outcome == Prepared::never) {
            exit_code_ = 1;
            stop(milliseconds(0));
        }
        if (outcome != Prepared::not_yet) co_return;
        co_await pause(timing_.retry);
    }
}

int Service::run() {
    wait_for_signal();
    if (preparation_)
        spawn("preparation", prepare_until_done());
    else
        prepared_ = true;
    server_->start();
    io_.run();
    leave_at_once_unless_idle();
    log::info("stopped");
    return exit_code_;
}

void Service::wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code error, int number) {
        if (error) return;
        if (stopping_) leave(128 + number);
        wait_for_signal();
        log::info("stopping", {{"signal", number}});
        stop(timing_.drain_delay);
    });
}

void Service::stop(milliseconds delay) {
    if (stopping_) return;
    stopping_ = true;
    server_->retire();
    drain_timer_.expires_after(delay);
    drain_timer_.async_wait([this](boost::system::error_code) { drain(); });
}

void Service::drain() {
    draining_ = true;
    for (auto* timer : pauses_) timer->cancel();
    for (const auto& callback : on_drain_) callback();
    server_->drain(timing_.grace, [this] { drained(); });
}

void Service::drained() {
    drained_ = true;
    for (const auto& callback : on_drained_) callback();
    last_ended();
}

void Service::last_ended() {
    if (drained_ && last_tasks_ == 0) io_.stop();
}

void Service::leave_at_once_unless_idle() {
    // A handler that outlived the grace holds what is about to go.
    if (server_->connections() > 0) {
        log::warn("stopped_during_requests", {{"connections", server_->connections()}});
        leave(exit_code_);
    }
    const auto end = std::chrono::steady_clock::now() + timing_.blocking_grace;
    while (blocking_.in_use() > 0 && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(milliseconds(10));
    // A migration that cannot be interrupted is not waited for: the database rolls it back when we are gone.
    if (blocking_.in_use() > 0) {
        log::warn("stopped_during_migration");
        leave(exit_code_);
    }
}

}  // namespace shared::service
