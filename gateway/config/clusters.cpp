// Upstreams.
#include <algorithm>

#include "gateway/config/fields.hpp"
#include "gateway/wire/output.hpp"
#include "gateway/wire/path.hpp"
#include "shared/base/text.hpp"

namespace gateway::config {
namespace {

// "host:port" or "host" (port 0 then, until it is known whether it speaks TLS); several with commas, so that
// one environment variable can hold them.
bool add_endpoints(const std::string& list, std::uint32_t weight, std::vector<Endpoint>& endpoints) {
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
        endpoint.port = 0;
        if (host_length < text.size())
            endpoint.port =
                shared::parse_number<std::uint16_t>(std::string_view(text).substr(host_length + 1))
                    .value_or(endpoint.port);
        endpoint.weight = weight;
        endpoints.push_back(std::move(endpoint));
    }
    return true;
}

std::string address_of(const Endpoint& endpoint) {
    const bool six = endpoint.host.find(':') != std::string::npos;
    return (six ? '[' + endpoint.host + ']' : endpoint.host) + ':' + std::to_string(endpoint.port);
}

void endpoint_fields(Visitor& v, std::string& address, std::uint32_t& weight) {
    v.text("address", address, {"", "acad-service:3002", kRequired});
    v.number("weight", weight, {0, 10'000}, {"Share of requests; 0: health checks only.", "3"});
}

// One item of the file may stand for several endpoints.
void endpoints_field(Visitor& v, std::vector<Endpoint>& endpoints) {
    const auto bad = [](const std::string& text) {
        return "\"" + text + "\" is not \"host:port\" (or several with commas)";
    };
    Visitor::Items items;
    items.count = endpoints.size();
    items.show = [&](Visitor& item, std::size_t i) {
        auto address = address_of(endpoints[i]);
        endpoint_fields(item, address, endpoints[i].weight);
    };
    items.clear = [&] { endpoints.clear(); };
    items.read = [&](Visitor& item) {
        std::string address;
        std::uint32_t weight = 1;
        endpoint_fields(item, address, weight);
        Section* in = item.reading();
        if (in && !add_endpoints(address, weight, endpoints)) in->problem("address", bad(address));
    };
    items.read_text = [&](const std::string& text, const std::string& place) {
        if (!add_endpoints(text, 1, endpoints)) v.reading()->problem_at(place, bad(text));
    };
    const auto before = v.reading() ? v.reading()->problem_count() : 0;
    v.list(
        "endpoints", items,
        {R"(`"host:port"` strings (several with commas) or objects. A host name stands for all its addresses.)",
         R"(["${ACAD_SERVICE:-acad-service:3002}"])", kRequired});
    Section* in = v.reading();
    if (!in) return;
    if (endpoints.empty() && in->problem_count() == before)
        in->problem("endpoints", "at least one endpoint is needed");
    if (!endpoints.empty() && std::none_of(endpoints.begin(), endpoints.end(),
                                           [](const Endpoint& endpoint) { return endpoint.weight > 0; }))
        in->problem("endpoints", "no endpoint has a weight above 0");
}

void hash_on_field(Visitor& v, Balancer balancer, HashOn& hash_on) {
    constexpr std::string_view kAddress = "client_address";
    constexpr std::string_view kHeader = "header:";
    std::optional<std::string> on;
    if (balancer == Balancer::hash)
        on = hash_on.source == HashOn::Source::header ? std::string(kHeader) + hash_on.header
                                                      : std::string(kAddress);
    v.text(
        "hash_on", on,
        {"Key of the balancer `hash`: `client_address` or `header:<name>`, as the service gets it; without "
         "one the address. Refused with another balancer.",
         "header:x-user-id", R"(`"client_address"`)"});
    Section* in = v.reading();
    if (!in || !on) return;
    if (*on != kAddress) {
        const auto name = std::string_view(*on).substr(std::min(kHeader.size(), on->size()));
        if (!on->starts_with(kHeader) || !wire::valid_header_name(name))
            return in->problem("hash_on", "must be \"client_address\" or \"header:<name>\"");
        hash_on.source = HashOn::Source::header;
        hash_on.header = lower_case(std::string(name));
        check_decisive_header(*in, "hash_on", hash_on.header, Decided::when_forwarding);
    }
    if (balancer != Balancer::hash) in->problem("hash_on", "goes with the balancer hash only");
}

}  // namespace

void fields(Visitor& v, HealthCheck& h) {
    Section* in = v.reading();
    v.boolean("enabled", h.enabled, {});
    v.text("path", h.path, {"", "/healthz"});
    if (in && (!h.path.starts_with('/') || !wire::valid_header_value(h.path) ||
               h.path.find(' ') != std::string::npos))
        in->problem("path", "must start with '/' and hold no spaces");
    v.text("host", h.host, {"Host header.", "acad", "the endpoint's"});
    if (in && !h.host.empty() && wire::check_authority(h.host) == 0)
        in->problem("host", "must be a host name, with a port or without");
    v.duration("interval", h.interval, {100, kDay}, {"ms.", "1000"});
    v.duration("timeout", h.timeout, {50, 600'000}, {"ms.", "500"});
    v.number("rise", h.rise, {1, 100}, {"Good answers in a row until an endpoint is up.", "1"});
    v.number("fall", h.fall, {1, 100}, {"Bad ones until it is down.", "2"});
    v.number("status_min", h.status_min, {100, 599}, {"Statuses from here …", "200"});
    v.number("status_max", h.status_max, {100, 599}, {"… to here are good.", "299"});
    if (in && h.status_min > h.status_max) in->problem("status_min", "is larger than status_max");
}

void fields(Visitor& v, Outlier& o) {
    v.boolean("enabled", o.enabled, {});
    v.number("consecutive_failures", o.consecutive_failures, {1, 10'000},
             {"502, 504, 503 without `X-Overloaded: 1`, failed connects, resets, timeouts, unreadable and "
              "cut-off answers in a row until ejection.",
              "10"});
    v.duration("base_ejection", o.base_ejection, {100, kDay},
               {"ms, times the number of ejections so far.", "5000"});
    v.duration("max_ejection", o.max_ejection, {100, kDay}, {"ms.", "60000"});
    if (Section* in = v.reading(); in && o.base_ejection > o.max_ejection)
        in->problem(in->has("max_ejection_ms") ? "max_ejection_ms" : "base_ejection_ms",
                    "leaves base_ejection_ms larger than max_ejection_ms");
    v.number("max_ejected_percent", o.max_ejected_percent, {0, 100},
             {"Share of endpoints that may be ejected at once.", "30"});
    v.number("panic_percent", o.panic_percent, {0, 100},
             {"With fewer usable endpoints than this share, health and ejection are ignored.", "0"});
}

void fields(Visitor& v, CircuitBreaker& b) {
    v.boolean("enabled", b.enabled, {});
    v.number("failure_percent", b.failure_percent, {1, 100}, {"Failures in the window that open it.", "80"});
    v.number("min_requests", b.min_requests, {1, 1'000'000},
             {"Requests in the window before it may open.", "100"});
    v.duration("window", b.window, {1'000, 600'000}, {"ms.", "30000"});
    v.duration("open_for", b.open_for, {100, 600'000},
               {"ms that requests get 503 at once; then it is half open.", "2000"});
    v.number("half_open_requests", b.half_open_requests, {1, 1'000}, {"Requests let through to try.", "1"});
}

void fields(Visitor& v, Pool& p) {
    v.number("max_idle", p.max_idle, {0, 100'000}, {"", "256"});
    v.duration("idle_timeout", p.idle_timeout, {0, kDay},
               {"ms. Must be below the server's own keep-alive time.", "2000"});
    v.duration("max_age", p.max_age, {0, kDay}, {"ms; 0: any.", "60000"});
    v.number("max_connections", p.max_connections, {0, 1'000'000}, {"Open connections; 0: no limit.", "100"});
}

void fields(Visitor& v, UpstreamTimeouts& t) {
    v.duration("connect", t.connect, {10, 600'000}, {"ms.", "500"});
    v.duration("first_byte", t.first_byte, {10, kDay},
               {"ms from the request's end to the answer's first byte.", "10000"});
    v.duration("idle", t.idle, {10, kDay}, {"ms without a byte inside a body.", "15000"});
    v.duration("total", t.total, {0, kDay}, {"ms for the whole exchange; 0: none, for streams.", "60000"});
}

void fields(Visitor& v, Retry& r) {
    v.number("attempts", r.attempts, {0, 10}, {"Besides the first; 0: never.", "2"});
    v.boolean("on_connect_failure", r.on_connect_failure, {});
    v.boolean("on_reset", r.on_reset, {});
    v.numbers("on_status", r.on_status, {500, 599}, {"Statuses; idempotent methods only.", "[502, 503]"});
    v.number("budget_percent", r.budget_percent, {0, 100},
             {"Retries are at most this share of requests …", "10"});
    v.number("budget_min_per_second", r.budget_min_per_second, {0, 100'000},
             {"… and so many per second of all workers together.", "10"});
    v.duration("backoff", r.backoff, {0, 10'000}, {"ms. Base of the jittered wait.", "100"});
}

void fields(Visitor& v, InFlight& f) {
    v.number("max", f.max, {0, 1'000'000}, {"0: no limit. 503 beyond.", "200"});
    v.number("max_per_client", f.max_per_client, {0, 1'000'000},
             {"Of these for one client (`sub` of its token, else its address, IPv6 by /64); what it asks for "
              "beyond waits. 0: no limit of its own.",
              "64"});
    v.number("queue", f.queue, {0, 1'000'000},
             {"How many more may wait: clients in turn, each in the order it came.", "100"});
    v.duration("queue_timeout", f.queue_timeout, {0, 600'000}, {"ms that they may wait.", "250"});
    if (Section* in = v.reading(); in && f.queue > 0 && f.max == 0)
        in->problem("queue", "needs max: without a limit nobody waits");
    if (Section* in = v.reading(); in && f.max_per_client > 0 && f.max == 0)
        in->problem("max_per_client", "needs max: it is a share of it");
}

void fields(Visitor& v, UpstreamTls& t) {
    v.text("ca_file", t.ca_file, {"PEM. Read again by a reload.", "/tls/ca.pem", "the system's"});
    v.text("server_name", t.server_name,
           {"SNI, and the name in the certificate.", "acad.internal", "the endpoint's host"});
    v.boolean("verify", t.verify, {});
}

void fields(Visitor& v, Cluster& c) {
    v.text("name", c.name, {"", "acad", kRequired});
    if (Section* in = v.reading()) check_name(*in, c.name);
    endpoints_field(v, c.endpoints);
    v.choice<Balancer>("balancer", c.balancer,
                       {{"round_robin", Balancer::round_robin},
                        {"least_requests", Balancer::least_requests},
                        {"hash", Balancer::hash}},
                       {"`least_requests` takes the less busy of two chosen at random.", "hash"});
    hash_on_field(v, c.balancer, c.hash_on);
    v.duration("dns_interval", c.dns_interval, {100, kDay},
               {"ms between look-ups of host names; also after a failed connect.", "1000"});
    v.boolean("needed_for_ready", c.needed_for_ready, {"`/ready` is 503 while no endpoint is usable."});
    v.object("health", c.health, {"Active checks of each endpoint."});
    v.object("outlier", c.outlier, {"Ejection of endpoints by what real requests see."});
    v.object("breaker", c.breaker, {"Circuit breaker of the cluster."});
    v.object("pool", c.pool, {"Kept connections, for each endpoint and worker."});
    v.object("timeouts", c.timeouts, {"504 when one passes."});
    v.object("retry", c.retry,
             {"Only before a byte of the answer has gone out, and only idempotent methods or requests of "
              "which nothing was sent."});
    v.object("in_flight", c.in_flight, {"Requests at once, all workers together.", "", "no limit"});
    v.object("tls", c.tls, {"TLS to the endpoints."});
    Section* in = v.reading();
    if (!in) return;
    for (Endpoint& endpoint : c.endpoints)
        if (endpoint.port == 0) endpoint.port = c.tls ? 443 : 80;
    if (!c.name.empty() && in->config().find_cluster(c.name) != nullptr)
        in->problem("name", "another cluster is called \"" + c.name + "\" too");
}

void cluster_fields(Visitor& v, Config& c) {
    v.objects("clusters", c.clusters, {});
}

}  // namespace gateway::config
