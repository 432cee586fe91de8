// One worker's side of a cluster: which endpoints take part, and the idle connections to each.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "gateway/net/deadline_wheel.hpp"
#include "gateway/net/poller.hpp"
#include "gateway/upstream/balancer.hpp"
#include "gateway/upstream/cluster.hpp"
#include "gateway/upstream/connection.hpp"
#include "gateway/upstream/retry_policy.hpp"

namespace gateway::upstream {

// Connections to one endpoint. The connection that was used last is used next: its congestion window is warm,
// and what is not needed runs into its idle limit.
class EndpointPool : public std::enable_shared_from_this<EndpointPool> {
  public:
    EndpointPool(net::Poller& poller, net::DeadlineWheel& wheel, std::shared_ptr<Cluster> cluster,
                 std::shared_ptr<Endpoint> endpoint);
    ~EndpointPool();
    EndpointPool(const EndpointPool&) = delete;
    EndpointPool& operator=(const EndpointPool&) = delete;

    Endpoint& endpoint() { return *endpoint_; }
    Cluster& cluster() { return *cluster_; }
    net::Poller& poller() { return poller_; }
    net::DeadlineWheel& wheel() { return wheel_; }
    SSL* new_tls() const { return cluster_->new_tls(*endpoint_); }

    // An idle connection that is alive as far as is known, or nullptr. `check`: ask the kernel too.
    std::unique_ptr<Connection> take_idle(bool check);
    // Takes it back after an exchange that ended cleanly; closes it if it is too old or there are enough.
    void give_back(std::unique_ptr<Connection> connection);
    // Closes it; it is destroyed at the end of the batch.
    void drop(std::unique_ptr<Connection> connection);
    void remove_idle(Connection* connection);

    bool may_connect() const;
    // The endpoint has left the cluster: no more idle connections.
    void retire();
    std::size_t idle_count() const { return idle_.size(); }

    void on_connection_made();
    void on_connection_gone();

  private:
    net::Poller& poller_;
    net::DeadlineWheel& wheel_;
    std::shared_ptr<Cluster> cluster_;
    std::shared_ptr<Endpoint> endpoint_;
    std::vector<std::unique_ptr<Connection>> idle_;
    std::size_t connections_ = 0;
    bool retired_ = false;
};

// A request that waits for a place in a limit.
class Waiter {
  public:
    // A place may be free: try again.
    virtual void on_place_free() = 0;

  protected:
    ~Waiter() = default;
};

class WorkerCluster {
  public:
    WorkerCluster(net::Poller& poller, net::DeadlineWheel& wheel, std::shared_ptr<Cluster> cluster,
                  std::uint64_t seed);
    ~WorkerCluster();

    Cluster& cluster() { return *cluster_; }
    const std::shared_ptr<Cluster>& shared_cluster() const { return cluster_; }
    RetryBudget& budget() { return budget_; }

    // The endpoint for a request, or nullptr. `key`: see Balancer; `avoid`: the pool that just failed, or
    // nullptr. Where no other endpoint takes part, one that is out is better than the one that has just
    // failed: `last_resort`.
    struct Choice {
        EndpointPool* pool = nullptr;
        bool last_resort = false;
    };
    Choice pick(std::uint64_t key, const EndpointPool* avoid);
    // More than one endpoint takes part.
    bool has_choice() const { return balancer_.active().size() > 1; }

    // Every 100 ms: ejections that have ended, waiters.
    void tick();

    // First come, first served.
    void wait(Waiter* waiter) { waiting_.push_back(waiter); }
    void stop_waiting(Waiter* waiter) { std::erase(waiting_, waiter); }
    // Somebody gave up a place.
    void wake_one();

  private:
    void refresh();
    void choose_active();

    net::Poller& poller_;
    net::DeadlineWheel& wheel_;
    std::shared_ptr<Cluster> cluster_;
    std::uint64_t seen_version_ = 0;
    std::shared_ptr<const EndpointList> endpoints_;
    std::vector<std::shared_ptr<EndpointPool>>
        pools_;  // parallel to *endpoints_; a connection keeps its pool
    Balancer balancer_;
    RetryBudget budget_;
    std::deque<Waiter*> waiting_;
};

}  // namespace gateway::upstream
