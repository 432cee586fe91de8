#include "gateway/explain.hpp"

#include <cstdio>
#include <string_view>

#include "gateway/auth/token_gate.hpp"
#include "gateway/config/load.hpp"
#include "gateway/exchange/snapshot.hpp"
#include "gateway/routing/rewrite.hpp"
#include "gateway/wire/request_head.hpp"
#include "shared/base/clock.hpp"

namespace gateway {

namespace {

void line(std::string_view name, std::string_view text) {
    std::printf("%-12.*s %.*s\n", static_cast<int>(name.size()), name.data(), static_cast<int>(text.size()),
                text.data());
}

std::string joined(const std::vector<std::string>& items, std::string_view none) {
    std::string all;
    for (const std::string& item : items) all.append(all.empty() ? "" : ", ").append(item);
    return all.empty() ? std::string(none) : all;
}

std::string ms(std::chrono::milliseconds value) {
    return value.count() == 0 ? "none" : std::to_string(value.count()) + " ms";
}

// The bytes that such a request would have: so that the strict reader has its say too.
std::string as_bytes(const ExplainRequest& request) {
    std::string target = request.url;
    std::string host = "localhost";
    const std::size_t scheme = target.find("://");
    if (scheme != std::string::npos) {
        const std::size_t start = scheme + 3;
        const std::size_t slash = target.find_first_of("/?", start);
        host = target.substr(start, slash == std::string::npos ? std::string::npos : slash - start);
        target = slash == std::string::npos ? "/" : target.substr(slash);
        if (target.front() == '?') target.insert(0, "/");
    }
    std::string bytes = request.method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n";
    if (!request.token.empty()) bytes += "Authorization: Bearer " + request.token + "\r\n";
    for (const std::string& header : request.headers) bytes += header + "\r\n";
    return bytes + "\r\n";
}

void explain_target(const config::Config& settings, const config::Route& route,
                    const wire::RequestHead& head) {
    if (const auto* target = std::get_if<config::ClusterTarget>(&route.target)) {
        const config::Cluster& cluster = settings.clusters[target->cluster_index];
        std::string endpoints;
        for (const config::Endpoint& endpoint : cluster.endpoints)
            endpoints +=
                (endpoints.empty() ? "" : ", ") + endpoint.host + ":" + std::to_string(endpoint.port);
        line("upstream", "cluster " + cluster.name + " (" + endpoints + ")");
        std::string storage;
        line("path", routing::upstream_path(*target, head.path(), storage));
        line("timeouts", "connect " + ms(cluster.timeouts.connect) + ", first byte " +
                             ms(route.timeouts.first_byte.value_or(cluster.timeouts.first_byte)) + ", idle " +
                             ms(route.timeouts.idle.value_or(cluster.timeouts.idle)) + ", total " +
                             ms(route.timeouts.total.value_or(cluster.timeouts.total)));
        line("retries", route.retry.value_or(true)
                            ? std::to_string(cluster.retry.attempts) + ", budget " +
                                  std::to_string(cluster.retry.budget_percent) + " % of requests or " +
                                  std::to_string(cluster.retry.budget_min_per_second) + " per second"
                            : "none");
    } else if (const auto* files = std::get_if<config::StaticTarget>(&route.target)) {
        line("target", "files of " + files->directory);
    } else if (const auto* redirect = std::get_if<config::RedirectTarget>(&route.target)) {
        line("target", "redirect " + std::to_string(redirect->status) + " to " +
                           routing::redirect_location(*redirect, head.host(), head.path(), head.query(),
                                                      head.has_query()));
    } else {
        line("target", "answered by the gateway itself");
    }
}

void explain_rule(const config::AuthRule& rule) {
    if (rule.is_public) return line("rule", "public: no token is looked at");
    line("rule", "token of issuer " + rule.issuer + "; roles: " + joined(rule.roles, "any") +
                     "; scopes: " + joined(rule.scopes, "none"));
    for (const config::ClaimRule& claim : rule.claims) {
        std::string text = "claim " + claim.claim + " must equal ";
        switch (claim.against) {
            case config::ClaimRule::Against::query:
                text += "the query parameter " + claim.query;
                break;
            case config::ClaimRule::Against::path_segment:
                text += "path segment " + std::to_string(claim.path_segment);
                break;
            case config::ClaimRule::Against::value:
                text += "one of " + joined(claim.values, "nothing");
                break;
        }
        if (claim.allow_absent) text += " where there is one";
        if (!claim.unless_roles.empty()) text += ", except for " + joined(claim.unless_roles, "");
        line("", text);
    }
}

void explain_limits(const config::Config& settings, const config::Route& route) {
    line("body", "at most " + std::to_string(route.limits.body_bytes) + " bytes, " +
                     std::to_string(route.limits.gathered_bytes()) + " before an upstream is asked");
    for (std::size_t index : route.limits.rate_limits) {
        const config::RateLimit& limit = settings.rate_limits[index];
        std::string key;
        for (const auto& part : limit.key) {
            static constexpr const char* kKinds[] = {"address", "claim", "header", "route"};
            key += (key.empty() ? "" : " + ") + std::string(kKinds[static_cast<std::size_t>(part.kind)]);
            if (!part.name.empty()) key += " " + part.name;
        }
        line("rate limit", limit.name + ": " + std::to_string(limit.requests) + " per " + ms(limit.period) +
                               " by " + (key.empty() ? "everybody together" : key));
    }
    const auto places = [](std::string_view whose, const config::InFlight& limit) {
        if (limit.max != 0)
            line("in flight", std::string(whose) + ": at most " + std::to_string(limit.max) +
                                  (limit.max_per_client == 0
                                       ? ""
                                       : " (" + std::to_string(limit.max_per_client) + " of one client)") +
                                  ", " + std::to_string(limit.queue) + " may wait " +
                                  ms(limit.queue_timeout));
    };
    places("route", route.limits.in_flight);
    if (const auto* target = std::get_if<config::ClusterTarget>(&route.target))
        places("cluster", settings.clusters[target->cluster_index].in_flight);
}

int refused(unsigned status, std::string_view reason) {
    line("answer", std::to_string(status) + " " + std::string(wire::reason_phrase(status)) + " (" +
                       std::string(reason) + ")");
    return 1;
}

}  // namespace

int explain(const std::string& config_file, const ExplainRequest& request) {
    const config::Loaded loaded = config::load_file(config_file, config::process_environment());
    if (!loaded) {
        std::fprintf(stderr, "%s\n", loaded.report(config_file).c_str());
        return 2;
    }
    std::shared_ptr<const exchange::Snapshot> snapshot;
    try {
        snapshot = exchange::Snapshot::make(loaded.config, nullptr);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s: %s\n", config_file.c_str(), e.what());
        return 2;
    }
    const std::string bytes = as_bytes(request);
    wire::RequestHead head;
    head.clear();
    const wire::ReadResult read = wire::read_request_head(bytes, snapshot->rules, head);
    if (read.status != wire::ReadStatus::complete) {
        const wire::RefusalInfo& info = wire::describe(read.refusal);
        line("request", "refused by the strict reader: " + std::string(info.reason));
        return refused(info.status, info.code);
    }
    line("request", std::string(wire::to_string(head.method())) + " " + std::string(head.host()) + " " +
                        std::string(head.path()) + (head.has_query() ? "?" + std::string(head.query()) : ""));
    std::vector<std::string> why;
    const routing::Match match =
        snapshot->routes->explain(head.host(), head.method(), head.path(), head, why);
    for (const std::string& step : why) line("", step);
    if (match.outcome == routing::Outcome::not_found) return refused(404, "no route has this path");
    if (match.outcome == routing::Outcome::method_not_allowed)
        return refused(405, "allowed: " + match.allowed.to_string());
    if (match.outcome == routing::Outcome::options) {
        line("answer", "204, Allow: " + match.allowed.to_string());
        return 0;
    }
    const config::Route& route = *match.route;
    line("route", route.name);
    explain_rule(route.auth);
    explain_target(*snapshot->config, route, head);
    explain_limits(*snapshot->config, route);
    std::optional<std::string_view> credentials;
    if (head.has(wire::Header::authorization)) credentials = head.value(wire::Header::authorization);
    // Keys behind a URL and ended sessions are asked for, as the running gateway would have done.
    if (credentials && !route.auth.is_public) snapshot->issuers->settle(std::chrono::seconds(3));
    auth::TokenGate gate(snapshot->issuers);
    const auth::Decision decision =
        gate.check(credentials, route.auth, {head.path(), head.query()}, shared::system_now());
    if (!decision.allowed) return refused(decision.status, decision.reason);
    if (decision.identity)
        line("identity", "sub " + std::string(decision.identity->user_id()) + ", role " +
                             std::string(decision.identity->role()));
    line("answer", "goes to the target");
    return 0;
}

}  // namespace gateway
