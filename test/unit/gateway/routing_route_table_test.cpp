// Which route a request gets, over tables.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "gateway/routing/rewrite.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/wire/request_head.hpp"

using namespace gateway;
using routing::Outcome;
using wire::Method;

namespace {

config::Route make(std::string name, std::string path_or_prefix, bool exact,
                   std::vector<std::string> hosts = {}, std::vector<Method> methods = {},
                   std::vector<config::HeaderMatch> headers = {}) {
    config::Route route;
    route.name = std::move(name);
    if (exact)
        route.match.path = std::move(path_or_prefix);
    else
        route.match.prefix = std::move(path_or_prefix);
    route.match.hosts = std::move(hosts);
    if (!methods.empty()) {
        route.match.methods = {};
        for (const auto m : methods) route.match.methods.add(m);
    }
    route.match.headers = std::move(headers);
    return route;
}
config::Route exact(std::string name, std::string path, std::vector<std::string> hosts = {},
                    std::vector<Method> methods = {}, std::vector<config::HeaderMatch> headers = {}) {
    return make(std::move(name), std::move(path), true, std::move(hosts), std::move(methods),
                std::move(headers));
}
config::Route prefix(std::string name, std::string path, std::vector<std::string> hosts = {},
                     std::vector<Method> methods = {}, std::vector<config::HeaderMatch> headers = {}) {
    return make(std::move(name), std::move(path), false, std::move(hosts), std::move(methods),
                std::move(headers));
}

routing::RouteTable table(std::vector<config::Route> routes) {
    auto config = std::make_shared<config::Config>();
    config->routes = std::move(routes);
    return routing::RouteTable(std::move(config));
}

// The lines of a request with these headers.
struct Lines {
    explicit Lines(const std::string& headers = "")
        : text("GET / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n") {
        head.clear();
        REQUIRE(wire::read_request_head(text, {}, head).status == wire::ReadStatus::complete);
    }
    std::string text;
    wire::RequestHead head;
};

std::string name_of(const routing::RouteTable& routes, std::string_view path, Method method = Method::get,
                    std::string_view host = "h", const std::string& headers = "") {
    const Lines lines(headers);
    const auto match = routes.find(host, method, path, lines.head);
    switch (match.outcome) {
        case Outcome::found:
            return match.route->name;
        case Outcome::not_found:
            return "404";
        case Outcome::method_not_allowed:
            return "405 " + match.allowed.to_string();
        case Outcome::options:
            return "options " + match.allowed.to_string();
    }
    return "";
}

}  // namespace

TEST_CASE("an exact path comes before the longest prefix, prefixes end at a slash") {
    const auto routes =
        table({prefix("api", "/api"), prefix("acad", "/api/acad/"), exact("login", "/api/auth/login"),
               prefix("auth", "/api/auth"), exact("acad-exact", "/api/acad")});
    const std::vector<std::pair<const char*, const char*>> cases{
        {"/api", "api"},
        {"/api/", "api"},
        {"/api/x", "api"},
        {"/apix", "404"},
        {"/ap", "404"},
        {"/", "404"},
        {"/api/acad", "acad-exact"},
        {"/api/acad/", "acad"},
        {"/api/acad/ips", "acad"},
        {"/api/academy", "api"},
        {"/api/auth/login", "login"},
        {"/api/auth/login/", "auth"},
        {"/api/auth/loginx", "auth"},
        {"/API", "404"},
        {"/api/acad/ips/a/b/c/d/e", "acad"},
    };
    for (const auto& [path, expected] : cases) {
        INFO(path);
        CHECK(name_of(routes, path) == expected);
    }
}

