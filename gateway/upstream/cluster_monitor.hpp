// The slow side of a cluster, on the control thread: looks host names up again and checks health.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/upstream/cluster.hpp"
#include "shared/base/result.hpp"

namespace gateway::upstream {

// The addresses of a name; an error keeps the last known ones. Tests bring their own.
using LookUp = std::function<boost::asio::awaitable<shared::Result<std::vector<SocketAddress>>>(
    std::string, std::uint16_t)>;

// The system's resolver. A name with addresses of both families gives the IPv4 ones: most services listen
// there only.
LookUp system_resolver(boost::asio::io_context& io);

class ClusterMonitor : public std::enable_shared_from_this<ClusterMonitor> {
  public:
    ClusterMonitor(boost::asio::io_context& io, std::shared_ptr<Cluster> cluster, LookUp look_up);

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
    LookUp look_up_;
    boost::asio::steady_timer timer_;
    std::vector<std::weak_ptr<Endpoint>> checked_;
    bool stopped_ = false;
};

}  // namespace gateway::upstream
