// Routes, and the rate limits that they name.
#include <algorithm>
#include <limits>

#include "gateway/config/parts.hpp"
#include "gateway/wire/output.hpp"
#include "gateway/wire/path.hpp"

namespace gateway::config {
namespace {

constexpr std::int64_t kDay = 86'400'000;  // ms

template <class Item>
std::optional<std::size_t> index_of(const std::vector<Item>& items, const std::string& name) {
    const auto found =
        std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
    if (found == items.end()) return std::nullopt;
    return static_cast<std::size_t>(found - items.begin());
}

template <class Item>
std::string unknown_name(const char* kind, const std::string& name, const std::vector<Item>& items) {
    std::string message = std::string("no ") + kind + " is called \"" + name + '"';
    for (std::size_t i = 0; i < items.size(); ++i) message += (i == 0 ? "; there is " : ", ") + items[i].name;
    return message;
}

// A path of the configuration has to be in the form that request paths are brought to, else it could never
// match.
void check_path(Section& in, std::string_view key, const std::string& path) {
    std::string canonical;
    switch (wire::canonicalize_path(path, true, canonical)) {
        case wire::PathForm::canonical:
            return;
        case wire::PathForm::rewritten:
            return in.problem(
                key, "\"" + path + "\" would never match; its canonical form is \"" + canonical + '"');
        case wire::PathForm::refused:
            return in.problem(key,
                              "\"" + path + "\" is not a path (it starts with '/' and is percent-encoded)");
    }
}

void read_match(Section& in, RouteMatch& match) {
    in.texts("hosts", match.hosts);
    for (auto& host : match.hosts) {
        host = lower_case(std::move(host));
        const auto plain = std::string_view(host).substr(host.starts_with("*.") ? 2 : 0);
        if (wire::check_authority(plain) != plain.size())
            in.problem("hosts", "\"" + host + "\" is not a host name (no port; \"*.\" may stand in front)");
    }
    std::string path;
    if (in.text("path", path)) match.path = path;
    if (in.text("prefix", path)) match.prefix = path;
    if (match.path) check_path(in, "path", *match.path);
    if (match.prefix) check_path(in, "prefix", *match.prefix);
    if (in.has("path") == in.has("prefix")) in.problem("", "needs exactly one of path and prefix");
    std::vector<std::string> methods;
    if (in.texts("methods", methods)) {
        match.methods = {};
        for (const auto& name : methods) {
            const auto method = wire::parse_method(name);
            if (!method) {
                in.problem("methods", "\"" + name + "\" is not one of " + wire::MethodSet::all().to_string());
                continue;
            }
            match.methods.add(*method);
            if (*method == wire::Method::get) match.methods.add(wire::Method::head);
        }
        if (methods.empty()) in.problem("methods", "must not be empty; leave it out for all methods");
    }
    in.objects("headers", [&](Section& item) {
        HeaderMatch header;
        item.required_text("name", header.name);
        check_header_name(item, "name", header.name);
        header.name = lower_case(std::move(header.name));
        std::string value;
        if (item.text("equals", value)) header.equals = value;
        match.headers.push_back(std::move(header));
    });
}

void read_claim(Section& in, ClaimRule& rule) {
    in.required_text("claim", rule.claim);
    int ways = 0;
    if (in.text("equals_query", rule.query)) {
        rule.against = ClaimRule::Against::query;
        ++ways;
    }
    if (in.number("equals_path_segment", rule.path_segment, 0, 100)) {
        rule.against = ClaimRule::Against::path_segment;
        ++ways;
    }
    if (in.texts("equals", rule.values)) {
        rule.against = ClaimRule::Against::value;
        ++ways;
    }
    if (ways != 1) in.problem("", "needs exactly one of equals_query, equals_path_segment and equals");
    in.boolean("allow_absent", rule.allow_absent);
    in.texts("unless_roles", rule.unless_roles);
}

void read_auth(Section& route, const Config& config, AuthRule& auth) {
    const auto before = route.problem_count();
    const auto word = route.text_or_object("auth", [&](Section& in) {
        in.text("issuer", auth.issuer);
        in.texts("roles", auth.roles);
        in.texts("scopes", auth.scopes);
        in.objects("claims", [&](Section& item) {
            ClaimRule rule;
            read_claim(item, rule);
            auth.claims.push_back(std::move(rule));
        });
    });
    if (word == "public") {
        auth.is_public = true;
        return;
    }
    if (word && *word != "token") return route.problem("auth", "must be \"public\", \"token\" or an object");
    if (!route.has("auth"))
        return route.problem("auth",
                             "is missing: \"public\", \"token\" or an object with roles, scopes, claims");
    if (route.problem_count() > before) return;
    if (config.issuers.empty()) return route.problem("auth", "needs an issuer, and none is configured");
    if (auth.issuer.empty()) {
        if (config.issuers.size() > 1)
            return route.problem("auth", "must name its issuer: there are several");
        auth.issuer = config.issuers.front().name;
    }
    if (const auto index = index_of(config.issuers, auth.issuer))
        auth.issuer_index = *index;
    else
        route.problem("auth", unknown_name("issuer", auth.issuer, config.issuers));
}

ClusterTarget read_cluster_target(Section& in, const Config& config) {
    ClusterTarget target;
    in.text("cluster", target.cluster);
    if (const auto index = index_of(config.clusters, target.cluster))
        target.cluster_index = *index;
    else if (in.has("cluster"))
        in.problem("cluster", unknown_name("cluster", target.cluster, config.clusters));
    if (in.text("strip_prefix", target.strip_prefix)) {
        check_path(in, "strip_prefix", target.strip_prefix);
        if (target.strip_prefix.ends_with('/')) target.strip_prefix.pop_back();
    }
    if (in.text("add_prefix", target.add_prefix)) check_path(in, "add_prefix", target.add_prefix);
    if (in.text("rewrite_path", target.rewrite_path)) check_path(in, "rewrite_path", target.rewrite_path);
    if (in.has("rewrite_path") && (in.has("strip_prefix") || in.has("add_prefix")))
        in.problem("rewrite_path", "replaces the whole path: it does not go with strip_prefix or add_prefix");
    std::string host = "preserve";
    in.text("host", host);
    if (host == "endpoint") {
        target.host = ClusterTarget::Host::endpoint;
    } else if (host != "preserve") {
        target.host = ClusterTarget::Host::fixed;
        target.fixed_host = host;
        if (wire::check_authority(host) == 0)
            in.problem("host", "must be \"preserve\", \"endpoint\" or a host name");
    }
    return target;
}

StaticTarget read_static_target(Section& in) {
    StaticTarget target;
    in.required_text("directory", target.directory);
    if (in.text("strip_prefix", target.strip_prefix)) check_path(in, "strip_prefix", target.strip_prefix);
    while (target.strip_prefix.ends_with('/')) target.strip_prefix.pop_back();
    in.text("index", target.index);
    in.text("fallback", target.fallback);
    in.text("cache_control", target.cache_control);
    if (!wire::valid_header_value(target.cache_control))
        in.problem("cache_control", "holds control characters");
    return target;
}

RedirectTarget read_redirect_target(Section& in) {
    RedirectTarget target;
    in.number("status", target.status, 301, 308);
    if (target.status > 303 && target.status < 307) in.problem("status", "must be 301, 302, 303, 307 or 308");
    in.required_text("location", target.location);
    if (!wire::valid_header_value(target.location)) in.problem("location", "holds control characters");
    return target;
}

void read_target(Section& route, const Config& config, Target& target) {
    const bool there = route.object("target", [&](Section& in) {
        int kinds = 0;
        auto cluster = read_cluster_target(in, config);
        if (in.has("cluster")) {
            target = std::move(cluster);
            ++kinds;
        } else {
            for (const char* key : {"strip_prefix", "add_prefix", "rewrite_path", "host"})
                if (in.has(key)) in.problem(key, "goes with cluster only");
        }
        in.object("static", [&](Section& section) {
            target = read_static_target(section);
            ++kinds;
        });
        in.object("redirect", [&](Section& section) {
            target = read_redirect_target(section);
            ++kinds;
        });
        BuiltinTarget builtin;
        if (in.choice<BuiltinTarget::What>(
                "builtin", builtin.what,
                {{"health", BuiltinTarget::What::health}, {"ready", BuiltinTarget::What::ready}}))
            target = builtin;
        if (in.has("builtin")) ++kinds;
        if (kinds != 1) in.problem("", "needs exactly one of cluster, static, redirect and builtin");
    });
    if (!there) route.problem("target", "is missing");
}

void read_limits(Section& in, const Config& config, RouteLimits& limits) {
    in.number("body_bytes", limits.body_bytes, 0, std::numeric_limits<std::int64_t>::max());
    std::vector<std::string> names;
    in.texts("rate_limits", names);
    for (const auto& name : names) {
        if (const auto index = index_of(config.rate_limits, name))
            limits.rate_limits.push_back(*index);
        else
            in.problem("rate_limits", unknown_name("rate limit", name, config.rate_limits));
    }
    in.object("in_flight", [&](Section& section) { read_in_flight(section, limits.in_flight); });
}

void read_cors(Section& in, Cors& cors) {
    in.texts("origins", cors.origins);
    if (cors.origins.empty()) in.problem("origins", "at least one origin is needed");
    for (const auto& origin : cors.origins) {
        if (origin == "*") continue;
        const auto scheme = origin.find("://");
        if (scheme == std::string::npos ||
            wire::check_authority(std::string_view(origin).substr(scheme + 3)) == 0)
            in.problem("origins", "\"" + origin + "\" is not an origin such as https://portal.example.org");
    }
    in.texts("methods", cors.methods);
    for (const auto& method : cors.methods)
        if (!wire::parse_method(method)) in.problem("methods", "\"" + method + "\" is not a method");
    in.texts("headers", cors.headers);
    in.texts("expose", cors.expose);
    for (const auto& name : cors.headers) check_header_name(in, "headers", name);
    for (const auto& name : cors.expose) check_header_name(in, "expose", name);
    in.boolean("credentials", cors.credentials);
    if (cors.credentials && std::find(cors.origins.begin(), cors.origins.end(), "*") != cors.origins.end())
        in.problem("credentials",
                   "must be false where any origin is allowed (Fetch standard, section 3.2.5)");
    in.seconds("max_age", cors.max_age, 0, 86'400);
}

// Headers that a route may not set: framing and identity are the gateway's own.
bool reserved(const std::string& lower, bool request) {
    static constexpr std::string_view kReserved[] = {
        "connection", "content-length",    "host",    "keep-alive",
        "te",         "transfer-encoding", "trailer", "upgrade"};
    return std::find(std::begin(kReserved), std::end(kReserved), lower) != std::end(kReserved) ||
           (request && (lower.starts_with("x-user-") || lower == "x-session-id" || lower == "authorization"));
}

void read_headers(Section& owner, std::string_view key, bool request, std::vector<HeaderChange>& changes) {
    owner.objects(key, [&](Section& item) {
        HeaderChange change;
        item.required_text("name", change.name);
        check_header_name(item, "name", change.name);
        if (reserved(lower_case(change.name), request)) item.problem("name", "is set by the gateway alone");
        item.text("value", change.value);
        if (!wire::valid_header_value(change.value)) item.problem("value", "holds control characters");
        item.boolean("only_if_absent", change.only_if_absent);
        changes.push_back(std::move(change));
    });
}

void read_route(Section& in, const Config& config, Route& route) {
    in.required_text("name", route.name);
    check_name(in, route.name);
    if (!in.object("match", [&](Section& section) { read_match(section, route.match); }))
        in.problem("match", "is missing");
    read_auth(in, config, route.auth);
    read_target(in, config, route.target);
    in.object("limits", [&](Section& section) { read_limits(section, config, route.limits); });
    in.object("timeouts", [&](Section& section) {
        const auto read = [&](const char* key, std::optional<milliseconds>& out, std::int64_t min) {
            milliseconds value{};
            if (section.duration(key, value, min, kDay)) out = value;
        };
        read("first_byte", route.timeouts.first_byte, 10);
        read("idle", route.timeouts.idle, 10);
        read("total", route.timeouts.total, 0);
    });
    bool retry = true;
    if (in.boolean("retry", retry)) route.retry = retry;
    Cors cors;
    if (in.object("cors", [&](Section& section) { read_cors(section, cors); })) route.cors = std::move(cors);
    read_headers(in, "request_headers", true, route.request_headers);
    read_headers(in, "response_headers", false, route.response_headers);
    for (const auto& change : config.response_headers) {
        const bool own =
            std::any_of(route.response_headers.begin(), route.response_headers.end(),
                        [&](const auto& c) { return lower_case(c.name) == lower_case(change.name); });
        if (!own) route.response_headers.push_back(change);
    }
    in.boolean("websocket", route.websocket);
    in.boolean("access_log", route.access_log);
}

bool same_headers(const RouteMatch& a, const RouteMatch& b) {
    return std::equal(a.headers.begin(), a.headers.end(), b.headers.begin(), b.headers.end(),
                      [](const auto& x, const auto& y) { return x.name == y.name && x.equals == y.equals; });
}

// A route that some earlier one takes everything away from is a mistake in the file.
bool shadows(const RouteMatch& earlier, const RouteMatch& later) {
    const auto prefix = [](const RouteMatch& m) {
        auto text = m.prefix.value_or("");
        if (text.ends_with('/')) text.pop_back();
        return text;
    };
    auto methods = earlier.methods;
    methods.add(later.methods);
    return earlier.path == later.path && prefix(earlier) == prefix(later) && earlier.hosts == later.hosts &&
           same_headers(earlier, later) && methods == earlier.methods;
}

void read_rate_limit(Section& in, RateLimit& limit) {
    in.required_text("name", limit.name);
    check_name(in, limit.name);
    std::vector<std::string> key;
    in.texts("key", key);
    for (const auto& text : key) {
        RateLimit::KeyPart part;
        if (text == "route") {
            part.kind = RateLimit::KeyPart::Kind::route;
        } else if (text.starts_with("claim:") && text.size() > 6) {
            part.kind = RateLimit::KeyPart::Kind::claim;
            part.name = text.substr(6);
        } else if (text.starts_with("header:") && wire::valid_header_name(std::string_view(text).substr(7))) {
            part.kind = RateLimit::KeyPart::Kind::header;
            part.name = lower_case(text.substr(7));
        } else if (text != "address") {
            in.problem("key",
                       "\"" + text + R"(" is none of "address", "route", "claim:<name>", "header:<name>")");
            continue;
        }
        limit.key.push_back(std::move(part));
    }
    if (!in.has("requests")) in.problem("requests", "is missing");
    in.number("requests", limit.requests, 1, 1'000'000'000);
    in.duration("period", limit.period, 1, kDay);
    in.number("burst", limit.burst, 0, 1'000'000'000);
}

}  // namespace

void read_routes(Section& root, Config& config) {
    root.number("rate_limit_keys", config.rate_limit_keys, 1'000, 100'000'000);
    root.objects("rate_limits", [&](Section& item) {
        RateLimit limit;
        read_rate_limit(item, limit);
        if (!limit.name.empty() && index_of(config.rate_limits, limit.name))
            item.problem("name", "another rate limit is called \"" + limit.name + "\" too");
        limit.index = config.rate_limits.size();
        config.rate_limits.push_back(std::move(limit));
    });
    read_headers(root, "response_headers", false, config.response_headers);
    root.objects("routes", [&](Section& item) {
        Route route;
        read_route(item, config, route);
        if (!route.name.empty() && index_of(config.routes, route.name))
            item.problem("name", "another route is called \"" + route.name + "\" too");
        for (const auto& earlier : config.routes)
            if (shadows(earlier.match, route.match))
                item.problem("match",
                             "can never be reached: route \"" + earlier.name + "\" takes the same requests");
        config.routes.push_back(std::move(route));
    });
    if (config.routes.empty()) root.problem("routes", "at least one route is needed");
}

}  // namespace gateway::config
