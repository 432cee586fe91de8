// What concerns several parts of the file.
#include <algorithm>

#include "gateway/config/fields.hpp"

namespace gateway::config {
namespace {

std::string place_of(const char* list, std::size_t index, const char* below = "") {
    return std::string("/") + list + '/' + std::to_string(index) + below;
}

// ---- ports

struct Port {
    std::string what;
    wire::IpAddress address;
    std::uint16_t port;  // 0: the system chooses one that is free
};

// The listeners', in their order, then the admin port.
std::vector<Port> own_ports(const Config& config) {
    std::vector<Port> ports;
    for (const auto& l : config.listeners)
        ports.push_back({"listener \"" + l.name + '"', *wire::IpAddress::parse(l.address), l.port});
    if (config.admin.enabled)
        ports.push_back({"the admin port", *wire::IpAddress::parse(config.admin.address), config.admin.port});
    return ports;
}

// A socket at "::" takes IPv4, too.
bool takes_all_like(const wire::IpAddress& at, const wire::IpAddress& address) {
    return at == wire::IpAddress{} || (at == wire::IpAddress::v4(0) && address.is_v4());
}

bool clash(const Port& a, const Port& b) {
    return a.port != 0 && a.port == b.port &&
           (a.address == b.address || takes_all_like(a.address, b.address) ||
            takes_all_like(b.address, a.address));
}

bool leads_to(const std::string& host, const Port& own) {
    static const auto kLoopback = *wire::Network::parse("127.0.0.0/8");
    static const auto kLoopback6 = *wire::IpAddress::parse("::1");
    if (host == "localhost") return leads_to("127.0.0.1", own) || leads_to("::1", own);
    const auto address = wire::IpAddress::parse(host);
    if (!address) return false;
    const bool this_machine = kLoopback.contains(*address) || *address == kLoopback6 ||
                              *address == wire::IpAddress{} || *address == wire::IpAddress::v4(0);
    return own.address == *address || (this_machine && takes_all_like(own.address, *address));
}

void check_ports(Section& in, const Config& config) {
    const auto ports = own_ports(config);
    for (std::size_t i = 0; i < ports.size(); ++i)
        for (std::size_t j = i + 1; j < ports.size(); ++j)
            if (clash(ports[i], ports[j]))
                in.problem_at(place_of("listeners", i),
                              "has the port of " + ports[j].what + ", " + std::to_string(ports[i].port));
    for (std::size_t i = 0; i < config.clusters.size(); ++i)
        for (const auto& endpoint : config.clusters[i].endpoints)
            for (const auto& own : ports)
                if (own.port == endpoint.port && leads_to(endpoint.host, own))
                    in.problem_at(
                        place_of("clusters", i, "/endpoints"),
                        "lead to this gateway itself: " + own.what + " has port " + std::to_string(own.port));
    for (std::size_t i = 0; i < config.listeners.size(); ++i)
        if (config.listeners[i].proxy_protocol && config.forwarding.trusted_proxies.empty())
            in.problem_at(place_of("listeners", i, "/proxy_protocol"),
                          "needs forwarding.trusted_proxies: nobody else may connect");
}

// ---- paths

// Whether `path` is `prefix` or below it. A slash at the end of `prefix` counts for nothing.
bool is_under(std::string_view path, std::string_view prefix) {
    if (prefix.ends_with('/')) prefix.remove_suffix(1);
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

std::string_view strip_prefix_of(const Target& target) {
    if (const auto* cluster = std::get_if<ClusterTarget>(&target)) return cluster->strip_prefix;
    if (const auto* files = std::get_if<StaticTarget>(&target)) return files->strip_prefix;
    return {};
}

void check_strip_prefix(Section& in, const Route& route, std::size_t index) {
    const auto strip = strip_prefix_of(route.target);
    auto path = std::string_view(route.match.path ? *route.match.path : *route.match.prefix);
    if (route.match.prefix && path.ends_with('/')) path.remove_suffix(1);
    if (strip.empty() || is_under(path, strip)) return;
    const bool files = std::holds_alternative<StaticTarget>(route.target);
    in.problem_at(
        place_of("routes", index, files ? "/target/static/strip_prefix" : "/target/strip_prefix"),
        "\"" + std::string(strip) + "\" is not at the front of the route's path, in whole segments");
}

void check_claim_segments(Section& in, const Route& route, std::size_t index) {
    if (!route.match.path) return;
    const auto& path = *route.match.path;
    auto segments = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
    if (path.ends_with('/')) --segments;
    for (std::size_t i = 0; i < route.auth.claims.size(); ++i) {
        const auto& rule = route.auth.claims[i];
        if (rule.against == ClaimRule::Against::path_segment && rule.path_segment >= segments)
            in.problem_at(
                place_of("routes", index, "/auth/claims/") + std::to_string(i) + "/equals_path_segment",
                "is not in the route's path: the last segment is " +
                    (segments == 0 ? std::string("none") : std::to_string(segments - 1)));
    }
}

// ---- redirects

// The path that a redirect leads to on this site, names in it not yet filled in; empty: another site, or one
// that depends on what stands in front of the gateway.
std::string_view own_path(const Config& config, std::string_view location) {
    const auto secure = std::count_if(config.listeners.begin(), config.listeners.end(),
                                      [](const Listener& l) { return l.tls.has_value(); });
    const std::string_view site = secure == 0 ? "http://{host}" : "https://{host}";
    const bool one_scheme = secure == 0 || secure == static_cast<std::ptrdiff_t>(config.listeners.size());
    if (one_scheme && location.starts_with(site)) location.remove_prefix(site.size());
    if (location.starts_with("//") || !(location.starts_with('/') || location.starts_with("{path}")))
        return {};
    return location.substr(0, std::min(location.find_first_of("?#"), location.find("{query}")));
}

bool another_takes(const Config& config, const Route& route, std::string_view path) {
    return std::any_of(config.routes.begin(), config.routes.end(), [&](const Route& other) {
        if (&other == &route) return false;
        if (other.match.path) return *other.match.path == path;
        return other.match.prefix->size() >= route.match.prefix->size() &&
               is_under(path, *other.match.prefix);
    });
}

// Certain loops only: a client that follows sends the same request, or GET, to a path that this route takes.
bool leads_back(const Config& config, const Route& route, const RedirectTarget& target) {
    constexpr std::string_view kPath = "{path}";
    const auto path = own_path(config, target.location);
    const bool followed = route.match.methods.has(wire::Method::get) || target.status >= 307;
    if (path.empty() || !followed || !route.match.headers.empty()) return false;
    if (path == kPath) return true;
    if (route.match.path) return path == *route.match.path;
    if (path.starts_with(kPath)) return path[kPath.size()] == '/';
    const auto fixed = path.substr(0, path.find('{'));
    return is_under(fixed, *route.match.prefix) && !another_takes(config, route, fixed);
}

// ---- what is open around what is guarded

bool share_a_method(const wire::MethodSet& a, const wire::MethodSet& b) {
    for (unsigned i = 0; i < wire::kMethodCount; ++i)
        if (const auto method = static_cast<wire::Method>(i); a.has(method) && b.has(method)) return true;
    return false;
}

bool same_cluster(const Route& a, const Route& b) {
    const auto* first = std::get_if<ClusterTarget>(&a.target);
    const auto* second = std::get_if<ClusterTarget>(&b.target);
    return first && second && first->cluster_index == second->cluster_index;
}

// Many services answer "/users/" as they do "/users": the guard of the exact path would be worth nothing.
void warn_of_open_surroundings(Section& in, const Config& config, const Route& guarded, std::size_t index) {
    if (guarded.auth.is_public || !guarded.match.path) return;
    const auto& path = *guarded.match.path;
    std::size_t longest = 0;
    const auto around = [&](const Route& other) {
        return other.match.prefix && is_under(path, *other.match.prefix) &&
               (other.match.hosts.empty() || other.match.hosts == guarded.match.hosts);
    };
    for (const auto& other : config.routes)
        if (around(other)) longest = std::max(longest, other.match.prefix->size());
    for (const auto& other : config.routes)
        if (around(other) && other.match.prefix->size() == longest && other.auth.is_public &&
            same_cluster(guarded, other) && share_a_method(guarded.match.methods, other.match.methods))
            in.warning_at(place_of("routes", index, "/match/path"),
                          "is this path alone: what is below it, and \"" + path +
                              (path.ends_with('/') ? "x" : "/") +
                              "\", goes to the same cluster through the open route \"" + other.name +
                              "\"; a prefix guards all of it");
}

}  // namespace

void check_whole(Section& in, const Config& config) {
    check_ports(in, config);
    for (std::size_t i = 0; i < config.routes.size(); ++i) {
        const Route& route = config.routes[i];
        check_strip_prefix(in, route, i);
        check_claim_segments(in, route, i);
        const auto* redirect = std::get_if<RedirectTarget>(&route.target);
        if (redirect && leads_back(config, route, *redirect))
            in.problem_at(place_of("routes", i, "/target/redirect/location"),
                          "leads back to this route, for ever");
        warn_of_open_surroundings(in, config, route, i);
    }
}

}  // namespace gateway::config
