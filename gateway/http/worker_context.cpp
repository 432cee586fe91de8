#include "gateway/http/worker_context.hpp"

#include <malloc.h>

#include <algorithm>

namespace gateway::http {

namespace {
constexpr std::size_t kKeptSpare = 8;
constexpr std::size_t kWorthTrimming = 64;
}  // namespace

std::unique_ptr<respond::ActiveRequest> WorkerContext::take_request() {
    if (spare_requests.empty()) return std::make_unique<respond::ActiveRequest>(*this);
    std::unique_ptr<respond::ActiveRequest> request = std::move(spare_requests.back());
    spare_requests.pop_back();
    least_spare = std::min(least_spare, spare_requests.size());
    return request;
}

void WorkerContext::give_back(std::unique_ptr<respond::ActiveRequest> request) {
    request->exchange.reset();
    // Kept in any case: who ended the exchange may be one of its own parts and still be on the stack.
    spare_requests.push_back(std::move(request));
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
