#include "gateway/net/poller.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <exception>
#include <system_error>

#include "shared/log/log.hpp"

namespace gateway::net {

namespace {
// Events handled before Asio gets its turn (timers, posted snapshots, DNS answers).
constexpr int kEventsPerTurn = 128;
}  // namespace

Poller::Poller(boost::asio::io_context& io)
    : io_(io), epoll_(::epoll_create1(EPOLL_CLOEXEC)), descriptor_(io) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    descriptor_.assign(epoll_);  // closes it
}

Poller::~Poller() {
    // What is destroyed may retire others (a session its upstream connection).
    while (!retired_.empty()) destroy_retired();
}

void Poller::start() {
    wait();
}

void Poller::stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    descriptor_.cancel(ignored);
}

shared::Result<> Poller::add(int descriptor, PollHandler* handler) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = handler;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0)
        return shared::ErrorCode(errno, boost::system::system_category());
    return {};
}

void Poller::again(PollHandler* handler) {
    if (handler->queued_again_ || handler->retired_) return;
    handler->queued_again_ = true;
    again_.push_back(handler);
    if (!in_turn_ && !posted_) {
        posted_ = true;
        boost::asio::post(io_, [this] {
            posted_ = false;
            turn();
        });
    }
}

void Poller::retire(std::unique_ptr<PollHandler> handler) {
    handler->retired_ = true;
    if (handler->queued_again_) {
        std::erase(again_, handler.get());
        std::replace(running_.begin(), running_.end(), handler.get(), static_cast<PollHandler*>(nullptr));
    }
    retired_.push_back(std::move(handler));
}

void Poller::end_turn() {
    if (in_turn_) return;
    // What a failed send leads to may send again.
    in_turn_ = true;
    send_batch();
    in_turn_ = false;
    destroy_retired();
}

void Poller::send_batch() {
    batch_.flush_all([](PollHandler& owner, const SendBatch::Outcome& outcome) {
        if (owner.retired_) return;
        try {
            owner.on_batch_sent(outcome);
        } catch (const std::exception& e) {
            shared::log::error("session_exception", {{"error", e.what()}});
            owner.on_exception();
        }
    });
}

void Poller::destroy_retired() {
    std::vector<std::unique_ptr<PollHandler>> dead;
    dead.swap(retired_);
    dead.clear();
    if (retired_.empty()) retired_.swap(dead);  // keeps the capacity
}

void Poller::wait() {
    if (stopped_) return;
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](shared::ErrorCode error) {
        if (error || stopped_) return;
        turn();
        // async_wait re-arms with EPOLL_CTL_MOD, which reports again at once if the set still has events.
        wait();
    });
}

void Poller::call(PollHandler* handler, std::uint32_t events) {
    try {
        handler->on_events(events);
    } catch (const std::exception& e) {
        shared::log::error("session_exception", {{"error", e.what()}});
        handler->on_exception();
    }
}

void Poller::turn() {
    if (stopped_) return;
    in_turn_ = true;
    running_.swap(again_);
    for (std::size_t i = 0; i < running_.size(); ++i) {
        PollHandler* handler = running_[i];
        if (!handler) continue;
        handler->queued_again_ = false;
        call(handler, PollHandler::kAgain);
    }
    running_.clear();

    std::array<epoll_event, kEventsPerTurn> events;
    const int count = ::epoll_wait(epoll_, events.data(), kEventsPerTurn, 0);
    for (int i = 0; i < count; ++i) {
        auto* handler = static_cast<PollHandler*>(events[static_cast<std::size_t>(i)].data.ptr);
        call(handler, events[static_cast<std::size_t>(i)].events);
        if (batch_.full()) send_batch();
    }
    send_batch();
    in_turn_ = false;
    if (!retired_.empty()) destroy_retired();
    if (!again_.empty() && !posted_) {
        posted_ = true;
        boost::asio::post(io_, [this] {
            posted_ = false;
            turn();
        });
    }
}

}  // namespace gateway::net
