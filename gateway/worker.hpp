// A worker: one thread, one loop, its own listeners, connections, pools, cache and counters. Nothing on the
// path of a request is shared with another worker but atomics and the immutable snapshot.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "gateway/http/worker_context.hpp"
#include "gateway/net/deadline_wheel.hpp"
#include "gateway/net/listener.hpp"
#include "gateway/net/poller.hpp"
#include "gateway/net/ticker.hpp"
#include "gateway/observe/access_log.hpp"
#include "gateway/observe/stats.hpp"

namespace gateway {

class Worker {
  public:
    // `sockets`: one listening descriptor for each of the configuration's listeners; the worker owns them.
    Worker(exchange::Shared& shared, observe::AccessLogWriter* log, observe::AccessLogWriter* security_log,
           std::shared_ptr<const exchange::Snapshot> snapshot, const std::vector<int>& sockets);
    ~Worker();

    void start();  // begins the thread

    // ---- from any thread
    // Requests that begin from now on use it; those under way keep theirs.
    void use(std::shared_ptr<const exchange::Snapshot> snapshot);
    // Accepts no more, closes idle connections, lets the rest finish.
    void drain();
    // Ends what is left.
    void kill();
    void join();
    bool finished() const { return finished_.load(); }
    const observe::WorkerStats& stats() const { return stats_; }

  private:
    void run();
    void tick();
    void adopt(std::shared_ptr<const exchange::Snapshot> snapshot);
    void kill_all();

    net::Poller poller_;
    net::Poller::Clock::time_point started_;
    net::DeadlineWheel wheel_;
    observe::WorkerStats stats_;
    observe::AccessLog log_;
    http::WorkerContext context_;
    std::vector<std::weak_ptr<upstream::WorkerCluster>> replaced_;  // by reloads; requests may still use them
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::unique_ptr<net::Ticker> ticker_;
    std::uint32_t ticks_ = 0;
    std::atomic<bool> finished_{false};
    std::thread thread_;
};

}  // namespace gateway
