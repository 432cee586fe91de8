#include "shared/http/request_log.hpp"

#include "shared/log/log.hpp"

namespace shared::http {

void RequestLog::record(const Request& request, std::string_view route, unsigned status,
                        std::chrono::steady_clock::duration took) {
    const double seconds = std::chrono::duration<double>(took).count();
    const std::string label = route.empty() ? "none" : std::string(route);
    auto found = instruments_.find(label);
    if (found == instruments_.end()) {
        auto& duration = metrics_.latency("http_request_duration_seconds",
                                          "Time from the request's head to the answer", {{"route", label}});
        found = instruments_.emplace(label, Instruments{&duration, {}}).first;
    }
    auto& [duration, by_status] = found->second;
    duration->Observe(seconds);
    auto*& counter = by_status[status];
    if (counter == nullptr)
        counter = &metrics_.counter("http_requests_total", "Requests answered",
                                    {{"route", label}, {"status", std::to_string(status)}});
    counter->Increment();
    log::info("request",
              {{"method", request.method},
               {"path", request.path},
               {"status", status},
               {"duration_ms", seconds * 1000},
               {"client", request.client_address},
               {"sub", request.claims ? std::string_view(request.claims->sub) : std::string_view{}},
               {"request_id", request.request_id}});
}

}  // namespace shared::http
