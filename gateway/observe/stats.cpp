#include "gateway/observe/stats.hpp"

namespace gateway::observe {

void Histogram::record(std::uint64_t us) {
    std::size_t i = 0;
    while (i < kLatencyBounds.size() && us > kLatencyBounds[i]) ++i;
    buckets[i].add();
    sum_us.add(us);
}

RouteStats& WorkerStats::route(const std::string& name) {
    const std::lock_guard lock(mutex_);
    auto& slot = routes_[name];
    if (!slot) slot = std::make_unique<RouteStats>();
    return *slot;
}

std::vector<std::pair<std::string, const RouteStats*>> WorkerStats::routes() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<std::string, const RouteStats*>> all;
    for (const auto& [name, stats] : routes_) all.emplace_back(name, stats.get());
    return all;
}

}  // namespace gateway::observe
