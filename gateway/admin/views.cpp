#include "gateway/admin/views.hpp"

#include "shared/json/json.hpp"

namespace gateway::admin {

using shared::json::Writer;

namespace {

std::string_view health_text(upstream::Health health) {
    switch (health) {
        case upstream::Health::unknown:
            return "unknown";
        case upstream::Health::up:
            return "up";
        case upstream::Health::down:
            return "down";
    }
    return "";
}

std::string_view circuit_text(upstream::CircuitBreaker::State state) {
    switch (state) {
        case upstream::CircuitBreaker::State::closed:
            return "closed";
        case upstream::CircuitBreaker::State::open:
            return "open";
        case upstream::CircuitBreaker::State::half_open:
            return "half_open";
    }
    return "";
}

std::int64_t number(std::uint64_t n) {
    return static_cast<std::int64_t>(n);
}

std::string_view target_kind(const config::Target& target) {
    if (std::holds_alternative<config::ClusterTarget>(target)) return "cluster";
    if (std::holds_alternative<config::StaticTarget>(target)) return "static";
    if (std::holds_alternative<config::RedirectTarget>(target)) return "redirect";
    return "builtin";
}

}  // namespace

View ready_view(const MetricsInput& input) {
    const upstream::SteadyMs now = upstream::steady_ms();
    bool ready = !input.shared->draining.load(std::memory_order_relaxed) && input.snapshot->issuers->ready();
    Writer out;
    out.object([&] {
        out.member_object("upstreams", [&] {
            for (const auto& cluster : input.snapshot->clusters) {
                const bool up = cluster->ready(now);
                if (!up && cluster->settings().needed_for_ready) ready = false;
                out.member(cluster->name(), up ? "up" : "down");
            }
        });
        out.member("status", ready ? "ready" : "not_ready");
    });
    return {ready ? 200U : 503U, out.str()};
}

View routes_view(const MetricsInput& input) {
    Writer out;
    out.array([&] {
        for (const config::Route& route : input.snapshot->config->routes) {
            out.object([&] {
                out.member("name", route.name);
                out.member_array("hosts", [&] {
                    for (const std::string& host : route.match.hosts) out.value(host);
                });
                if (route.match.path) out.member("path", *route.match.path);
                if (route.match.prefix) out.member("prefix", *route.match.prefix);
                out.member("methods", route.match.methods.to_string());
                out.member("public", route.auth.is_public);
                out.member_array("roles", [&] {
                    for (const std::string& role : route.auth.roles) out.value(role);
                });
                out.member("target", target_kind(route.target));
                if (const auto* target = std::get_if<config::ClusterTarget>(&route.target))
                    out.member("cluster", target->cluster);
                out.member("body_limit_bytes", number(route.limits.body_bytes));
                out.member("websocket", route.websocket);
            });
        }
    });
    return {200, out.str()};
}

View clusters_view(const MetricsInput& input) {
    const upstream::SteadyMs now = upstream::steady_ms();
    Writer out;
    out.array([&] {
        for (const auto& cluster : input.snapshot->clusters) {
            out.object([&] {
                out.member("name", cluster->name());
                out.member("ready", cluster->ready(now));
                out.member("circuit", circuit_text(cluster->breaker.state()));
                out.member("in_flight", number(cluster->in_flight.active()));
                out.member("waiting", number(cluster->in_flight.waiting()));
                out.member_array("endpoints", [&] {
                    for (const auto& endpoint : *cluster->endpoints()) {
                        out.object([&] {
                            out.member("endpoint", endpoint->authority());
                            out.member("address", endpoint->address_text());
                            out.member("weight", number(endpoint->weight()));
                            out.member("health", health_text(endpoint->health()));
                            out.member("ejected", endpoint->ejected(now));
                            out.member("usable", endpoint->usable(now));
                            out.member("in_flight", number(endpoint->in_flight.load()));
                            out.member("connections", number(endpoint->connections.load()));
                            out.member("requests", number(endpoint->requests.load()));
                            out.member("failures", number(endpoint->failures.load()));
                            out.member("ejections", number(endpoint->ejections()));
                        });
                    }
                });
            });
        }
    });
    return {200, out.str()};
}

View reload_view(const ReloadResult& result) {
    Writer out;
    out.object([&] {
        out.member("status", result.done ? "reloaded" : "refused");
        if (!result.report.empty()) out.member("report", result.report);
    });
    return {result.done ? 200U : 422U, out.str()};
}

}  // namespace gateway::admin
