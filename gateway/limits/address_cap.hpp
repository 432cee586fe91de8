// Connections per client address, over all workers.
#pragma once

#include <cstdint>
#include <memory>

#include "gateway/wire/ip_address.hpp"

namespace gateway::limits {

// Thread-safe. IPv6 addresses are counted by their /64 network.
class AddressCap {
  public:
    explicit AddressCap(std::uint32_t max_per_address);  // 0: counts nothing, admits all
    ~AddressCap();

    // True: counted; call release() with the same address when the connection ends.
    bool acquire(const wire::IpAddress& address);
    void release(const wire::IpAddress& address);
    std::uint32_t count(const wire::IpAddress& address) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gateway::limits
