// What one worker counts. Written by that worker only, summed by the admin thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/observe/counter.hpp"
#include "gateway/wire/refusal.hpp"

namespace gateway::observe {

// Upper bounds of the latency buckets in microseconds; the last bucket is +Inf.
inline constexpr std::array<std::uint32_t, 13> kLatencyBounds{
    500,     1'000,   2'500,   5'000,     10'000,    25'000,    50'000,
    100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};

struct Histogram {
    std::array<Counter, kLatencyBounds.size() + 1> buckets;
    Counter sum_us;

    void record(std::uint64_t us);
};

// Labelled by route name, never by path: the number of series is fixed by the configuration.
struct RouteStats {
    std::array<Counter, 6> by_class;  // index: status / 100
    Counter bytes_in;                 // request bodies
    Counter bytes_out;                // answer bodies
    Histogram duration;
};

inline constexpr std::size_t kRefusalCount = static_cast<std::size_t>(wire::Refusal::bad_upstream_head) + 1;

struct WorkerStats {
    Counter connections_accepted;
    Counter connections_closed;
    Counter connections_refused;  // over a limit
    Counter connections_shed;     // idle ones closed to make room
    Counter requests_started;
    Counter requests_finished;
    Counter tunnels_opened;
    Counter tunnels_closed;
    Counter tls_handshakes_failed;
    Counter retries;
    Counter silent_retries;
    Counter retries_over_budget;
    Counter upstream_connects;
    Counter upstream_connect_failures;
    Counter rate_limited;
    Counter bodies_refused;  // no memory for them
    Counter queued;
    Counter queue_timeouts;
    Counter tokens_cached;
    Counter tokens_verified;
    Counter tokens_refused;
    std::array<Counter, kRefusalCount> refusals;  // by wire::Refusal

    // The route's numbers; made on first use, kept for the life of the process, reloads included.
    RouteStats& route(const std::string& name);
    // For the admin thread.
    std::vector<std::pair<std::string, const RouteStats*>> routes() const;

  private:
    mutable std::mutex mutex_;  // the map, not the numbers; taken at a reload and by the admin thread
    std::map<std::string, std::unique_ptr<RouteStats>> routes_;
};

}  // namespace gateway::observe
