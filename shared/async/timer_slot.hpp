// A timer that a coroutine sleeps on and others may wake.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace shared::async {

// Lives in the coroutine's frame, so it goes with the frame, also when that is destroyed by its context; an
// object that outlives the context then holds no dangling timer, only an empty slot.
class TimerSlot {
  public:
    TimerSlot(const boost::asio::any_io_executor& executor, boost::asio::steady_timer*& slot)
        : timer_(executor), slot_(slot) {
        slot_ = &timer_;
    }
    ~TimerSlot() { slot_ = nullptr; }
    TimerSlot(const TimerSlot&) = delete;
    TimerSlot& operator=(const TimerSlot&) = delete;

    boost::asio::steady_timer& timer() { return timer_; }

  private:
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer*& slot_;
};

}  // namespace shared::async
