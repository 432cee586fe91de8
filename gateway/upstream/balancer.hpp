// Which endpoint gets the next request. State is per worker; loads are counted over all workers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gateway/upstream/endpoint.hpp"

namespace gateway::upstream {

class Balancer {
  public:
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

    Balancer(config::Balancer kind, std::uint64_t seed);

    // The endpoints that take part from now on, as indexes into `all`. Endpoints of weight 0 never do.
    void set_active(std::span<const std::shared_ptr<Endpoint>> all, std::vector<std::size_t> active);
    bool empty() const { return active_.empty(); }
    const std::vector<std::size_t>& active() const { return active_; }

    // `key` is the hash of the request's key (Balancer::hash only). `avoid`: the endpoint that has just
    // failed this request, or kNone; it is chosen only where there is no other. kNone: there is no endpoint.
    std::size_t pick(std::uint64_t key, std::size_t avoid);

  private:
    std::size_t pick_round_robin(std::size_t avoid);
    std::size_t pick_least_requests(std::size_t avoid);
    std::size_t pick_hash(std::uint64_t key, std::size_t avoid);
    std::uint64_t random();
    double load(std::size_t index) const;

    config::Balancer kind_;
    std::uint64_t random_state_;
    std::span<const std::shared_ptr<Endpoint>> all_;
    std::vector<std::size_t> active_;
    std::vector<std::int64_t> current_;  // smooth weighted round robin, parallel to active_
    std::int64_t weight_sum_ = 0;
};

}  // namespace gateway::upstream
