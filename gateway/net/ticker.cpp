#include "gateway/net/ticker.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace gateway::net {

Ticker::Ticker(Poller& poller, std::chrono::milliseconds interval, std::function<void()> tick)
    : descriptor_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)), tick_(std::move(tick)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(interval);
    itimerspec when{};
    when.it_interval.tv_sec = seconds.count();
    when.it_interval.tv_nsec = std::chrono::nanoseconds(interval - seconds).count();
    when.it_value = when.it_interval;
    if (::timerfd_settime(descriptor_, 0, &when, nullptr) != 0 || !poller.add(descriptor_, this)) {
        const int error = errno;
        ::close(descriptor_);
        throw std::system_error(error, std::generic_category(), "timerfd");
    }
}

Ticker::~Ticker() {
    ::close(descriptor_);
}

void Ticker::on_events(std::uint32_t events) {
    std::uint64_t expirations = 0;
    if ((events & EPOLLIN) != 0 && ::read(descriptor_, &expirations, sizeof expirations) > 0) tick_();
}

}  // namespace gateway::net
