#include "gateway/admin/metrics_text.hpp"

#include <array>
#include <cstdio>
#include <functional>
#include <map>

namespace gateway::admin {

namespace {

using observe::Counter;
using observe::WorkerStats;

class Text {
  public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        out_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
        out_.append(name).append(" ").append(type).append("\n");
    }
    void value(std::string_view suffix, const std::string& labels, std::uint64_t value) {
        line(suffix, labels, std::to_string(value));
    }
    void value(std::string_view suffix, const std::string& labels, double value) {
        std::array<char, 40> text;
        const int size = std::snprintf(text.data(), text.size(), "%.6g", value);
        line(suffix, labels, {text.data(), static_cast<std::size_t>(size)});
    }
    std::string take() { return std::move(out_); }

  private:
    void line(std::string_view suffix, const std::string& labels, std::string_view value) {
        out_.append(name_).append(suffix);
        if (!labels.empty()) out_.append("{").append(labels).append("}");
        out_.append(" ").append(value).append("\n");
    }
    std::string out_;
    std::string name_;
};

std::string label(std::string_view name, std::string_view value) {
    std::string out(name);
    out += "=\"";
    for (char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        out += c;
    }
    out += '"';
    return out;
}

std::uint64_t sum(const MetricsInput& input, Counter WorkerStats::*member) {
    std::uint64_t total = 0;
    for (const WorkerStats* worker : input.workers) total += (worker->*member).value();
    return total;
}

// The same route's numbers of all workers.
struct RouteSum {
    std::array<std::uint64_t, 6> by_class{};
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::array<std::uint64_t, observe::kLatencyBounds.size() + 1> buckets{};
    std::uint64_t sum_us = 0;
};

std::map<std::string, RouteSum> sum_routes(const MetricsInput& input) {
    std::map<std::string, RouteSum> all;
    for (const WorkerStats* worker : input.workers) {
        for (const auto& [name, stats] : worker->routes()) {
            RouteSum& route = all[name];
            for (std::size_t i = 0; i < route.by_class.size(); ++i)
                route.by_class[i] += stats->by_class[i].value();
            route.bytes_in += stats->bytes_in.value();
            route.bytes_out += stats->bytes_out.value();
            for (std::size_t i = 0; i < route.buckets.size(); ++i)
                route.buckets[i] += stats->duration.buckets[i].value();
            route.sum_us += stats->duration.sum_us.value();
        }
    }
    return all;
}

void routes_text(Text& text, const MetricsInput& input) {
    const auto routes = sum_routes(input);
    text.family("gateway_requests_total", "counter", "Requests by route and class of status.");
    for (const auto& [name, route] : routes) {
        for (std::size_t i = 0; i < route.by_class.size(); ++i) {
            if (i == 0 && route.by_class[0] == 0) continue;
            text.value("", label("route", name) + ",status=\"" + std::to_string(i) + "xx\"",
                       route.by_class[i]);
        }
    }
    text.family("gateway_request_bytes_total", "counter", "Bytes of request bodies.");
    for (const auto& [name, route] : routes) text.value("", label("route", name), route.bytes_in);
    text.family("gateway_response_bytes_total", "counter", "Bytes of answer bodies.");
    for (const auto& [name, route] : routes) text.value("", label("route", name), route.bytes_out);
    text.family("gateway_request_duration_seconds", "histogram",
                "From the complete head of a request to the last byte of its answer.");
    for (const auto& [name, route] : routes) {
        std::uint64_t total = 0;
        for (std::size_t i = 0; i < route.buckets.size(); ++i) {
            total += route.buckets[i];
            std::array<char, 32> bound{"+Inf"};
            if (i < observe::kLatencyBounds.size())
                std::snprintf(bound.data(), bound.size(), "%g", observe::kLatencyBounds[i] / 1e6);
            text.value("_bucket", label("route", name) + "," + label("le", bound.data()), total);
        }
        text.value("_sum", label("route", name), static_cast<double>(route.sum_us) / 1e6);
        text.value("_count", label("route", name), total);
    }
}

void workers_text(Text& text, const MetricsInput& input) {
    struct Row {
        std::string_view name;
        std::string_view help;
        Counter WorkerStats::*member;
    };
    static constexpr std::array kRows{
        Row{"gateway_connections_accepted_total", "Client connections accepted.",
            &WorkerStats::connections_accepted},
        Row{"gateway_connections_refused_total",
            "Client connections over a limit, or with a bad PROXY header.",
            &WorkerStats::connections_refused},
        Row{"gateway_connections_shed_total", "Client connections without a request closed to make room.",
            &WorkerStats::connections_shed},
        Row{"gateway_tunnels_opened_total", "WebSocket tunnels opened.", &WorkerStats::tunnels_opened},
        Row{"gateway_tls_handshakes_failed_total", "TLS handshakes that failed.",
            &WorkerStats::tls_handshakes_failed},
        Row{"gateway_retries_total", "Requests sent again by the retry rules.", &WorkerStats::retries},
        Row{"gateway_silent_retries_total", "Requests sent again because a pooled connection had died.",
            &WorkerStats::silent_retries},
        Row{"gateway_retries_over_budget_total", "Retries that the budget did not allow.",
            &WorkerStats::retries_over_budget},
        Row{"gateway_upstream_connects_total", "Connections to upstreams begun.",
            &WorkerStats::upstream_connects},
        Row{"gateway_upstream_connect_failures_total", "Connections to upstreams that failed.",
            &WorkerStats::upstream_connect_failures},
        Row{"gateway_rate_limited_total", "Requests answered with 429.", &WorkerStats::rate_limited},
        Row{"gateway_bodies_refused_total", "Requests refused because `body_memory_bytes` was used up.",
            &WorkerStats::bodies_refused},
        Row{"gateway_queued_total", "Requests that had to wait for a place.", &WorkerStats::queued},
        Row{"gateway_queue_timeouts_total", "Requests that waited in vain.", &WorkerStats::queue_timeouts},
        Row{"gateway_tokens_cached_total", "Tokens found in the cache of verified ones.",
            &WorkerStats::tokens_cached},
        Row{"gateway_tokens_verified_total", "Tokens verified by their signature.",
            &WorkerStats::tokens_verified},
        Row{"gateway_tokens_refused_total", "Requests refused for their token or its rights.",
            &WorkerStats::tokens_refused},
    };
    for (const Row& row : kRows) {
        text.family(row.name, "counter", row.help);
        text.value("", "", sum(input, row.member));
    }
    text.family("gateway_connections", "gauge", "Open client connections.");
    text.value("", "", std::uint64_t{input.shared->connections.load(std::memory_order_relaxed)});
    text.family("gateway_body_memory_bytes", "gauge", "Bytes of request bodies that are kept.");
    text.value("", "", input.shared->bodies.used());
    text.family("gateway_requests_active", "gauge", "Requests under way.");
    text.value("", "",
               sum(input, &WorkerStats::requests_started) - sum(input, &WorkerStats::requests_finished));
    text.family("gateway_tunnels", "gauge", "Open WebSocket tunnels.");
    text.value("", "", sum(input, &WorkerStats::tunnels_opened) - sum(input, &WorkerStats::tunnels_closed));
    text.family("gateway_refusals_total", "counter", "Messages that the strict readers refused, by reason.");
    for (std::size_t i = 1; i < observe::kRefusalCount; ++i) {
        std::uint64_t total = 0;
        for (const WorkerStats* worker : input.workers) total += worker->refusals[i].value();
        if (total != 0)
            text.value("", label("reason", wire::describe(static_cast<wire::Refusal>(i)).code), total);
    }
    text.family("gateway_workers", "gauge", "Worker threads.");
    text.value("", "", std::uint64_t{input.workers.size()});
}

void clusters_text(Text& text, const MetricsInput& input) {
    const upstream::SteadyMs now = upstream::steady_ms();
    using Read = std::function<std::uint64_t(const upstream::Endpoint&)>;
    const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                            const Read& read) {
        text.family(name, type, help);
        for (const auto& cluster : input.snapshot->clusters)
            for (const auto& endpoint : *cluster->endpoints())
                text.value("",
                           label("cluster", cluster->name()) + "," +
                               label("endpoint", endpoint->authority()) + "," +
                               label("address", endpoint->address_text()),
                           read(*endpoint));
    };
    family("gateway_upstream_up", "gauge", "1: the endpoint gets requests.",
           [&](const auto& e) { return std::uint64_t{e.usable(now)}; });
    family("gateway_upstream_in_flight", "gauge", "Requests at the endpoint.",
           [](const auto& e) { return std::uint64_t{e.in_flight.load(std::memory_order_relaxed)}; });
    family("gateway_upstream_connections", "gauge", "Connections to the endpoint.",
           [](const auto& e) { return std::uint64_t{e.connections.load(std::memory_order_relaxed)}; });
    family("gateway_upstream_requests_total", "counter", "Attempts sent to the endpoint.",
           [](const auto& e) { return e.requests.load(std::memory_order_relaxed); });
    family("gateway_upstream_failures_total", "counter", "Attempts that failed there.",
           [](const auto& e) { return e.failures.load(std::memory_order_relaxed); });
    family("gateway_upstream_ejections_total", "counter",
           "Times the endpoint was taken out for its failures.", [](const auto& e) { return e.ejections(); });
    text.family("gateway_circuit_open", "gauge", "0: closed, 1: half open, 2: open.");
    for (const auto& cluster : input.snapshot->clusters) {
        const auto state = cluster->breaker.state();
        text.value("", label("cluster", cluster->name()),
                   std::uint64_t{state == upstream::CircuitBreaker::State::open        ? 2U
                                 : state == upstream::CircuitBreaker::State::half_open ? 1U
                                                                                       : 0U});
    }
    text.family("gateway_circuit_opened_total", "counter", "Times the circuit opened.");
    for (const auto& cluster : input.snapshot->clusters)
        text.value("", label("cluster", cluster->name()), cluster->breaker.opened());
}

