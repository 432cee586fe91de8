// The two edges agree: what gateway.json and nginx.conf let through without a token is what the services'
// documents say needs none, and both count the same calls as signing in.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "gateway/config/load.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/wire/request_head.hpp"
#include "test/unit/gateway/source_file.hpp"

using namespace gateway;

namespace {

struct Call {
    std::string method;
    std::string path;   // of the document, with an "x" for each parameter
    bool open = false;  // `security: []`
};

// The calls below /api and /.well-known: the others are for operators, and no edge leads to them.
std::vector<Call> described(const std::string& service) {
    static const std::regex path_line("  (/[^ ]*):");
    static const std::regex method_line("    (get|post|put|patch|delete):");
    std::istringstream document(test::source_file("docs/openapi/" + service + ".yaml"));
    std::vector<Call> calls;
    std::string path;
    std::smatch found;
    for (std::string line; std::getline(document, line);) {
        if (line == "components:") break;
        if (std::regex_match(line, found, path_line)) {
            path = std::regex_replace(found[1].str(), std::regex(R"(\{[^}]*\})"), "x");
        } else if (std::regex_match(line, found, method_line)) {
            auto method = found[1].str();
            std::transform(method.begin(), method.end(), method.begin(),
                           [](char c) { return static_cast<char>(c - 'a' + 'A'); });
            if (path.starts_with("/api/") || path.starts_with("/.well-known/"))
                calls.push_back({method, path});
        } else if (line == "      security: []" && !calls.empty() && calls.back().path == path) {
            calls.back().open = true;
        }
    }
    return calls;
}

// What an edge asks of a call.
struct Asked {
    bool token = false;
    bool sign_in = false;  // it counts against the limit of signing in
};

std::shared_ptr<const config::Config> shipped() {
    const auto loaded = config::parse(
        test::source_file("deploy/config/gateway.json"),
        [](const std::string& name) -> std::optional<std::string> {
            return name == "JWT_SECRET" ? std::optional<std::string>("0123456789abcdef0123456789abcdef")
                                        : std::nullopt;
        });
    INFO(loaded.report("gateway.json"));
    REQUIRE(loaded);
    return loaded.config;
}

Asked by_gateway(const routing::RouteTable& table, const Call& call) {
    wire::RequestHead head;
    head.clear();
    const auto text = call.method + ' ' + call.path + " HTTP/1.1\r\nHost: h\r\n\r\n";
    REQUIRE(wire::read_request_head(text, {}, head).status == wire::ReadStatus::complete);
    const auto match = table.find(head.host(), head.method(), head.path(), head);
    REQUIRE(match.outcome == routing::Outcome::found);
    return {!match.route->auth.is_public, !match.route->limits.rate_limits.empty()};
}

struct Location {
    std::string kind;  // "=", "~" or "" for a prefix
    std::string pattern;
    std::string body;
};

std::vector<Location> locations() {
    static const std::regex begin(R"( {8}location (?:([=~]) )?(/[^ ]*|\^[^ ]*) \{(.*))");
    std::istringstream file(test::source_file("deploy/config/nginx.conf"));
    std::vector<Location> all;
    std::smatch found;
    for (std::string line; std::getline(file, line);) {
        if (!std::regex_match(line, found, begin)) continue;
        Location location{found[1].str(), found[2].str(), found[3].str()};
        if (!location.body.ends_with('}'))
            while (std::getline(file, line) && line != "        }") location.body += line + '\n';
        all.push_back(std::move(location));
    }
    return all;
}

// As nginx chooses: an exact one, else the first expression that fits, else the longest prefix.
Asked by_nginx(const std::vector<Location>& all, const std::string& path) {
    const Location* chosen = nullptr;
    for (const auto& location : all)
        if (location.kind.empty() && path.starts_with(location.pattern) &&
            (!chosen || location.pattern.size() > chosen->pattern.size()))
            chosen = &location;
    const auto expression = std::find_if(all.begin(), all.end(), [&](const auto& location) {
        return location.kind == "~" && std::regex_search(path, std::regex(location.pattern));
    });
    if (expression != all.end()) chosen = &*expression;
    for (const auto& location : all)
        if (location.kind == "=" && location.pattern == path) chosen = &location;
    REQUIRE(chosen);
    const auto says = [&](const char* text) { return chosen->body.find(text) != std::string::npos; };
    CHECK(says("proxy_pass"));
    return {says("auth_request /_verify;"), says("limit_req zone=sign_in ")};
}

}  // namespace

TEST_CASE("without a token both edges let through what the documents call open, and nothing else") {
    const routing::RouteTable table(shipped());
    const auto nginx = locations();
    std::size_t open = 0;
    std::size_t all = 0;
    for (const char* service : {"auth", "acad"})
        for (const auto& call : described(service)) {
            INFO(call.method << ' ' << call.path);
            const auto asked = by_gateway(table, call);
            // It looks at the token itself, to say what is wrong with it.
            if (call.path != "/api/auth/verify") CHECK(asked.token != call.open);
            const auto other = by_nginx(nginx, call.path);
            CHECK(asked.token == other.token);
            CHECK(asked.sign_in == other.sign_in);
            open += call.open ? 1 : 0;
            ++all;
        }
    CHECK(open > 5);
    CHECK(all > 40);
}
