#include "gateway/exchange/worker_resources.hpp"

#include <array>

#include "shared/base/http_text.hpp"

namespace gateway::exchange {

WorkerResources::WorkerResources(net::Poller& poller_, net::DeadlineWheel& wheel_, Shared& shared_,
                                 observe::WorkerStats& stats_, observe::AccessLog& log_)
    : poller(poller_),
      wheel(wheel_),
      shared(shared_),
      stats(stats_),
      log(log_),
      memory(new char[kScratch + 2 * kOutput]),
      scratch(memory.get(), kScratch),
      output(scratch.data() + kScratch, kOutput),
      answer_head(output.data() + kOutput, kOutput),
      tools{shared.limiter, ids, stats, log, poller, date} {
    renew_date();
}

void WorkerResources::renew_date() {
    ::shared::set_http_date(date, std::chrono::system_clock::to_time_t(shared.wall_clock()));
}

shared::WallTime WorkerResources::wall_time() {
    if (wall_turn_ != poller.turns()) {
        wall_turn_ = poller.turns();
        wall_time_ = shared.wall_clock();
    }
    return wall_time_;
}

}  // namespace gateway::exchange
