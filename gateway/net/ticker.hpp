// Calls a function at a fixed interval, in a turn of a Poller.
#pragma once

#include <chrono>
#include <functional>

#include "gateway/net/poller.hpp"

namespace gateway::net {

class Ticker final : public PollHandler {
  public:
    // Where a worker was held up for several intervals there is one call for all of them.
    Ticker(Poller& poller, std::chrono::milliseconds interval, std::function<void()> tick);
    ~Ticker() override;
    Ticker(const Ticker&) = delete;
    Ticker& operator=(const Ticker&) = delete;

    void on_events(std::uint32_t events) override;
    void on_exception() noexcept override {}

  private:
    int descriptor_;
    std::function<void()> tick_;
};

}  // namespace gateway::net
