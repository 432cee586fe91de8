// One configuration, ready to serve. Immutable and shared by all workers; a request keeps the one it started
// with.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/auth/issuer_set.hpp"
#include "gateway/auth/token_gate.hpp"
#include "gateway/config/config.hpp"
#include "gateway/limits/token_bucket.hpp"
#include "gateway/net/tls_context.hpp"
#include "gateway/observe/stats.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/upstream/cluster.hpp"
#include "gateway/upstream/pool.hpp"
#include "gateway/wire/head_writer.hpp"
#include "gateway/wire/rules.hpp"

namespace gateway::exchange {

struct RatePolicy {
    limits::Rate rate;
    std::uint64_t id;   // hash of the name: a reload that moves a policy keeps its buckets
    bool needs_claims;  // can only be decided after the token check
};

// What a route needs at run time besides its configuration.
struct RouteRuntime {
    // Never null; the one of the snapshot before where the rules are the same: what is under way counts on.
    std::shared_ptr<upstream::InFlightLimit> in_flight;
    std::vector<wire::Addition> request_headers;  // views into the configuration
    std::vector<wire::Addition> response_headers;
    bool has_early_limits = false;
    bool has_claim_limits = false;
};

struct Snapshot {
    // Throws std::runtime_error naming the setting that cannot be used. What `previous` has under the same
    // settings (clusters with their health and pools, keys, feeds) is taken over.
    static std::shared_ptr<const Snapshot> make(std::shared_ptr<const config::Config> config,
                                                const Snapshot* previous);

    std::uint64_t generation = 1;
    std::shared_ptr<const config::Config> config;
    std::unique_ptr<const routing::RouteTable> routes;
    wire::ReaderRules rules;
    // Of upstreams' answers: a client's limits are none of theirs.
    wire::ReaderRules answer_rules;
    std::vector<RouteRuntime> route_runtime;                   // parallel to config->routes
    std::vector<wire::Addition> unrouted_headers;              // of answers to what no route takes
    std::vector<RatePolicy> rate_policies;                     // parallel to config->rate_limits
    std::vector<std::shared_ptr<upstream::Cluster>> clusters;  // parallel to config->clusters
    std::shared_ptr<auth::IssuerSet> issuers;
    std::vector<std::shared_ptr<const net::TlsContext>> tls;  // parallel to config->listeners; null: plain
};

// A worker's view of a snapshot. Counted without atomics: it never leaves the worker's thread.
class WorkerSnapshot : public boost::intrusive_ref_counter<WorkerSnapshot, boost::thread_unsafe_counter> {
  public:
    WorkerSnapshot(std::shared_ptr<const Snapshot> snapshot,
                   std::vector<std::shared_ptr<upstream::WorkerCluster>> local, observe::WorkerStats& stats);

    const Snapshot& operator*() const { return *shared; }
    const Snapshot* operator->() const { return shared.get(); }

    std::shared_ptr<const Snapshot> shared;
    auth::TokenGate gate;
    std::vector<std::shared_ptr<upstream::WorkerCluster>> clusters;  // parallel to shared->clusters
    std::vector<observe::RouteStats*> route_stats;                   // parallel to config->routes
    observe::RouteStats* unmatched;                                  // requests that no route took
};
using WorkerSnapshotRef = boost::intrusive_ptr<WorkerSnapshot>;

}  // namespace gateway::exchange
