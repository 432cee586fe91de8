// A cluster as all workers share it: its endpoints, breaker and limits. Lives through reloads that do not
// change its configuration, so that health and pools survive them.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "gateway/upstream/circuit_breaker.hpp"
#include "gateway/upstream/endpoint.hpp"
#include "gateway/upstream/in_flight.hpp"
#include "gateway/upstream/retry_policy.hpp"

namespace gateway::upstream {

class Cluster {
  public:
    // Throws std::runtime_error where the TLS settings cannot be used (an unreadable CA file).
    explicit Cluster(config::Cluster settings);
    ~Cluster();

    const config::Cluster& settings() const { return settings_; }
    const std::string& name() const { return settings_.name; }

    std::shared_ptr<const EndpointList> endpoints() const;
    // Changes with every change of the list or of an endpoint's usability: workers look at this one number.
    std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
    void publish(std::shared_ptr<const EndpointList> endpoints);
    void touch() { version_.fetch_add(1, std::memory_order_acq_rel); }

    // /ready: some endpoint is known to work.
    bool ready(SteadyMs now) const;

    // What one attempt says about the endpoint; the breaker hears it by its permit.
    // `last_resort`: it was asked although it is out, so this is news.
    void record_success(Endpoint& endpoint, bool last_resort, SteadyMs now);
    void record_failure(Endpoint& endpoint, SteadyMs now);

    CircuitBreaker breaker;
    InFlightLimit in_flight;
    RetryReserve retry_reserve;

    // A connect failed: the address may be an old one. The resolver looks again soon.
    void ask_resolve() { resolve_wanted_.store(true, std::memory_order_relaxed); }
    bool take_resolve_wanted() { return resolve_wanted_.exchange(false, std::memory_order_relaxed); }

    // Client side of TLS for one connection to `endpoint`; nullptr where the cluster speaks plain HTTP.
    SSL* new_tls(const Endpoint& endpoint) const;
    // Reads the file of trusted certificates again. False: a reload needs a cluster with the new ones.
    bool trusts_as_its_file_says() const;

  private:
    const config::Cluster settings_;
    const std::string trusted_;  // PEM, as read from tls.ca_file
    mutable std::mutex mutex_;   // endpoints_; taken only when version() has changed
    std::shared_ptr<const EndpointList> endpoints_;
    std::atomic<std::uint64_t> version_{1};
    std::atomic<bool> resolve_wanted_{false};
    SSL_CTX* tls_ = nullptr;
};

}  // namespace gateway::upstream
