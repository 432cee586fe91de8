// The slow side of a cluster, on the control thread: looks host names up again and checks health.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <vector>

#include "gateway/upstream/cluster.hpp"

namespace gateway::upstream {

class ClusterMonitor : public std::enable_shared_from_this<ClusterMonitor> {
  public:
    ClusterMonitor(boost::asio::io_context& io, std::shared_ptr<Cluster> cluster);

    // One round of look-ups; what fails keeps its last addresses.
    boost::asio::awaitable<void> resolve();
    // Look-ups and checks go on until stop().
    void start();
    void stop();

    const std::shared_ptr<Cluster>& cluster() const { return cluster_; }

  private:
    boost::asio::awaitable<void> resolve_loop();
    boost::asio::awaitable<void> check_loop(std::shared_ptr<Endpoint> endpoint);
    void start_checks();
    bool still_member(const Endpoint* endpoint) const;

    boost::asio::io_context& io_;
    std::shared_ptr<Cluster> cluster_;
    boost::asio::steady_timer timer_;
    std::vector<std::weak_ptr<Endpoint>> checked_;
    bool stopped_ = false;
};

}  // namespace gateway::upstream