void issuers_text(Text& text, const MetricsInput& input) {
    const auto all = input.snapshot->issuers->status();
    text.family("gateway_issuer_keys", "gauge", "Verification keys of the issuer.");
    for (const auto& issuer : all) text.value("", label("issuer", issuer.name), std::uint64_t{issuer.keys});
    text.family("gateway_issuer_keys_age_seconds", "gauge", "Since the keys were last fetched.");
    for (const auto& issuer : all) text.value("", label("issuer", issuer.name), issuer.keys_age_s);
    text.family("gateway_issuer_key_fetch_failures_total", "counter", "Failed fetches of keys.");
    for (const auto& issuer : all) text.value("", label("issuer", issuer.name), issuer.key_fetch_failures);
    text.family("gateway_revocation_feed_age_seconds", "gauge",
                "Since the feed of ended sessions was last heard.");
    for (const auto& issuer : all)
        if (issuer.has_feed) text.value("", label("issuer", issuer.name), issuer.feed_age_s);
    text.family("gateway_revocation_feed_stale", "gauge", "1: older than its max_age, on_stale decides.");
    for (const auto& issuer : all)
        if (issuer.has_feed) text.value("", label("issuer", issuer.name), std::uint64_t{issuer.feed_stale});
    text.family("gateway_revocation_feed_failures_total", "counter", "Failed reads of the feed.");
    for (const auto& issuer : all)
        if (issuer.has_feed) text.value("", label("issuer", issuer.name), issuer.feed_failures);
    text.family("gateway_revoked_sessions", "gauge", "Ended sessions whose tokens are still refused.");
    for (const auto& issuer : all)
        if (issuer.has_feed)
            text.value("", label("issuer", issuer.name), std::uint64_t{issuer.ended_sessions});
}

}  // namespace

std::string metrics_text(const MetricsInput& input) {
    Text text;
    routes_text(text, input);
    workers_text(text, input);
    clusters_text(text, input);
    issuers_text(text, input);
    text.family("gateway_config_generation", "gauge", "Grows by one with each reload.");
    text.value("", "", input.snapshot->generation);
    text.family("gateway_reloads_total", "counter", "Reloads of the configuration.");
    text.value("", "result=\"done\"", input.reloads_done);
    text.value("", "result=\"refused\"", input.reloads_refused);
    text.family("gateway_access_log_dropped_bytes_total", "counter",
                "Access log that nobody read fast enough.");
    text.value("", "", input.access_log_dropped_bytes);
    text.family("gateway_rate_limit_evicted_total", "counter",
                "Buckets that gave way before they were full.");
    text.value("", "", input.shared->limiter.evicted());
    return text.take();
}

}  // namespace gateway::admin