TEST_CASE("the root prefix takes what nothing else does") {
    const auto routes = table({prefix("portal", "/"), prefix("api", "/api")});
    CHECK(name_of(routes, "/") == "portal");
    CHECK(name_of(routes, "/x/y") == "portal");
    CHECK(name_of(routes, "/api/x") == "api");
    CHECK(name_of(routes, "*", Method::options) == "options GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

TEST_CASE("without routes everything is unknown") {
    CHECK(name_of(table({}), "/") == "404");
}

TEST_CASE("the most specific path decides: another method is 405 there, not a wider rule") {
    const auto routes = table({exact("login", "/api/login", {}, {Method::post}), prefix("api", "/api"),
                               prefix("read", "/rows", {}, {Method::get, Method::head}),
                               prefix("write", "/rows", {}, {Method::post, Method::put})});
    CHECK(name_of(routes, "/api/login", Method::post) == "login");
    CHECK(name_of(routes, "/api/login", Method::get) == "405 POST");
    CHECK(name_of(routes, "/api/login", Method::options) == "options POST, OPTIONS");
    CHECK(name_of(routes, "/api/other", Method::options) == "api");
    CHECK(name_of(routes, "/rows/1", Method::get) == "read");
    CHECK(name_of(routes, "/rows/1", Method::put) == "write");
    CHECK(name_of(routes, "/rows/1", Method::del) == "405 GET, HEAD, POST, PUT");
}

TEST_CASE("hosts: named before wildcard before any, without regard to case") {
    const auto routes = table({prefix("any", "/"), prefix("exact", "/", {"a.example.org"}),
                               prefix("wild", "/", {"*.example.org"}),
                               prefix("deep", "/", {"*.b.example.org"}), exact("only", "/only", {"c.org"})});
    CHECK(name_of(routes, "/", Method::get, "a.example.org") == "exact");
    CHECK(name_of(routes, "/", Method::get, "A.Example.ORG") == "exact");
    CHECK(name_of(routes, "/", Method::get, "x.example.org") == "wild");
    CHECK(name_of(routes, "/", Method::get, "x.b.example.org") == "deep");
    CHECK(name_of(routes, "/", Method::get, "b.example.org") == "wild");
    CHECK(name_of(routes, "/", Method::get, "example.org") == "any");
    CHECK(name_of(routes, "/", Method::get, "notexample.org") == "any");
    CHECK(name_of(routes, "/", Method::get, "") == "any");
    CHECK(name_of(routes, "/only", Method::get, "c.org") == "only");
    CHECK(name_of(routes, "/other", Method::get, "c.org") == "any");
    CHECK(name_of(routes, "/", Method::get, std::string(400, 'a')) == "any");
}

TEST_CASE("header conditions choose among routes of one path; unmet ones leave the path to a wider route") {
    const auto routes =
        table({prefix("plain", "/x"), prefix("beta", "/x", {}, {}, {{"x-beta", "1"}}),
               prefix("both", "/x", {}, {}, {{"x-beta", "1"}, {"x-more", std::nullopt}}),
               exact("only", "/only", {}, {}, {{"x-beta", std::nullopt}}), prefix("root", "/")});
    CHECK(name_of(routes, "/x") == "plain");
    CHECK(name_of(routes, "/x", Method::get, "h", "X-Beta: 1\r\n") == "beta");
    CHECK(name_of(routes, "/x", Method::get, "h", "X-Beta: 2\r\n") == "plain");
    CHECK(name_of(routes, "/x", Method::get, "h", "X-Beta: 1\r\nX-More:\r\n") == "both");
    CHECK(name_of(routes, "/only", Method::get, "h", "X-Beta: y\r\n") == "only");
    CHECK(name_of(routes, "/only") == "root");
}

TEST_CASE("an unmet condition leaves the path to the next wider route, not to the widest") {
    // Whatever the order in the file.
    std::vector<config::Route> list{prefix("root", "/"), prefix("api", "/api"), prefix("admin", "/api/admin"),
                                    exact("report", "/api/admin/x", {}, {}, {{"x-report", std::nullopt}}),
                                    prefix("tools", "/api/admin/tools", {}, {}, {{"x-tools", "1"}}),
                                    // Beside the way from one to the next, whatever it begins with.
                                    prefix("adm", "/api/adm"), prefix("x", "/api/admin/x/y")};
    for (int order = 0; order < 2; ++order) {
        INFO(order);
        const auto routes = table(list);
        CHECK(name_of(routes, "/api/admin/x", Method::get, "h", "X-Report: 1\r\n") == "report");
        CHECK(name_of(routes, "/api/admin/x") == "admin");
        CHECK(name_of(routes, "/api/admin/tools/a", Method::get, "h", "X-Tools: 1\r\n") == "tools");
        CHECK(name_of(routes, "/api/admin/tools/a", Method::get, "h", "X-Tools: 2\r\n") == "admin");
        CHECK(name_of(routes, "/api/admin/tools") == "admin");
        CHECK(name_of(routes, "/api/other") == "api");
        std::reverse(list.begin(), list.end());
    }
    // A path and a prefix that are spelled alike: the path first, then the prefix.
    const auto same = table({prefix("wide", "/"), prefix("prefix", "/a/b"),
                             exact("path", "/a/b", {}, {}, {{"x-a", std::nullopt}})});
    CHECK(name_of(same, "/a/b", Method::get, "h", "X-A: 1\r\n") == "path");
    CHECK(name_of(same, "/a/b") == "prefix");
}

TEST_CASE("explain tells what was looked at and decides as find does") {
    const auto routes = table({exact("login", "/api/login", {}, {Method::post}), prefix("api", "/api")});
    const Lines lines;
    std::vector<std::string> why;
    CHECK(routes.explain("h", Method::get, "/api/login", lines.head, why).outcome ==
          Outcome::method_not_allowed);
    REQUIRE(why.size() == 2);
    CHECK(why[0] == "route \"login\": path /api/login fits, method does not (it takes POST)");
    CHECK(why[1] == "the path is known and its routes decide: 405, Allow: POST");
    why.clear();
    CHECK(routes.explain("h", Method::get, "/api/x", lines.head, why).route->name == "api");
    CHECK(why.back() == "route \"api\": prefix /api fits, method fits: chosen");
    why.clear();
    routes.explain("h", Method::get, "/", lines.head, why);
    CHECK(why.back() == "no route has this path: 404");
}

TEST_CASE("many routes: each is found, whatever the table's hash does") {
    std::vector<config::Route> list;
    for (int i = 0; i < 3000; ++i) {
        list.push_back(exact("e" + std::to_string(i), "/e/" + std::to_string(i)));
        list.push_back(prefix("p" + std::to_string(i), "/p/" + std::to_string(i)));
    }
    const auto routes = table(std::move(list));
    for (int i = 0; i < 3000; ++i) {
        REQUIRE(name_of(routes, "/e/" + std::to_string(i)) == "e" + std::to_string(i));
        REQUIRE(name_of(routes, "/p/" + std::to_string(i) + "/x") == "p" + std::to_string(i));
    }
    CHECK(name_of(routes, "/e/3000") == "404");
}

TEST_CASE("the upstream's path: prefixes are cut and put on segment boundaries") {
    struct Case {
        const char* strip;
        const char* add;
        const char* rewrite;
        const char* path;
        const char* expected;
    };
    const std::vector<Case> cases{
        {"", "", "", "/a/b", "/a/b"},           {"/api", "", "", "/api/x", "/x"},
        {"/api", "", "", "/api", "/"},          {"/api", "", "", "/apix", "/apix"},
        {"", "/v1", "", "/x", "/v1/x"},         {"", "/v1", "", "/", "/v1"},
        {"", "/v1/", "", "/x", "/v1/x"},        {"", "/v1/", "", "/", "/v1/"},
        {"/api", "/v1", "", "/api/x", "/v1/x"}, {"/api", "/v1", "", "/api", "/v1"},
        {"", "", "/health", "/a", "/health"},
    };
    for (const auto& c : cases) {
        INFO(c.strip << ' ' << c.add << ' ' << c.path);
        config::ClusterTarget target;
        target.strip_prefix = c.strip;
        target.add_prefix = c.add;
        target.rewrite_path = c.rewrite;
        std::string storage;
        CHECK(routing::upstream_path(target, c.path, storage) == c.expected);
    }
}

TEST_CASE("a redirect fills in host, path and query") {
    config::RedirectTarget target;
    target.location = "https://{host}{path}{query}#{x}";
    CHECK(routing::redirect_location(target, "h", "/a", "b=1", true) == "https://h/a?b=1#{x}");
    CHECK(routing::redirect_location(target, "h", "/a", "", false) == "https://h/a#{x}");
    target.location = "/new";
    CHECK(routing::redirect_location(target, "h", "/a", "b", true) == "/new");
}

TEST_CASE("a header condition is met by the whole value that goes on, not by one of its lines") {
    const auto routes = table({prefix("beta", "/", {}, {}, {{"x-beta", "1"}}),
                               prefix("any", "/a", {}, {}, {{"x-beta", {}}}), prefix("open", "/")});
    CHECK(name_of(routes, "/", Method::get, "h", "X-Beta: 1\r\n") == "beta");
    CHECK(name_of(routes, "/", Method::get, "h", "X-Beta: 1\r\nX-Beta: 2\r\n") == "open");
    CHECK(name_of(routes, "/", Method::get, "h", "X-Beta: 2\r\nX-Beta: 1\r\n") == "open");
    CHECK(name_of(routes, "/", Method::get, "h", "X-Beta: 1\r\nConnection: x-beta\r\n") == "open");
    CHECK(name_of(routes, "/a", Method::get, "h", "X-Beta: 2\r\nX-Beta: 1\r\n") == "any");
    CHECK(name_of(routes, "/a", Method::get, "h", "X-Beta: 2\r\nConnection: x-beta\r\n") == "open");
}

TEST_CASE("every spelling of a host leads to its routes") {
    const auto routes = table({prefix("admin", "/", {"admin.test"}), prefix("below", "/", {"*.low.test"}),
                               prefix("six", "/", {"[2001:db8::1]"}), prefix("four", "/", {"192.0.2.1"}),
                               prefix("open", "/")});
    const std::vector<std::pair<const char*, const char*>> cases{
        {"admin.test", "admin"},
        {"admin.test.", "admin"},
        {"ADMIN.test.", "admin"},
        {"x.low.test.", "below"},
        {"low.test.", "open"},
        {"[2001:db8::1]", "six"},
        {"[2001:DB8:0:0:0:0:0:1]", "six"},
        {"192.0.2.1", "four"},
        {"[::ffff:192.0.2.1]", "four"},
        {"[::1]", "open"},
    };
    for (const auto& [host, expected] : cases) {
        INFO(host);
        CHECK(name_of(routes, "/", Method::get, host) == expected);
    }
}
