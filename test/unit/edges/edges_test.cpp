// What is open in a service is public at the edges, and the reverse; what guesses secrets is limited there.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "gateway/config/load.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/wire/request_head.hpp"
#include "services/acad/api/endpoints.hpp"
#include "services/auth/api/endpoints.hpp"
#include "test/unit/edges/nginx_locations.hpp"

namespace {

namespace config = gateway::config;
namespace wire = gateway::wire;

// A row of a service's table, as an edge has to see it.
struct Row {
    std::string service;
    std::string method;
    std::string path;  // with something in the place of each parameter
    bool open = false;
    bool sign_in = false;
};

std::string filled(std::string_view pattern) {
    std::string path;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        path += pattern[i] == '{' ? 'x' : pattern[i];
        if (pattern[i] == '{') i = pattern.find('}', i);
    }
    return path;
}

template <class Table>
void add_rows(std::vector<Row>& rows, const std::string& service, const Table& table) {
    for (const auto& row : table)
        rows.push_back({service, std::string(row.method), filled(row.pattern), !row.access.needs_token(),
                        row.rules.rate == shared::http::Rate::sign_in});
}

std::vector<Row> all_rows() {
    std::vector<Row> rows;
    add_rows(rows, "auth", auth::api::kEndpoints);
    add_rows(rows, "acad", acad::api::endpoints());
    return rows;
}

std::string source_file(const std::string& name) {
    std::ifstream in(std::string(SOURCE_DIR) + "/" + name);
    std::stringstream text;
    text << in.rdbuf();
    REQUIRE_FALSE(text.str().empty());
    return text.str();
}

std::shared_ptr<const config::Config> shipped() {
    const auto loaded = config::parse(source_file("deploy/config/gateway.json"),
                                      [](const std::string& name) -> std::optional<std::string> {
                                          if (name == "JWT_SECRET") return "0123456789abcdef0123456789abcdef";
                                          return std::nullopt;
                                      });
    INFO(loaded.report("gateway.json"));
    REQUIRE(loaded);
    return loaded.config;
}

// Of the gateway: the route to a service, if that is where the request goes.
const config::Route* route_of(const gateway::routing::RouteTable& routes, const Row& row) {
    const auto method = wire::parse_method(row.method);
    REQUIRE(method);
    const auto match = routes.find("localhost", *method, row.path, wire::RequestHead());
    const bool to_service = match.outcome == gateway::routing::Outcome::found &&
                            std::holds_alternative<config::ClusterTarget>(match.route->target);
    return to_service ? match.route : nullptr;
}

// What is for clients at all. The rest (/health, /metrics, /internal) is on the service's own port.
bool for_clients(const Row& row) {
    return row.path.starts_with("/api/") || row.path.starts_with("/.well-known/");
}

}  // namespace

TEST_CASE("an endpoint is public at the gateway exactly if it is open in its service") {
    const auto settings = shipped();
    const gateway::routing::RouteTable routes(settings);
    for (const Row& row : all_rows()) {
        INFO(row.method << " " << row.path);
        const config::Route* route = route_of(routes, row);
        CHECK((route != nullptr) == for_clients(row));
        if (route == nullptr) continue;
        CHECK(std::get<config::ClusterTarget>(route->target).cluster == row.service);
        CHECK(route->auth.is_public == row.open);
    }
}

TEST_CASE("what the gateway lets through without a token is an open endpoint, or OPTIONS") {
    const auto rows = all_rows();
    const auto settings = shipped();
    for (const config::Route& route : settings->routes) {
        if (!route.auth.is_public || !std::holds_alternative<config::ClusterTarget>(route.target)) continue;
        INFO("route " << route.name);
        for (unsigned i = 0; i < wire::kMethodCount; ++i) {
            const auto method = static_cast<wire::Method>(i);
            if (!route.match.methods.has(method) || method == wire::Method::options) continue;
            INFO(wire::to_string(method));
            // HEAD goes where GET goes.
            const auto name = method == wire::Method::head ? "GET" : std::string(wire::to_string(method));
            const bool known = route.match.path && std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
                                   return row.open && row.method == name && row.path == *route.match.path;
                               });
            CHECK(known);
        }
    }
}

