#include "gateway/net/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <system_error>

#include "shared/log/log.hpp"

namespace gateway::net {

namespace {

// Events handled before those that asked to be called again get their turn.
constexpr int kEventsPerTurn = 128;
// Turns that a batch of sends may wait to become full.
constexpr int kMostHeld = 8;

// What one handler throws ends that handler and nothing else.
template <class Work>
void guarded(PollHandler& handler, const Work& work) {
    try {
        work();
    } catch (const std::exception& e) {
        shared::log::error("session_exception", {{"error", e.what()}});
        handler.on_exception();
    }
}

}  // namespace

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    read_clock();
    if (const auto added = add(mailbox_.descriptor(), &mailbox_); !added) {
        ::close(epoll_);
        throw std::system_error(added.error().value(), std::generic_category(), "epoll_ctl");
    }
}

Poller::~Poller() {
    // What is destroyed may retire others (a session its upstream connection).
    while (!retired_.empty()) destroy_retired();
    ::close(epoll_);
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
}

void Poller::post(std::function<void()> task) {
    mailbox_.put(std::move(task));
}

void Poller::forget(PollHandler* handler) {
    if (!handler->queued_again_) return;
    handler->queued_again_ = false;
    std::erase(again_, handler);
    std::replace(running_.begin(), running_.end(), handler, static_cast<PollHandler*>(nullptr));
}

void Poller::retire(std::unique_ptr<PollHandler> handler) {
    handler->retired_ = true;
    forget(handler.get());
    retired_.push_back(std::move(handler));
}

void Poller::read_clock() {
    now_ = Clock::now();
    ++turns_;
}

void Poller::turn(std::chrono::milliseconds most) {
    std::array<epoll_event, kEventsPerTurn> events;
    const int wait = again_.empty() && batch_.empty() ? static_cast<int>(most.count()) : 0;
    const int count = ::epoll_wait(epoll_, events.data(), kEventsPerTurn, wait);
    read_clock();
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        static_cast<PollHandler*>(event.data.ptr)->fetched_events_ = event.events;
    }
    running_.swap(again_);
    for (std::size_t i = 0; i < running_.size(); ++i) {
        PollHandler* handler = running_[i];
        if (!handler) continue;  // retired meanwhile
        handler->queued_again_ = false;
        guarded(*handler, [&] { handler->on_events(PollHandler::kAgain); });
    }
    running_.clear();
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        auto* handler = static_cast<PollHandler*>(event.data.ptr);
        handler->fetched_events_ = 0;
        guarded(*handler, [&] { handler->on_events(event.events); });
        if (batch_.full()) send_batch();
    }
    // Under full load more has arrived meanwhile, and the batch is filled up. A small one goes out at once:
    // its receivers have nothing else to do.
    if (count > 0 && batch_.half_full() && !batch_.full() && ++held_ < kMostHeld) return;
    end_turn();
}

void Poller::end_turn() {
    held_ = 0;
    send_batch();
    if (!retired_.empty()) destroy_retired();
}

void Poller::send_batch() {
    batch_.flush_all([](PollHandler& owner, const SendBatch::Outcome& outcome) {
        if (!owner.retired_) guarded(owner, [&] { owner.on_batch_sent(outcome); });
    });
}

void Poller::destroy_retired() {
    std::vector<std::unique_ptr<PollHandler>> dead;
    dead.swap(retired_);
    dead.clear();
    if (retired_.empty()) retired_.swap(dead);  // keeps the capacity
}

Poller::Mailbox::Mailbox() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Poller::Mailbox::~Mailbox() {
    ::close(descriptor_);
}

void Poller::Mailbox::put(std::function<void()> task) {
    {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    ::eventfd_write(descriptor_, 1);
}

void Poller::Mailbox::on_events(std::uint32_t) {
    // Never read: each write is an edge of its own, and the count has room for 2^64 of them.
    std::vector<std::function<void()>> tasks;
    {
        const std::lock_guard lock(mutex_);
        tasks.swap(tasks_);
    }
    for (const auto& task : tasks) guarded(*this, task);
}

}  // namespace gateway::net
