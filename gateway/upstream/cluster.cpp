#include "gateway/upstream/cluster.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "gateway/wire/ip_address.hpp"
#include "shared/log/log.hpp"

namespace gateway::upstream {

namespace {

// Endpoints given by address need no resolver: they are there from the first request on.
std::shared_ptr<const EndpointList> literal_endpoints(const config::Cluster& settings) {
    auto list = std::make_shared<EndpointList>();
    for (const config::Endpoint& endpoint : settings.endpoints)
        if (const auto address = SocketAddress::from_literal(endpoint.host, endpoint.port))
            list->push_back(std::make_shared<Endpoint>(endpoint.host, endpoint.port, endpoint.weight,
                                                       *address, Health::unknown));
    return list;
}

// Certificates that the cluster's servers are checked with; empty where the system's are used, or where the
// file cannot be read.
std::string trusted_certificates(const config::Cluster& settings) {
    if (!settings.tls || settings.tls->ca_file.empty()) return {};
    std::ifstream file(settings.tls->ca_file, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Cluster::Cluster(config::Cluster settings)
    : breaker(settings.breaker),
      in_flight(settings.in_flight),
      retry_reserve(settings.retry),
      settings_(std::move(settings)),
      trusted_(trusted_certificates(settings_)),
      endpoints_(literal_endpoints(settings_)) {
    if (!settings_.tls) return;
    tls_ = SSL_CTX_new(TLS_client_method());
    if (!tls_) throw std::runtime_error("cluster " + settings_.name + ": OpenSSL has no TLS client");
    SSL_CTX_set_min_proto_version(tls_, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls_, settings_.tls->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    const bool loaded =
        settings_.tls->ca_file.empty()
            ? SSL_CTX_set_default_verify_paths(tls_) == 1
            : SSL_CTX_load_verify_locations(tls_, settings_.tls->ca_file.c_str(), nullptr) == 1;
    if (!loaded) {
        SSL_CTX_free(tls_);
        ERR_clear_error();
        throw std::runtime_error("cluster " + settings_.name + ": tls.ca_file " + settings_.tls->ca_file +
                                 " cannot be read");
    }
}

bool Cluster::trusts_as_its_file_says() const {
    return trusted_ == trusted_certificates(settings_);
}

Cluster::~Cluster() {
    SSL_CTX_free(tls_);
}

std::shared_ptr<const EndpointList> Cluster::endpoints() const {
    const std::lock_guard lock(mutex_);
    return endpoints_;
}

void Cluster::publish(std::shared_ptr<const EndpointList> endpoints) {
    {
        const std::lock_guard lock(mutex_);
        endpoints_ = std::move(endpoints);
    }
    touch();
}

bool Cluster::ready(SteadyMs now) const {
    const auto list = endpoints();
    return std::any_of(list->begin(), list->end(), [&](const auto& endpoint) {
        const Health health = endpoint->health();
        return (health == Health::up || (health == Health::unknown && !settings_.health.enabled)) &&
               !endpoint->ejected(now);
    });
}

void Cluster::record_success(Endpoint& endpoint, bool last_resort, SteadyMs now) {
    endpoint.record_success();
    if (last_resort && endpoint.ejected(now)) {
        endpoint.end_ejection();
        touch();
    }
}

void Cluster::record_failure(Endpoint& endpoint, SteadyMs now) {
    const auto list = endpoints();
    const auto out =
        std::count_if(list->begin(), list->end(), [&](const auto& other) { return other->ejected(now); });
    const bool may_eject =
        (static_cast<std::size_t>(out) + 1) * 100 <= list->size() * settings_.outlier.max_ejected_percent;
    if (endpoint.record_failure(settings_.outlier, may_eject, now)) {
        shared::log::warn("endpoint_ejected", {{"cluster", settings_.name},
                                               {"endpoint", endpoint.authority()},
                                               {"address", endpoint.address_text()}});
        touch();
    }
}

SSL* Cluster::new_tls(const Endpoint& endpoint) const {
    if (!tls_) return nullptr;
    SSL* tls = SSL_new(tls_);
    if (!tls) return nullptr;
    SSL_set_connect_state(tls);
    const std::string& name =
        settings_.tls->server_name.empty() ? endpoint.host() : settings_.tls->server_name;
    if (wire::IpAddress::parse(name)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), name.c_str());
    } else {
        // SSL_set_tlsext_host_name is a macro with a C cast.
        SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(name.c_str()));
        SSL_set1_host(tls, name.c_str());
    }
    return tls;
}

}  // namespace gateway::upstream
