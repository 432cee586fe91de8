// The gateway's numbers in Prometheus' text format 0.0.4. Labels are names out of the configuration, never
// paths.
#pragma once

#include <string>
#include <vector>

#include "gateway/exchange/worker_resources.hpp"
#include "gateway/observe/stats.hpp"

namespace gateway::admin {

struct MetricsInput {
    std::vector<const observe::WorkerStats*> workers;
    std::shared_ptr<const exchange::Snapshot> snapshot;
    const exchange::Shared* shared = nullptr;
    std::uint64_t access_log_dropped_bytes = 0;
    std::uint64_t reloads_done = 0;
    std::uint64_t reloads_refused = 0;
};

std::string metrics_text(const MetricsInput& input);

}  // namespace gateway::admin
