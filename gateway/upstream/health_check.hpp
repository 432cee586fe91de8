// One active check: a GET on a connection of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "gateway/upstream/cluster.hpp"

namespace gateway::upstream {

// True if the answer's status is one of those that the settings call healthy, within their timeout.
boost::asio::awaitable<bool> check_health(std::shared_ptr<Cluster> cluster,
                                          std::shared_ptr<Endpoint> endpoint);

}  // namespace gateway::upstream
