// The effective configuration as JSON in the file's own shape: what a reader of the file cannot see are the
// defaults.
#include <string>

#include "gateway/config/load.hpp"
#include "shared/json/json.hpp"

namespace gateway::config {
namespace {

using Json = shared::json::Writer;

void number(Json& out, std::string_view key, std::uint64_t value) {
    out.member(key, static_cast<std::int64_t>(value));
}
void duration(Json& out, std::string_view key, milliseconds value) {
    out.member(std::string(key) + "_ms", std::int64_t{value.count()});
}
void seconds(Json& out, std::string_view key, std::chrono::seconds value) {
    out.member(std::string(key) + "_s", std::int64_t{value.count()});
}
void texts(Json& out, std::string_view key, const std::vector<std::string>& values) {
    out.member_array(key, [&] {
        for (const auto& value : values) out.value(value);
    });
}
void secret(Json& out, std::string_view key, const std::string& value) {
    if (!value.empty()) out.member(key, "***");
}
void methods(Json& out, std::string_view key, wire::MethodSet set) {
    out.member_array(key, [&] {
        for (unsigned i = 0; i < wire::kMethodCount; ++i)
            if (set.has(static_cast<wire::Method>(i)))
                out.value(wire::to_string(static_cast<wire::Method>(i)));
    });
}

void in_flight(Json& out, const InFlight& limit) {
    out.member_object("in_flight", [&] {
        number(out, "max", limit.max);
        number(out, "queue", limit.queue);
        duration(out, "queue_timeout", limit.queue_timeout);
    });
}

void listener(Json& out, const Listener& in) {
    out.object([&] {
        out.member("name", in.name);
        out.member("address", in.address);
        number(out, "port", in.port);
        out.member("backlog", in.backlog);
        out.member("proxy_protocol", in.proxy_protocol);
        if (!in.tls) return;
        out.member_object("tls", [&] {
            out.member_array("certificates", [&] {
                for (const auto& certificate : in.tls->certificates)
                    out.object([&] {
                        texts(out, "server_names", certificate.server_names);
                        out.member("certificate_file", certificate.certificate_file);
                        out.member("key_file", certificate.key_file);
                    });
            });
            out.member("min_version", in.tls->min_version);
            out.member("ciphers", in.tls->ciphers);
        });
    });
}

void edge(Json& out, const Config& config) {
    out.member_array("listeners", [&] {
        for (const auto& item : config.listeners) listener(out, item);
    });
    out.member_object("admin", [&] {
        out.member("enabled", config.admin.enabled);
        out.member("address", config.admin.address);
        number(out, "port", config.admin.port);
    });
    number(out, "workers", config.workers);
    out.member_object("client", [&] {
        const auto& c = config.client;
        duration(out, "head_timeout", c.head_timeout);
        duration(out, "idle_timeout", c.idle_timeout);
        duration(out, "body_timeout", c.body_timeout);
        number(out, "min_body_rate_bytes", c.min_body_rate_bytes);
        duration(out, "write_timeout", c.write_timeout);
        duration(out, "tunnel_idle_timeout", c.tunnel_idle_timeout);
        number(out, "max_head_bytes", c.max_head_bytes);
        number(out, "max_target_bytes", c.max_target_bytes);
        number(out, "max_headers", c.max_headers);
        out.member("merge_slashes", c.merge_slashes);
        number(out, "max_connections", c.max_connections);
        number(out, "max_connections_per_address", c.max_connections_per_address);
        number(out, "max_requests_per_connection", c.max_requests_per_connection);
        number(out, "drain_bytes", c.drain_bytes);
    });
    out.member_object("request_id",
                      [&] { out.member("accept_from_client", config.request_id.accept_from_client); });
    out.member_object("forwarding", [&] {
        out.member_array("trusted_proxies", [&] {
            for (const auto& network : config.forwarding.trusted_proxies) out.value(network.to_string());
        });
        out.member("forwarded_header", config.forwarding.forwarded_header);
    });
    out.member_object("access_log", [&] {
        out.member("enabled", config.access_log.enabled);
        out.member("path", config.access_log.path);
        number(out, "sample", config.access_log.sample);
    });
    out.member_object("shutdown", [&] {
        duration(out, "drain_delay", config.shutdown.drain_delay);
        duration(out, "grace", config.shutdown.grace);
    });
}

void issuer(Json& out, const Issuer& in) {
    out.object([&] {
        out.member("name", in.name);
        out.member("issuer", in.issuer);
        out.member("audience", in.audience);
        out.member("realm", in.realm);
        seconds(out, "leeway", in.leeway);
        number(out, "max_token_bytes", in.max_token_bytes);
        out.member_array("keys", [&] {
            for (const auto& key : in.keys)
                out.object([&] {
                    out.member("algorithm", key.algorithm);
                    out.member("kid", key.kid);
                    secret(out, "secret", key.secret);
                    if (!key.public_key.empty()) out.member("public_key", key.public_key);
                });
        });
        if (in.jwks)
            out.member_object("jwks", [&] {
                if (!in.jwks->url.empty()) out.member("url", in.jwks->url);
                if (!in.jwks->file.empty()) out.member("file", in.jwks->file);
                duration(out, "refresh", in.jwks->refresh);
                duration(out, "max_stale", in.jwks->max_stale);
                duration(out, "unknown_kid_interval", in.jwks->unknown_kid_interval);
                duration(out, "timeout", in.jwks->timeout);
            });
        if (in.revocations)
            out.member_object("revocations", [&] {
                const auto& feed = *in.revocations;
                out.member("url", feed.url);
                secret(out, "token", feed.token);
                seconds(out, "wait", feed.wait);
                duration(out, "retry", feed.retry);
                duration(out, "max_age", feed.max_age);
                out.member("on_stale", feed.on_stale == RevocationFeed::OnStale::allow ? "allow" : "refuse");
                number(out, "max_entries", feed.max_entries);
            });
        out.member_array("claim_headers", [&] {
            for (const auto& pair : in.claim_headers)
                out.object([&] {
                    out.member("claim", pair.claim);
                    out.member("header", pair.header);
                });
        });
        out.member_object("cache", [&] {
            number(out, "entries", in.cache.entries);
            duration(out, "max_age", in.cache.max_age);
        });
    });
}

std::string_view name_of(Balancer balancer) {
    switch (balancer) {
        case Balancer::round_robin:
            return "round_robin";
        case Balancer::hash:
            return "hash";
        case Balancer::least_requests:
            break;
    }
    return "least_requests";
}

void protections(Json& out, const Cluster& in) {
    out.member_object("health", [&] {
        out.member("enabled", in.health.enabled);
        out.member("path", in.health.path);
        out.member("host", in.health.host);
        duration(out, "interval", in.health.interval);
        duration(out, "timeout", in.health.timeout);
        number(out, "rise", in.health.rise);
        number(out, "fall", in.health.fall);
        number(out, "status_min", in.health.status_min);
        number(out, "status_max", in.health.status_max);
    });
    out.member_object("outlier", [&] {
        out.member("enabled", in.outlier.enabled);
        number(out, "consecutive_failures", in.outlier.consecutive_failures);
        duration(out, "base_ejection", in.outlier.base_ejection);
        duration(out, "max_ejection", in.outlier.max_ejection);
        number(out, "max_ejected_percent", in.outlier.max_ejected_percent);
        number(out, "panic_percent", in.outlier.panic_percent);
    });
    out.member_object("breaker", [&] {
        out.member("enabled", in.breaker.enabled);
        number(out, "failure_percent", in.breaker.failure_percent);
        number(out, "min_requests", in.breaker.min_requests);
        duration(out, "window", in.breaker.window);
        duration(out, "open_for", in.breaker.open_for);
        number(out, "half_open_requests", in.breaker.half_open_requests);
    });
}

void cluster(Json& out, const Cluster& in) {
    out.object([&] {
        out.member("name", in.name);
        out.member_array("endpoints", [&] {
            for (const auto& endpoint : in.endpoints)
                out.object([&] {
                    const bool six = endpoint.host.find(':') != std::string::npos;
                    out.member("address", (six ? '[' + endpoint.host + ']' : endpoint.host) + ':' +
                                              std::to_string(endpoint.port));
                    number(out, "weight", endpoint.weight);
                });
        });
        out.member("balancer", name_of(in.balancer));
        out.member("hash_on", in.hash_on.source == HashOn::Source::header ? "header:" + in.hash_on.header
                                                                          : std::string("client_address"));
        protections(out, in);
        out.member_object("pool", [&] {
            number(out, "max_idle", in.pool.max_idle);
            duration(out, "idle_timeout", in.pool.idle_timeout);
            duration(out, "max_age", in.pool.max_age);
            number(out, "max_connections", in.pool.max_connections);
        });
        out.member_object("timeouts", [&] {
            duration(out, "connect", in.timeouts.connect);
            duration(out, "first_byte", in.timeouts.first_byte);
            duration(out, "idle", in.timeouts.idle);
            duration(out, "total", in.timeouts.total);
        });
        out.member_object("retry", [&] {
            number(out, "attempts", in.retry.attempts);
            out.member("on_connect_failure", in.retry.on_connect_failure);
            out.member("on_reset", in.retry.on_reset);
            out.member_array("on_status", [&] {
                for (const auto status : in.retry.on_status) out.value(int{status});
            });
            number(out, "budget_percent", in.retry.budget_percent);
            number(out, "budget_min_per_second", in.retry.budget_min_per_second);
            duration(out, "backoff", in.retry.backoff);
        });
        in_flight(out, in.in_flight);
        duration(out, "dns_interval", in.dns_interval);
        if (in.tls)
            out.member_object("tls", [&] {
                out.member("ca_file", in.tls->ca_file);
                out.member("server_name", in.tls->server_name);
                out.member("verify", in.tls->verify);
            });
        out.member("needed_for_ready", in.needed_for_ready);
    });
}

void rate_limit(Json& out, const RateLimit& in) {
    using Kind = RateLimit::KeyPart::Kind;
    out.object([&] {
        out.member("name", in.name);
        out.member_array("key", [&] {
            for (const auto& part : in.key) {
                if (part.kind == Kind::address) out.value("address");
                if (part.kind == Kind::route) out.value("route");
                if (part.kind == Kind::claim) out.value("claim:" + part.name);
                if (part.kind == Kind::header) out.value("header:" + part.name);
            }
        });
        number(out, "requests", in.requests);
        duration(out, "period", in.period);
        number(out, "burst", in.burst);
    });
}

void auth(Json& out, const AuthRule& rule) {
    if (rule.is_public) return out.member("auth", "public");
    out.member_object("auth", [&] {
        out.member("issuer", rule.issuer);
        texts(out, "roles", rule.roles);
        texts(out, "scopes", rule.scopes);
        out.member_array("claims", [&] {
            for (const auto& claim : rule.claims)
                out.object([&] {
                    out.member("claim", claim.claim);
                    if (claim.against == ClaimRule::Against::query) out.member("equals_query", claim.query);
                    if (claim.against == ClaimRule::Against::path_segment)
                        number(out, "equals_path_segment", claim.path_segment);
                    if (claim.against == ClaimRule::Against::value) texts(out, "equals", claim.values);
                    out.member("allow_absent", claim.allow_absent);
                    texts(out, "unless_roles", claim.unless_roles);
                });
        });
    });
}

void target_of(Json& out, const ClusterTarget& target) {
    out.member("cluster", target.cluster);
    if (!target.strip_prefix.empty()) out.member("strip_prefix", target.strip_prefix);
    if (!target.add_prefix.empty()) out.member("add_prefix", target.add_prefix);
    if (!target.rewrite_path.empty()) out.member("rewrite_path", target.rewrite_path);
    if (target.host == ClusterTarget::Host::fixed) return out.member("host", target.fixed_host);
    out.member("host", target.host == ClusterTarget::Host::endpoint ? "endpoint" : "preserve");
}
void target_of(Json& out, const StaticTarget& target) {
    out.member_object("static", [&] {
        out.member("directory", target.directory);
        if (!target.strip_prefix.empty()) out.member("strip_prefix", target.strip_prefix);
        out.member("index", target.index);
        out.member("fallback", target.fallback);
        out.member("cache_control", target.cache_control);
    });
}
void target_of(Json& out, const RedirectTarget& target) {
    out.member_object("redirect", [&] {
        number(out, "status", target.status);
        out.member("location", target.location);
    });
}
void target_of(Json& out, const BuiltinTarget& target) {
    out.member("builtin", target.what == BuiltinTarget::What::health ? "health" : "ready");
}

void header_changes(Json& out, std::string_view key, const std::vector<HeaderChange>& changes) {
    if (changes.empty()) return;
    out.member_array(key, [&] {
        for (const auto& change : changes)
            out.object([&] {
                out.member("name", change.name);
                out.member("value", change.value);
                out.member("only_if_absent", change.only_if_absent);
            });
    });
}

void match(Json& out, const RouteMatch& in) {
    out.member_object("match", [&] {
        texts(out, "hosts", in.hosts);
        if (in.path) out.member("path", *in.path);
        if (in.prefix) out.member("prefix", *in.prefix);
        methods(out, "methods", in.methods);
        out.member_array("headers", [&] {
            for (const auto& header : in.headers)
                out.object([&] {
                    out.member("name", header.name);
                    if (header.equals) out.member("equals", *header.equals);
                });
        });
    });
}

void route(Json& out, const Config& config, const Route& in) {
    out.object([&] {
        out.member("name", in.name);
        match(out, in.match);
        auth(out, in.auth);
        out.member_object("target",
                          [&] { std::visit([&](const auto& t) { target_of(out, t); }, in.target); });
        out.member_object("limits", [&] {
            number(out, "body_bytes", in.limits.body_bytes);
            out.member_array("rate_limits", [&] {
                for (const auto index : in.limits.rate_limits) out.value(config.rate_limits[index].name);
            });
            in_flight(out, in.limits.in_flight);
        });
        out.member_object("timeouts", [&] {
            if (in.timeouts.first_byte) duration(out, "first_byte", *in.timeouts.first_byte);
            if (in.timeouts.idle) duration(out, "idle", *in.timeouts.idle);
            if (in.timeouts.total) duration(out, "total", *in.timeouts.total);
        });
        if (in.retry) out.member("retry", *in.retry);
        if (in.cors)
            out.member_object("cors", [&] {
                texts(out, "origins", in.cors->origins);
                texts(out, "methods", in.cors->methods);
                texts(out, "headers", in.cors->headers);
                texts(out, "expose", in.cors->expose);
                out.member("credentials", in.cors->credentials);
                seconds(out, "max_age", in.cors->max_age);
            });
        header_changes(out, "request_headers", in.request_headers);
        header_changes(out, "response_headers", in.response_headers);
        out.member("websocket", in.websocket);
        out.member("access_log", in.access_log);
    });
}

}  // namespace

std::string dump(const Config& config) {
    Json out;
    out.object([&] {
        edge(out, config);
        out.member_array("issuers", [&] {
            for (const auto& item : config.issuers) issuer(out, item);
        });
        out.member_array("clusters", [&] {
            for (const auto& item : config.clusters) cluster(out, item);
        });
        number(out, "rate_limit_keys", config.rate_limit_keys);
        out.member_array("rate_limits", [&] {
            for (const auto& item : config.rate_limits) rate_limit(out, item);
        });
        header_changes(out, "response_headers", config.response_headers);
        out.member_array("routes", [&] {
            for (const auto& item : config.routes) route(out, config, item);
        });
    });
    return out.str();
}

}  // namespace gateway::config
