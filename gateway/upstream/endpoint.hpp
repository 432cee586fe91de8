// One address of a cluster, as all workers see it: only atomics change after construction.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config/config.hpp"

namespace gateway::upstream {

// Milliseconds of a steady clock, the same for all workers of the process.
using SteadyMs = std::int64_t;
SteadyMs steady_ms();

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    // nullopt: `host` is a name.
    static std::optional<SocketAddress> from_literal(const std::string& host, std::uint16_t port);

    std::string to_string() const;  // "10.0.0.7:3001", "[::1]:3001"
    bool operator==(const SocketAddress& other) const;
};

enum class Health : std::uint8_t {
    unknown,  // not checked yet: gets requests, does not make the gateway ready
    up,
    down,
};

class Endpoint {
  public:
    Endpoint(std::string host, std::uint16_t port, std::uint32_t weight, const SocketAddress& address,
             Health health);

    const std::string& host() const { return host_; }            // as configured
    const std::string& authority() const { return authority_; }  // "host:port" as configured
    std::uint32_t weight() const { return weight_; }
    const SocketAddress& address() const { return address_; }
    const std::string& address_text() const { return address_text_; }
    std::uint64_t hash() const { return hash_; }  // of the address: its place in consistent hashing

    // ---- active checks (written by the health checker only)
    Health health() const { return health_.load(std::memory_order_relaxed); }
    // One check's outcome. True if usable() may have changed. `rise` good ones in a row also end an ejection.
    bool record_check(bool good, const config::HealthCheck& rules, SteadyMs now);

    // ---- passive checks (outlier ejection)
    void record_success();
    // True if this failure ejects the endpoint. `may_eject`: not more than the configured share is out
    // already.
    bool record_failure(const config::Outlier& rules, bool may_eject, SteadyMs now);
    void end_ejection() { ejected_until_.store(0, std::memory_order_relaxed); }
    bool ejected(SteadyMs now) const { return ejected_until_.load(std::memory_order_relaxed) > now; }
    std::uint64_t ejections() const { return ejections_.load(std::memory_order_relaxed); }

    bool usable(SteadyMs now) const { return health() != Health::down && !ejected(now); }

    // ---- load
    std::atomic<std::uint32_t> in_flight{0};
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> failures{0};
    std::atomic<std::uint64_t> connects{0};
    std::atomic<std::uint32_t> connections{0};

  private:
    std::string host_;
    std::string authority_;
    std::uint32_t weight_;
    SocketAddress address_;
    std::string address_text_;
    std::uint64_t hash_;

    std::atomic<Health> health_;
    std::uint32_t good_checks_ = 0;  // in a row; health checker's thread only
    std::uint32_t bad_checks_ = 0;
    std::uint64_t ejections_seen_ = 0;
    std::atomic<std::uint32_t> consecutive_failures_{0};
    std::atomic<std::uint32_t> ejection_streak_{0};  // ejections without a success between them
    std::atomic<std::uint64_t> ejections_{0};
    std::atomic<SteadyMs> ejected_until_{0};
};

using EndpointList = std::vector<std::shared_ptr<Endpoint>>;

}  // namespace gateway::upstream
