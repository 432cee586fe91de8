#include "gateway/http/worker_context.hpp"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "gateway/http/client_session.hpp"

namespace gateway::http {

namespace {
constexpr std::size_t kMostSpare = 256;
constexpr std::size_t kKeptSpare = 8;
constexpr std::size_t kWorthTrimming = 64;
}  // namespace

WorkerContext::WorkerContext(net::Poller& poller_, net::DeadlineWheel& wheel_, Shared& shared_,
                             observe::WorkerStats& stats_, observe::AccessLog& log_)
    : poller(poller_),
      wheel(wheel_),
      shared(shared_),
      stats(stats_),
      log(log_),
      scratch_memory(new char[kScratch]),
      output_memory(new char[kOutput]),
      scratch(scratch_memory.get(), kScratch),
      output(output_memory.get(), kOutput) {
    renew_date();
}

void WorkerContext::renew_date() {
    const std::time_t now = std::chrono::system_clock::to_time_t(shared.wall_clock());
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 40> text;
    date.assign(text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
}

shared::WallTime WorkerContext::wall_time() {
    if (wall_turn_ != poller.turns()) {
        wall_turn_ = poller.turns();
        wall_time_ = shared.wall_clock();
    }
    return wall_time_;
}

WorkerContext::~WorkerContext() = default;

std::unique_ptr<ActiveRequest> WorkerContext::take_request() {
    if (spare_requests.empty()) return std::make_unique<ActiveRequest>(*this);
    std::unique_ptr<ActiveRequest> request = std::move(spare_requests.back());
    spare_requests.pop_back();
    least_spare = std::min(least_spare, spare_requests.size());
    return request;
}

void WorkerContext::give_back(std::unique_ptr<ActiveRequest> request) {
    request->file.close();
    request->exchange.reset();
    if (spare_requests.size() < kMostSpare)
        spare_requests.push_back(std::move(request));
    else
        ++freed_requests;
}

void WorkerContext::trim() {
    const std::size_t unused = std::min(least_spare, spare_requests.size());
    if (unused > kKeptSpare) {
        freed_requests += unused - kKeptSpare;
        spare_requests.resize(spare_requests.size() - (unused - kKeptSpare));
    }
    least_spare = spare_requests.size();
    if (freed_requests < kWorthTrimming) return;
    freed_requests = 0;
    // glibc keeps freed memory in the thread's arena for ever otherwise.
    ::malloc_trim(0);
}

}  // namespace gateway::http
