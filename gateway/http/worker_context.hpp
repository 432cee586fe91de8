// What everything that runs in one worker shares. Belongs to that worker's thread, except for Shared.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/http/snapshot.hpp"
#include "gateway/limits/address_cap.hpp"
#include "gateway/limits/keyed_limiter.hpp"
#include "gateway/net/deadline_wheel.hpp"
#include "gateway/net/poller.hpp"
#include "gateway/observe/access_log.hpp"
#include "gateway/observe/ids.hpp"
#include "gateway/observe/stats.hpp"

namespace gateway::http {

// What all workers share besides the snapshot: atomics and thread-safe counters.
struct Shared {
    Shared(std::size_t rate_limit_keys, std::uint32_t max_per_address)
        : limiter(rate_limit_keys), addresses(max_per_address) {}

    std::atomic<bool> draining{false};
    std::atomic<std::uint32_t> connections{0};
    limits::KeyedLimiter limiter;
    limits::AddressCap addresses;
    shared::WallClock wall_clock = shared::system_now;
};

class ClientSession;
struct ActiveRequest;

struct WorkerContext {
    WorkerContext(net::Poller& poller_, net::DeadlineWheel& wheel_, Shared& shared_,
                  observe::WorkerStats& stats_, observe::AccessLog& log_);
    ~WorkerContext();

    // Reused objects: no allocation per request once a worker has warmed up.
    std::unique_ptr<ActiveRequest> take_request();
    void give_back(std::unique_ptr<ActiveRequest> request);
    // Called about twice a second: memory that a burst needed and nobody used since goes back to the system.
    void trim();

    net::Poller& poller;
    net::DeadlineWheel& wheel;
    Shared& shared;
    observe::WorkerStats& stats;
    observe::AccessLog& log;
    observe::IdSource ids;
    WorkerSnapshotRef snapshot;  // for requests that begin now

    // Memory for the time of one call: what is read goes into `scratch`, heads are written into `output`. The
    // larger a read, the fewer wake-ups a body costs: 256 KiB is 10-15 % less CPU per MiB than 64 KiB.
    static constexpr std::size_t kScratch = 256 * 1024;
    static constexpr std::size_t kOutput = 80 * 1024;
    std::unique_ptr<char[]> scratch_memory;
    std::unique_ptr<char[]> output_memory;
    std::span<char> scratch;
    std::span<char> output;
    std::string body;  // of an answer of our own
    // Value of Date (RFC 9110 section 6.6.1), renewed by every tick.
    std::string date;
    void renew_date();
    // The wall clock, read once a turn.
    shared::WallTime wall_time();

    // Every open session; those without a request in the order they became so, the oldest first.
    struct List {
        ClientSession* first = nullptr;
        ClientSession* last = nullptr;
        std::size_t size = 0;
    };
    List sessions;
    List idle;

    std::vector<std::unique_ptr<ActiveRequest>> spare_requests;
    std::size_t least_spare = 0;     // since the last trim(): so many were not needed
    std::size_t freed_requests = 0;  // since memory was last given back
    bool draining = false;

  private:
    shared::WallTime wall_time_;
    std::uint64_t wall_turn_ = 0;  // of wall_time_
};

}  // namespace gateway::http
