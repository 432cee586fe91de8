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
#include "gateway/upstream/in_flight.hpp"
#include "gateway/upstream/retry_policy.hpp"

namespace gateway::upstream {

class WorkerCluster;

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

    // An idle connection that is alive as far as is known, or nullptr. `check`: the kernel is asked about it,
    // however short a time it has been idle.
    std::unique_ptr<Connection> take_idle(bool check);
    // Takes it back after an exchange that ended cleanly; closes it if it is too old or there are enough.
    void give_back(std::unique_ptr<Connection> connection);
    // Closes it; it is destroyed at the end of the batch.
    void drop(std::unique_ptr<Connection> connection);
    void remove_idle(Connection* connection);

    bool may_connect() const;
    // There is an idle connection, or one can be made.
    bool has_room() const { return !idle_.empty() || may_connect(); }
    // An idle connection goes, where only that makes room for a new one.
    void make_room();
    // Who is told when there is room again; null: nobody.
    void tell(WorkerCluster* owner) { owner_ = owner; }
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
    WorkerCluster* owner_ = nullptr;
    std::size_t connections_ = 0;
    bool retired_ = false;
};

// A request that waits for a connection: every endpoint's pool is full.
class ConnectionWaiter {
  public:
    // There may be one. False: not for this request, which goes on waiting at its place.
    virtual bool on_connection_free() = 0;

  protected:
    ~ConnectionWaiter() = default;
};

class WorkerCluster final : private net::PollHandler {
  public:
    WorkerCluster(net::Poller& poller, net::DeadlineWheel& wheel, std::shared_ptr<Cluster> cluster,
                  std::uint64_t seed);
    ~WorkerCluster() override;

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

    // For a connection; first come, first served. False: as many wait as the limit of requests lets wait.
    [[nodiscard]] bool wait(ConnectionWaiter& waiter);
    void stop_waiting(ConnectionWaiter& waiter) { std::erase(waiting_, &waiter); }
    // Others have waited for longer.
    bool must_wait(const ConnectionWaiter& waiter) const {
        return !waiting_.empty() && waiting_.front() != &waiter && offered_ != &waiter;
    }
    // A pool has a connection more to give: those who wait are asked, in the next turn.
    void on_room();

  private:
    void on_events(std::uint32_t events) override;
    void on_exception() noexcept override {}
    void offer();
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
    std::deque<ConnectionWaiter*> waiting_;
    const ConnectionWaiter* offered_ = nullptr;  // whose turn it is
};

}  // namespace gateway::upstream
