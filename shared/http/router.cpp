#include "shared/http/router.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "shared/http/uri.hpp"

namespace shared::http {

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    // Route and the names of its parameters, in the order of their segments.
    std::vector<std::pair<Route, std::vector<std::string>>> routes;
};

namespace {

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    if (path.starts_with('/')) path.remove_prefix(1);
    while (true) {
        const auto slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;

void Router::add(std::string_view method, std::string_view pattern, Access access, Handler handler,
                 RouteRules rules) {
    Node* node = root_.get();
    std::vector<std::string> names;
    for (const auto segment : split(pattern)) {
        auto* next = &node->parameter;
        if (segment.starts_with('{') && segment.ends_with('}'))
            names.emplace_back(segment.substr(1, segment.size() - 2));
        else
            next = &node->literals[std::string(segment)];
        if (!*next) *next = std::make_unique<Node>();
        node = next->get();
    }
    for (const auto& [route, unused] : node->routes)
        if (route.method == method)
            throw std::logic_error("the route " + std::string(method) + " " + std::string(pattern) +
                                   " is there twice");
    node->routes.emplace_back(
        Route{std::string(method), std::string(pattern), access, std::move(handler), rules},
        std::move(names));
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
    const Node* node = root_.get();
    std::vector<std::string> values;
    for (const auto segment : split(path)) {
        const auto decoded = percent_decode(segment);
        if (!decoded) return {};
        if (const auto literal = node->literals.find(*decoded); literal != node->literals.end()) {
            node = literal->second.get();
        } else if (node->parameter && !decoded->empty()) {
            node = node->parameter.get();
            values.push_back(*decoded);
        } else {
            return {};
        }
    }
    Match match;
    const std::string_view wanted = method == "HEAD" ? std::string_view("GET") : method;
    std::vector<std::string> allowed;
    for (const auto& [route, names] : node->routes) {
        allowed.push_back(route.method);
        if (route.method == "GET") allowed.emplace_back("HEAD");
        if (route.method != wanted) continue;
        match.route = &route;
        for (std::size_t i = 0; i < names.size(); ++i) match.params.emplace_back(names[i], values[i]);
    }
    if (!allowed.empty()) allowed.emplace_back("OPTIONS");
    std::sort(allowed.begin(), allowed.end());
    for (const auto& name : allowed) match.allow += (match.allow.empty() ? "" : ", ") + name;
    return match;
}

}  // namespace shared::http