TEST_CASE("an endpoint that guesses secrets or hashes passwords has a rate limit at the gateway") {
    const auto settings = shipped();
    const gateway::routing::RouteTable routes(settings);
    std::size_t limited = 0;
    for (const Row& row : all_rows()) {
        if (!row.sign_in) continue;
        INFO(row.method << " " << row.path);
        const config::Route* route = route_of(routes, row);
        REQUIRE(route != nullptr);
        CHECK_FALSE(route->limits.rate_limits.empty());
        ++limited;
    }
    CHECK(limited >= 3);
}

TEST_CASE("who has a token is counted for itself, and one address's sign-ins are not another's refreshes") {
    using Kind = config::RateLimit::KeyPart::Kind;
    const auto settings = shipped();
    const gateway::routing::RouteTable routes(settings);
    const auto has = [](const config::RateLimit& limit, Kind kind) {
        return std::any_of(limit.key.begin(), limit.key.end(),
                           [&](const auto& part) { return part.kind == kind; });
    };
    for (const Row& row : all_rows()) {
        const config::Route* route = route_of(routes, row);
        if (route == nullptr || row.open) continue;
        INFO(row.method << " " << row.path);
        bool by_user = false;
        for (const std::size_t index : route->limits.rate_limits) {
            const config::RateLimit& limit = settings->rate_limits[index];
            // A thousand students may share one address.
            CHECK_FALSE(has(limit, Kind::address));
            by_user = by_user || (limit.key.size() == 1 && limit.key[0].name == "sub");
        }
        CHECK(by_user);
        const bool costly = row.path.find("/impor") != std::string::npos ||
                            row.path.find("/ekspor") != std::string::npos || row.path.ends_with("/password");
        CHECK((route->limits.rate_limits.size() > 1) == costly);
    }
    std::set<std::string> policies;
    for (const char* path : {"/api/auth/login", "/api/auth/register", "/api/auth/refresh"}) {
        const config::Route* route = route_of(routes, {"auth", "POST", path});
        REQUIRE(route != nullptr);
        REQUIRE(route->limits.rate_limits.size() == 1);
        const config::RateLimit& limit = settings->rate_limits[route->limits.rate_limits[0]];
        CHECK(has(limit, Kind::address));
        CHECK(limit.burst >= 300);
        policies.insert(limit.name);
    }
    CHECK(policies.size() == 3);
}

TEST_CASE("nginx asks for a token, limits and routes as the services' tables say") {
    const test::NginxLocations nginx(source_file("deploy/config/nginx.conf"));
    for (const Row& row : all_rows()) {
        INFO(row.method << " " << row.path);
        const auto* location = nginx.find(row.path);
        REQUIRE(location != nullptr);
        CHECK(location->proxied() == for_clients(row));
        if (!location->proxied()) continue;
        CHECK(location->has("proxy_pass $" + row.service));
        CHECK(location->asks_for_token() != row.open);
        if (row.sign_in) CHECK(location->limited());
    }
}

TEST_CASE("what nginx lets through without a token is an open endpoint") {
    const test::NginxLocations nginx(source_file("deploy/config/nginx.conf"));
    const auto rows = all_rows();
    std::size_t open = 0;
    for (const auto& location : nginx.all()) {
        if (!location.proxied() || location.asks_for_token() || location.has("internal;")) continue;
        INFO(location.pattern);
        // A prefix would be open for all that comes later, too.
        CHECK(location.kind != test::NginxLocations::Location::Kind::prefix);
        CHECK(std::any_of(rows.begin(), rows.end(),
                          [&](const Row& row) { return row.open && nginx.find(row.path) == &location; }));
        ++open;
    }
    CHECK(open >= 5);
}

TEST_CASE(
    "of nginx's locations the exact one comes first, then a regular expression, then the longest prefix") {
    const test::NginxLocations nginx(
        "    # location = /no { proxy_pass $x; }\n"
        "    location = /a/b { one; }\n    location /a { two; }\n"
        "    location ~ ^/a/(b|c)$ { limit_req zone=z; return 200 '}'; }\n    location /a/long { if (x) { "
        "four; } }\n"
        "    location @named { five; }\n");
    CHECK(nginx.all().size() == 4);
    CHECK(nginx.find("/a/b")->has("one"));
    CHECK(nginx.find("/a/c")->limited());
    CHECK(nginx.find("/a/d")->has("two"));
    CHECK(nginx.find("/a/longer")->has("four"));
    CHECK(nginx.find("/no") == nullptr);
}
