// Upstreams.
#include <algorithm>
#include <charconv>

#include "gateway/config/parts.hpp"
#include "gateway/wire/output.hpp"
#include "gateway/wire/path.hpp"

namespace gateway::config {
namespace {

constexpr std::int64_t kDay = 86'400'000;  // ms

// "host:port" or "host" (port 80 or 443); several with commas, so that one environment variable can hold
// them.
bool add_endpoints(const std::string& list, std::uint32_t weight, bool tls,
                   std::vector<Endpoint>& endpoints) {
    for (std::size_t begin = 0; begin <= list.size();) {
        const auto end = std::min(list.find(',', begin), list.size());
        auto text = list.substr(begin, end - begin);
        begin = end + 1;
        std::erase(text, ' ');
        const auto host_length = wire::check_authority(text);
        if (host_length == 0) return false;
        Endpoint endpoint;
        endpoint.host = text.substr(0, host_length);
        if (endpoint.host.front() == '[') endpoint.host = endpoint.host.substr(1, host_length - 2);
        endpoint.port = tls ? 443 : 80;
        if (host_length < text.size())
            std::from_chars(text.data() + host_length + 1, text.data() + text.size(), endpoint.port);
        endpoint.weight = weight;
        endpoints.push_back(std::move(endpoint));
    }
    return true;
}

void read_health(Section& in, HealthCheck& health) {
    in.boolean("enabled", health.enabled);
    in.text("path", health.path);
    if (!health.path.starts_with('/') || !wire::valid_header_value(health.path) ||
        health.path.find(' ') != std::string::npos)
        in.problem("path", "must start with '/' and hold no spaces");
    if (in.text("host", health.host) && !health.host.empty() && wire::check_authority(health.host) == 0)
        in.problem("host", "must be a host name, with a port or without");
    in.duration("interval", health.interval, 100, kDay);
    in.duration("timeout", health.timeout, 50, 600'000);
    in.number("rise", health.rise, 1, 100);
    in.number("fall", health.fall, 1, 100);
    in.number("status_min", health.status_min, 100, 599);
    in.number("status_max", health.status_max, 100, 599);
    if (health.status_min > health.status_max) in.problem("status_min", "is larger than status_max");
}

void read_outlier(Section& in, Outlier& outlier) {
    in.boolean("enabled", outlier.enabled);
    in.number("consecutive_failures", outlier.consecutive_failures, 1, 10'000);
    in.duration("base_ejection", outlier.base_ejection, 100, kDay);
    in.duration("max_ejection", outlier.max_ejection, 100, kDay);
    in.number("max_ejected_percent", outlier.max_ejected_percent, 0, 100);
    in.number("panic_percent", outlier.panic_percent, 0, 100);
}

void read_breaker(Section& in, CircuitBreaker& breaker) {
    in.boolean("enabled", breaker.enabled);
    in.number("failure_percent", breaker.failure_percent, 1, 100);
    in.number("min_requests", breaker.min_requests, 1, 1'000'000);
    in.duration("window", breaker.window, 1'000, 600'000);
    in.duration("open_for", breaker.open_for, 100, 600'000);
    in.number("half_open_requests", breaker.half_open_requests, 1, 1'000);
}

void read_pool(Section& in, Pool& pool) {
    in.number("max_idle", pool.max_idle, 0, 100'000);
    in.duration("idle_timeout", pool.idle_timeout, 0, kDay);
    in.duration("max_age", pool.max_age, 0, kDay);
    in.number("max_connections", pool.max_connections, 0, 1'000'000);
}

void read_timeouts(Section& in, UpstreamTimeouts& timeouts) {
    in.duration("connect", timeouts.connect, 10, 600'000);
    in.duration("first_byte", timeouts.first_byte, 10, kDay);
    in.duration("idle", timeouts.idle, 10, kDay);
    in.duration("total", timeouts.total, 0, kDay);
}

void read_retry(Section& in, Retry& retry) {
    in.number("attempts", retry.attempts, 0, 10);
    in.boolean("on_connect_failure", retry.on_connect_failure);
    in.boolean("on_reset", retry.on_reset);
    in.numbers("on_status", retry.on_status, 500, 599);
    in.number("budget_percent", retry.budget_percent, 0, 100);
    in.number("budget_min_per_second", retry.budget_min_per_second, 0, 100'000);
    in.duration("backoff", retry.backoff, 0, 10'000);
}

void read_balancer(Section& in, Cluster& cluster) {
    in.choice<Balancer>("balancer", cluster.balancer,
                        {{"round_robin", Balancer::round_robin},
                         {"least_requests", Balancer::least_requests},
                         {"hash", Balancer::hash}});
    std::string on = "client_address";
    in.text("hash_on", on);
    if (on == "client_address") return;
    if (!on.starts_with("header:") || !wire::valid_header_name(std::string_view(on).substr(7)))
        return in.problem("hash_on", "must be \"client_address\" or \"header:<name>\"");
    cluster.hash_on.source = HashOn::Source::header;
    cluster.hash_on.header = lower_case(on.substr(7));
}

void read_cluster(Section& in, Cluster& cluster) {
    in.required_text("name", cluster.name);
    check_name(in, cluster.name);
    UpstreamTls tls;
    const bool encrypted = in.object("tls", [&](Section& section) {
        section.text("ca_file", tls.ca_file);
        section.text("server_name", tls.server_name);
        section.boolean("verify", tls.verify);
    });
    if (encrypted) cluster.tls = std::move(tls);
    const auto bad = [](const std::string& text) {
        return "\"" + text + "\" is not \"host:port\" (or several with commas)";
    };
    const auto before = cluster.endpoints.size();
    in.objects_or_texts(
        "endpoints",
        [&](Section& item) {
            std::string address;
            std::uint32_t weight = 1;
            item.required_text("address", address);
            item.number("weight", weight, 0, 10'000);
            if (!add_endpoints(address, weight, encrypted, cluster.endpoints))
                item.problem("address", bad(address));
        },
        [&](const std::string& text, const std::string& pointer) {
            if (!add_endpoints(text, 1, encrypted, cluster.endpoints)) in.problem_at(pointer, bad(text));
        });
    if (!in.has("endpoints")) in.problem("endpoints", "at least one endpoint is needed");
    const bool usable = std::any_of(cluster.endpoints.begin(), cluster.endpoints.end(),
                                    [](const Endpoint& endpoint) { return endpoint.weight > 0; });
    if (cluster.endpoints.size() > before && !usable)
        in.problem("endpoints", "no endpoint has a weight above 0");
    read_balancer(in, cluster);
    in.object("health", [&](Section& section) { read_health(section, cluster.health); });
    in.object("outlier", [&](Section& section) { read_outlier(section, cluster.outlier); });
    in.object("breaker", [&](Section& section) { read_breaker(section, cluster.breaker); });
    in.object("pool", [&](Section& section) { read_pool(section, cluster.pool); });
    in.object("timeouts", [&](Section& section) { read_timeouts(section, cluster.timeouts); });
    in.object("retry", [&](Section& section) { read_retry(section, cluster.retry); });
    in.object("in_flight", [&](Section& section) { read_in_flight(section, cluster.in_flight); });
    in.duration("dns_interval", cluster.dns_interval, 100, kDay);
    in.boolean("needed_for_ready", cluster.needed_for_ready);
}

}  // namespace

void read_in_flight(Section& section, InFlight& out) {
    section.number("max", out.max, 0, 1'000'000);
    section.number("queue", out.queue, 0, 1'000'000);
    section.duration("queue_timeout", out.queue_timeout, 0, 600'000);
    if (out.queue > 0 && out.max == 0) section.problem("queue", "needs max: without a limit nobody waits");
}

void read_clusters(Section& root, Config& config) {
    root.objects("clusters", [&](Section& item) {
        Cluster cluster;
        read_cluster(item, cluster);
        if (!cluster.name.empty() && config.find_cluster(cluster.name) != nullptr)
            item.problem("name", "another cluster is called \"" + cluster.name + "\" too");
        config.clusters.push_back(std::move(cluster));
    });
}

}  // namespace gateway::config
