// What everything that runs in one worker shares. Belongs to that worker's thread, except for Shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "gateway/exchange/kept_body.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "gateway/exchange/tools.hpp"
#include "gateway/limits/address_cap.hpp"
#include "gateway/limits/byte_budget.hpp"
#include "gateway/limits/keyed_limiter.hpp"
#include "gateway/net/deadline_wheel.hpp"
#include "gateway/net/poller.hpp"
#include "gateway/observe/access_log.hpp"
#include "gateway/observe/ids.hpp"
#include "gateway/observe/stats.hpp"

namespace gateway::exchange {

// What all workers share besides the snapshot: atomics and thread-safe counters.
struct Shared {
    Shared(std::size_t rate_limit_keys, std::uint32_t max_per_address)
        : limiter(rate_limit_keys), addresses(max_per_address) {}

    std::atomic<bool> draining{false};
    std::atomic<std::uint32_t> connections{0};
    limits::KeyedLimiter limiter;
    limits::AddressCap addresses;
    limits::ByteBudget bodies;  // what is kept of requests' bodies
    shared::WallClock wall_clock = shared::system_now;
};

struct WorkerResources {
    WorkerResources(net::Poller& poller_, net::DeadlineWheel& wheel_, Shared& shared_,
                    observe::WorkerStats& stats_, observe::AccessLog& log_);
    WorkerResources(const WorkerResources&) = delete;
    WorkerResources& operator=(const WorkerResources&) = delete;

    net::Poller& poller;
    net::DeadlineWheel& wheel;
    Shared& shared;
    observe::WorkerStats& stats;
    observe::AccessLog& log;
    observe::IdSource ids;
    WorkerSnapshotRef snapshot;  // for requests that begin now
    Gatherers large_bodies;

    // Memory for the time of one call. What is read from sockets goes into `scratch`: the larger a read, the
    // fewer wake-ups a body costs (256 KiB is 10-15 % less CPU per MiB than 64 KiB). `output`: requests'
    // heads, and files. `answer_head`: the connection's, what it writes before an answer's bytes.
    static constexpr std::size_t kScratch = 256 * 1024;
    static constexpr std::size_t kOutput = 80 * 1024;
    std::unique_ptr<char[]> memory;
    std::span<char> scratch;
    std::span<char> output;
    std::span<char> answer_head;
    // Value of Date (RFC 9110 section 6.6.1), renewed once a second.
    std::string date;
    void renew_date();
    // The wall clock, read once a turn.
    shared::WallTime wall_time();

    const Tools tools;
    bool draining = false;

  private:
    shared::WallTime wall_time_;
    std::uint64_t wall_turn_ = 0;  // of wall_time_
};

}  // namespace gateway::exchange
