#include "gateway/exchange/snapshot.hpp"

#include <algorithm>

#include "shared/base/text.hpp"

namespace gateway::exchange {

namespace {

std::vector<wire::Addition> additions(const std::vector<config::HeaderChange>& changes) {
    std::vector<wire::Addition> all;
    for (const auto& change : changes)
        all.push_back({change.name, change.value,
                       change.only_if_absent ? wire::Addition::Mode::if_absent : wire::Addition::Mode::set});
    return all;
}

std::shared_ptr<upstream::InFlightLimit> take_over_places(const config::Route& wanted,
                                                          const Snapshot* previous) {
    for (std::size_t i = 0; previous && i < previous->config->routes.size(); ++i) {
        const config::Route& known = previous->config->routes[i];
        if (known.name == wanted.name && known.limits.in_flight == wanted.limits.in_flight)
            return previous->route_runtime[i].in_flight;
    }
    return std::make_shared<upstream::InFlightLimit>(wanted.limits.in_flight);
}

std::shared_ptr<upstream::Cluster> take_over(const config::Cluster& wanted, const Snapshot* previous) {
    if (previous) {
        for (const auto& known : previous->clusters)
            if (known->settings() == wanted && known->trusts_as_its_file_says()) return known;
    }
    return std::make_shared<upstream::Cluster>(wanted);
}

}  // namespace

std::shared_ptr<const Snapshot> Snapshot::make(std::shared_ptr<const config::Config> settings,
                                               const Snapshot* previous) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->generation = previous ? previous->generation + 1 : 1;
    snapshot->config = settings;
    snapshot->routes = std::make_unique<const routing::RouteTable>(settings);

    wire::ReaderRules& rules = snapshot->rules;
    rules.max_head_bytes = settings->client.max_head_bytes;
    rules.max_target_bytes = settings->client.max_target_bytes;
    rules.max_headers = settings->client.max_headers;
    rules.merge_slashes = settings->client.merge_slashes;
    for (const std::string& name : settings->identity_headers()) rules.add_identity_header(name);
    for (std::string& name : settings->decisive_headers()) rules.add_decisive_header(std::move(name));

    for (const config::RateLimit& limit : settings->rate_limits) {
        // An identity header is a claim, too.
        const bool claims = std::any_of(limit.key.begin(), limit.key.end(), [&rules](const auto& part) {
            using Kind = config::RateLimit::KeyPart::Kind;
            return part.kind == Kind::claim ||
                   (part.kind == Kind::header && rules.is_identity_header(part.name));
        });
        snapshot->rate_policies.push_back(
            {limits::Rate(limit.requests, limit.period, limit.burst == 0 ? limit.requests : limit.burst),
             shared::fnv1a(limit.name), claims});
    }
    snapshot->unrouted_headers = additions(settings->response_headers);
    for (const config::Route& route : settings->routes) {
        RouteRuntime runtime;
        runtime.in_flight = take_over_places(route, previous);
        runtime.request_headers = additions(route.request_headers);
        runtime.response_headers = additions(route.response_headers);
        for (std::size_t index : route.limits.rate_limits)
            (snapshot->rate_policies[index].needs_claims ? runtime.has_claim_limits
                                                         : runtime.has_early_limits) = true;
        snapshot->route_runtime.push_back(std::move(runtime));
    }
    for (const config::Cluster& cluster : settings->clusters)
        snapshot->clusters.push_back(take_over(cluster, previous));
    snapshot->issuers =
        auth::IssuerSet::make(settings->issuers, previous ? previous->issuers.get() : nullptr);
    for (const config::Listener& listener : settings->listeners)
        snapshot->tls.push_back(listener.tls ? net::TlsContext::make(*listener.tls) : nullptr);
    return snapshot;
}

WorkerSnapshot::WorkerSnapshot(std::shared_ptr<const Snapshot> snapshot,
                               std::vector<std::shared_ptr<upstream::WorkerCluster>> local,
                               observe::WorkerStats& stats)
    : shared(std::move(snapshot)), gate(shared->issuers), clusters(std::move(local)) {
    for (const config::Route& route : shared->config->routes) route_stats.push_back(&stats.route(route.name));
    unmatched = &stats.route("(none)");
}

}  // namespace gateway::exchange
