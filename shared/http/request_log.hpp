// What is known of each request afterwards: one log line, a counter and a histogram.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>

#include "shared/http/message.hpp"
#include "shared/metrics/metrics.hpp"

namespace shared::http {

class RequestLog {
  public:
    explicit RequestLog(metrics::Registry& metrics) : metrics_(metrics) {}

    // `route` is the pattern, so that metrics stay few; empty: none matched.
    void record(const Request& request, std::string_view route, unsigned status,
                std::chrono::steady_clock::duration took);

  private:
    struct Instruments {
        prometheus::Histogram* duration;
        std::unordered_map<unsigned, prometheus::Counter*> by_status;
    };

    metrics::Registry& metrics_;
    std::unordered_map<std::string, Instruments> instruments_;  // by route
};

}  // namespace shared::http
