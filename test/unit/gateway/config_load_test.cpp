// File and environment -> Config: defaults, references, and every problem told with its place.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "gateway/config/load.hpp"

using namespace gateway::config;
using namespace std::chrono_literals;

namespace {

Lookup environment(std::map<std::string, std::string> values = {}) {
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        const auto found = values.find(name);
        if (found == values.end()) return std::nullopt;
        return found->second;
    };
}

constexpr const char* kSecret = "0123456789abcdef0123456789abcdef";

// A file that is complete, with `extra` members in front.
std::string file(const std::string& extra, const std::string& route = "", const std::string& cluster = "",
                 const std::string& issuer = "") {
    return "{" + extra + R"(
 "listeners": [{"port": 0}],
 "issuers": [{"name": "i", "issuer": "iss", "audience": "aud",)" +
           issuer +
           R"( "keys": [{"secret": "0123456789abcdef0123456789abcdef"}]}],
 "clusters": [{"name": "c",)" +
           cluster + R"( "endpoints": ["a:1"]}],
 "rate_limits": [{"name": "slow", "key": ["address", "claim:sub", "header:X-Key", "route"], "requests": 5}],
 "routes": [{"name": "r", "match": {"prefix": "/r"}, "auth": "public",)" +
           route + R"( "target": {"cluster": "c"}}]
})";
}

bool told(const Loaded& loaded, const std::string& pointer, const std::string& part) {
    return std::any_of(loaded.problems.begin(), loaded.problems.end(), [&](const Problem& p) {
        return p.pointer == pointer && p.message.find(part) != std::string::npos;
    });
}

void check_problem(const std::string& text, const std::string& pointer, const std::string& part) {
    const auto loaded = parse(text, environment());
    INFO(text << "\n--- expected at " << pointer << ": " << part << "\n--- got:\n" << loaded.report("f"));
    CHECK_FALSE(loaded);
    CHECK(loaded.problems.size() == 1);
    CHECK(told(loaded, pointer, part));
}

}  // namespace

TEST_CASE("a small file gets all the defaults") {
    const auto loaded = parse(file(""), environment());
    INFO(loaded.report("f"));
    REQUIRE(loaded);
    const auto& config = *loaded.config;
    CHECK(config.listeners.at(0).address == "0.0.0.0");
    CHECK(config.listeners.at(0).port == 0);
    CHECK(config.client.head_timeout == 10s);
    CHECK(config.issuers.at(0).leeway == 30s);
    CHECK(config.issuers.at(0).claim_headers.size() == 4);
    CHECK(config.identity_headers() ==
          std::vector<std::string>{"x-user-id", "x-user-role", "x-user-nim", "x-session-id"});
    CHECK(config.clusters.at(0).endpoints.at(0).host == "a");
    CHECK(config.clusters.at(0).endpoints.at(0).port == 1);
    CHECK(config.clusters.at(0).pool.idle_timeout == 4s);
    CHECK(config.routes.at(0).limits.body_bytes == 1024 * 1024);
    CHECK(config.routes.at(0).match.methods == gateway::wire::MethodSet::all());
    CHECK(std::get<ClusterTarget>(config.routes.at(0).target).cluster_index == 0);
    CHECK(config.rate_limits.at(0).key.size() == 4);
    CHECK(config.rate_limits.at(0).key.at(2).name == "x-key");
}

TEST_CASE("references are resolved in strings, and in numbers and booleans given as strings") {
    const auto env = environment({{"PORT", "81"}, {"ON", "false"}, {"HOSTS", "b:2, c:3"}, {"EMPTY", ""}});
    const auto loaded = parse(
        file(R"("workers": "${PORT}", "access_log": {"enabled": "${ON}", "path": "$${x}-${EMPTY:-e}"},)", "",
             R"("health": {"path": "/${PORT}/${NONE:-h}"},)"),
        env);
    INFO(loaded.report("f"));
    REQUIRE(loaded);
    CHECK(loaded.config->workers == 81);
    CHECK_FALSE(loaded.config->access_log.enabled);
    CHECK(loaded.config->access_log.path == "${x}-e");
    CHECK(loaded.config->clusters.at(0).health.path == "/81/h");
}

TEST_CASE("one variable may hold several endpoints") {
    auto text = file("");
    text.replace(text.find("\"a:1\""), 5, R"("${HOSTS}", {"address": "[::1]:4", "weight": 3}, "d")");
    const auto loaded = parse(text, environment({{"HOSTS", "b:2, c:3"}}));
    INFO(loaded.report("f"));
    REQUIRE(loaded);
    const auto& endpoints = loaded.config->clusters.at(0).endpoints;
    REQUIRE(endpoints.size() == 4);
    CHECK(endpoints[1].host == "c");
    CHECK(endpoints[1].port == 3);
    CHECK(endpoints[2].host == "::1");
    CHECK(endpoints[2].weight == 3);
    CHECK(endpoints[3].port == 80);
}

TEST_CASE("each mistake is told once, with its place") {
    const auto route = [](const std::string& members) {
        return R"({"listeners": [{}], "clusters": [{"name": "c", "endpoints": ["a:1"]}], "routes": [{"name": "r", )" +
               members + "}]}";
    };
    const std::string match = R"("match": {"path": "/r"})";
    const std::string target = R"("target": {"cluster": "c"})";
    check_problem(file(R"("workes": 1,)"), "/workes", "did you mean \"workers\"");
    check_problem(file(R"("workers": -1,)"), "/workers", "from 0 to 1024");
    check_problem(file(R"("workers": 1.5,)"), "/workers", "whole number");
    check_problem(file(R"("workers": "two",)"), "/workers", "whole number");
    check_problem(file(R"("workers": true,)"), "/workers", "whole number");
    check_problem(file(R"("workers": "${NOPE}",)"), "/workers", "NOPE is not set");
    check_problem(file(R"("workers": "$NOPE",)"), "/workers", "write ${NAME}");
    check_problem(file(R"("workers": "${A B}",)"), "/workers", "not the name");
    check_problem(file(R"("admin": [],)"), "/admin", "must be an object");
    check_problem(file(R"("admin": {"address": "localhost"},)"), "/admin/address", "not an IP address");
    check_problem(file(R"("admin": {"enabled": 1},)"), "/admin/enabled", "true or false");
    check_problem(file(R"("forwarding": {"trusted_proxies": "10.0.0.0/8"},)"), "/forwarding/trusted_proxies",
                  "array of strings");
    check_problem(file(R"("forwarding": {"trusted_proxies": ["10.0.0.0/8, x"]},)"),
                  "/forwarding/trusted_proxies", "\"x\" is not an address");
    check_problem(file(R"("client": {"max_headers": 101},)"), "/client/max_headers", "to 100");
    check_problem(file(R"("client": {"head_timeout": 5},)"), "/client/head_timeout", "\"head_timeout_ms\"");
    // routes
    check_problem(route(match + ", " + target), "/routes/0/auth", "is missing");
    check_problem(route(match + R"(, "auth": "open", )" + target), "/routes/0/auth", "must be \"public\"");
    check_problem(route(match + R"(, "auth": "token", )" + target), "/routes/0/auth", "needs an issuer");
    check_problem(route(match + R"(, "auth": {"roles": ["admin"]}, )" + target), "/routes/0/auth",
                  "needs an issuer");
    check_problem(route(match + R"(, "auth": 1, )" + target), "/routes/0/auth", "must be an object");
    check_problem(route(match + R"(, "auth": "public")"), "/routes/0/target", "is missing");
    check_problem(route(match + R"(, "auth": "public", "target": {})"), "/routes/0/target", "exactly one");
    check_problem(route(match + R"(, "auth": "public", "target": {"cluster": "c", "builtin": "health"})"),
                  "/routes/0/target", "exactly one");
    check_problem(route(match + R"(, "auth": "public", "target": {"cluster": "d"})"),
                  "/routes/0/target/cluster", "no cluster is called \"d\"; there is c");
    check_problem(route(match + R"(, "auth": "public", "target": {"builtin": "no"})"),
                  "/routes/0/target/builtin", "none of \"health\"");
    check_problem(route(R"("match": {}, "auth": "public", )" + target), "/routes/0/match",
                  "exactly one of path");
    check_problem(route(R"("match": {"path": "/a", "prefix": "/b"}, "auth": "public", )" + target),
                  "/routes/0/match", "exactly one of path");
    check_problem(route(R"("match": {"path": "a"}, "auth": "public", )" + target), "/routes/0/match/path",
                  "not a path");
    check_problem(route(R"("match": {"path": "/a//b"}, "auth": "public", )" + target), "/routes/0/match/path",
                  "canonical form is \"/a/b\"");
    check_problem(route(R"("match": {"path": "/%61"}, "auth": "public", )" + target), "/routes/0/match/path",
                  "canonical form is \"/a\"");
    check_problem(route(R"("match": {"path": "/a", "methods": ["get"]}, "auth": "public", )" + target),
                  "/routes/0/match/methods", "\"get\" is not one of GET");
    check_problem(route(R"("match": {"path": "/a", "hosts": ["a:80"]}, "auth": "public", )" + target),
                  "/routes/0/match/hosts", "no port");
    check_problem(file("", R"("limits": {"rate_limits": ["fast"]},)"), "/routes/0/limits/rate_limits",
                  "no rate limit is called \"fast\"; there is slow");
    check_problem(file("", R"("cors": {"origins": ["*"], "credentials": true},)"),
                  "/routes/0/cors/credentials", "must be false");
    check_problem(file("", R"("cors": {"origins": ["example.org"]},)"), "/routes/0/cors/origins",
                  "not an origin");
    check_problem(file("", R"("response_headers": [{"name": "A B"}],)"), "/routes/0/response_headers/0/name",
                  "not a header name");
    check_problem(file("", R"("response_headers": [{"name": "A", "value": "b\nc"}],)"),
                  "/routes/0/response_headers/0/value", "control characters");
    check_problem(file("", R"("request_headers": [{"name": "X-User-Id", "value": "1"}],)"),
                  "/routes/0/request_headers/0/name", "gateway alone");
    check_problem(file("", R"("request_headers": [{"name": "Transfer-Encoding", "value": "x"}],)"),
                  "/routes/0/request_headers/0/name", "gateway alone");
    // clusters and issuers
    check_problem(file("", "", R"("balancer": "random",)"), "/clusters/0/balancer",
                  "none of \"round_robin\"");
    check_problem(file("", "", R"("hash_on": "cookie:x",)"), "/clusters/0/hash_on", "client_address");
    check_problem(file("", "", R"("retry": {"on_status": [404]},)"), "/clusters/0/retry/on_status/0",
                  "500 to 599");
    check_problem(file("", "", R"("in_flight": {"queue": 5},)"), "/clusters/0/in_flight/queue", "needs max");
    check_problem(file("", "", R"("health": {"host": "a\r\nX-Evil: 1"},)"), "/clusters/0/health/host",
                  "must be a host name");
    check_problem(file("", "", "", R"("realm": "a\nb",)"), "/issuers/0/realm", "control characters");
    check_problem(file("", "", "", R"("leeway_s": 301,)"), "/issuers/0/leeway_s", "to 300");
    check_problem(file("", "", "", R"("jwks": {},)"), "/issuers/0/jwks", "exactly one of url and file");
    check_problem(file("", "", "", R"("jwks": {"url": "http://a/", "file": "b"},)"), "/issuers/0/jwks",
                  "exactly one of url and file");
    check_problem(file("", "", "", R"("revocations": {"url": "auth:1"},)"), "/issuers/0/revocations/url",
                  "http://");
    check_problem(file("", "", "", R"("claim_headers": [{"claim": "sub", "header": "X_User"}],)"),
                  "/issuers/0/claim_headers/0/header", "'_'");
    check_problem(R"({"listeners": [{}]})", "/routes", "at least one route");
    check_problem("[]", "", "must be an object");
}

TEST_CASE("with several issuers a route says whose tokens it takes") {
    const auto with = [](const std::string& second, const std::string& auth) {
        auto text = file("");
        text.replace(text.find("\"public\""), 8, auth);
        return text.replace(text.find("\"issuers\": ["), 12,
                            R"("issuers": [{"audience": "aud", "keys": [{"secret":
             "0123456789abcdef0123456789abcdef"}], )" +
                                second + "},");
    };
    const std::string other = R"("name": "j", "issuer": "jss")";
    check_problem(with(other, R"("token")"), "/routes/0/auth", "must name its issuer: there are several");
    check_problem(with(other, R"({"roles": ["admin"]})"), "/routes/0/auth",
                  "must name its issuer: there are several");
    check_problem(with(other, R"({"issuer": "k"})"), "/routes/0/auth",
                  "no issuer is called \"k\"; there is j, i");
    const auto loaded = parse(with(other, R"({"issuer": "i"})"), environment());
    INFO(loaded.report("f"));
    REQUIRE(loaded);
    CHECK(loaded.config->routes.at(0).auth.issuer_index == 1);
    CHECK(parse(with(other, R"("public")"), environment()));
    // Which keys a token is checked with must never depend on the order of the issuers.
    check_problem(with(R"("name": "j", "issuer": "iss")", R"({"issuer": "i"})"), "/issuers/1/issuer",
                  "issuer \"j\" has the same iss");
    check_problem(with(R"("name": "i", "issuer": "jss")", R"({"issuer": "i"})"), "/issuers/1/name",
                  "another issuer is called \"i\" too");
}

TEST_CASE("NAME is the variable, or the file that NAME_FILE names, without one newline at its end") {
    char path[] = "/tmp/gateway-config-XXXXXX";
    const int descriptor = ::mkstemp(path);
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
    const std::string name = "GATEWAY_CONFIG_TEST_VALUE";
    const std::string name_file = name + "_FILE";
    const auto holding = [&](const std::string& bytes) {
        std::ofstream(path, std::ios::binary) << bytes;
        return process_environment()(name);
    };
    ::unsetenv(name.c_str());
    ::setenv(name_file.c_str(), path, 1);
    CHECK(holding("secret\n") == "secret");
    CHECK(holding("secret") == "secret");
    CHECK(holding("secret\n\n") == "secret\n");
    CHECK(holding("se\ncret \n") == "se\ncret ");
    CHECK(holding("\n") == "");
    CHECK(holding("") == "");
    CHECK(holding(std::string("a\0b", 3)) == std::string("a\0b", 3));
    ::setenv(name.c_str(), "", 1);  // as where a container's file names it without a value
    CHECK(holding("secret\n") == "secret");
    ::setenv(name.c_str(), "first", 1);
    CHECK(holding("secret\n") == "first");
    ::unsetenv(name.c_str());
    ::setenv(name_file.c_str(), "", 1);
    CHECK(process_environment()(name) == std::nullopt);
    ::setenv(name_file.c_str(), "/nonexistent/secret", 1);
    CHECK(process_environment()(name) == std::nullopt);
    ::unsetenv(name_file.c_str());
    CHECK(process_environment()(name) == std::nullopt);
    std::remove(path);
}

TEST_CASE("claims: exactly one way to compare") {
    const auto with = [](const std::string& rule) {
        auto text = file("");
        return text.replace(text.find("\"public\""), 8, R"({"claims": [{"claim": "nim")" + rule + "}]}");
    };
    check_problem(with(""), "/routes/0/auth/claims/0", "exactly one");
    check_problem(with(R"(, "equals_query": "nim", "equals": ["1"])"), "/routes/0/auth/claims/0",
                  "exactly one");
    const auto loaded =
        parse(with(R"(, "equals_path_segment": 3, "unless_roles": ["admin"])"), environment());
    REQUIRE(loaded);
    const auto& rule = loaded.config->routes.at(0).auth.claims.at(0);
    CHECK(rule.against == ClaimRule::Against::path_segment);
    CHECK(rule.path_segment == 3);
    CHECK(loaded.config->routes.at(0).auth.issuer == "i");
    CHECK_FALSE(loaded.config->routes.at(0).auth.is_public);
}

TEST_CASE("a missing, empty or short secret is named, its value never shown") {
    const auto with = [](const std::string& key) {
        auto text = file("");
        const std::string good = R"("secret": "0123456789abcdef0123456789abcdef")";
        return text.replace(text.find(good), good.size(), key);
    };
    auto loaded = parse(with(R"("secret": "${JWT_SECRET}")"), environment());
    CHECK(told(loaded, "/issuers/0/keys/0/secret", "environment variable JWT_SECRET is not set"));
    loaded = parse(with(R"("secret": "${JWT_SECRET}")"), environment({{"JWT_SECRET", "topsecret"}}));
    CHECK(told(loaded, "/issuers/0/keys/0/secret", "JWT_SECRET is 9 bytes long, at least 32 are needed"));
    CHECK(loaded.report("f").find("topsecret") == std::string::npos);
    loaded = parse(with(R"("secret": "")"), environment());
    CHECK(told(loaded, "/issuers/0/keys/0/secret", "is missing"));
    loaded = parse(with(R"("kid": "x")"), environment());
    CHECK(told(loaded, "/issuers/0/keys/0/secret", "is missing"));
    loaded = parse(with(R"("algorithm": "ES256")"), environment());
    CHECK(told(loaded, "/issuers/0/keys/0/public_key", "is missing"));
    loaded = parse(with(R"("algorithm": "hs256")"), environment());
    CHECK(told(loaded, "/issuers/0/keys/0/algorithm", "none of \"HS256\""));
}

TEST_CASE("all mistakes of a file come at once, each with its line") {
    const std::string text = R"({
  "listeners": [
    {"port": 70000}
  ],
  "workers": "x",
  "colour": "red",
  "clusters": [
    {
      "name": "a",
      "endpoints": ["b:0"]
    },
    {"name": "a", "endpoints": ["b"]}
  ],
  "routes": [
    {"name": "r", "match": {"path": "/a"},
     "auth": "public",
     "target": {"cluster": "a",
                "strip_prefix": "x"}},
    {"name": "s", "match": {"path": "/a"}, "auth": "public", "target": {"cluster": "a"}}
  ]
})";
    const auto loaded = parse(text, environment());
    CHECK(loaded.report("gw.json") ==
          "gw.json:3: /listeners/0/port must be a whole number from 0 to 65535\n"
          "gw.json:5: /workers must be a whole number from 0 to 1024\n"
          "gw.json:10: /clusters/0/endpoints/0 \"b:0\" is not \"host:port\" (or several with commas)\n"
          "gw.json:12: /clusters/1/name another cluster is called \"a\" too\n"
          "gw.json:18: /routes/0/target/strip_prefix \"x\" is not a path (it starts with '/' and is "
          "percent-encoded)\n"
          "gw.json:19: /routes/1/match can never be reached: route \"r\" takes the same requests\n"
          "gw.json:6: /colour is not a known key\n");
}

TEST_CASE("what is no JSON is told with its line") {
    auto loaded = parse("{\n\"a\": 1,\n}", environment());
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].line == 3);
    loaded = parse(R"({"listeners": [], "listeners": []})", environment());
    REQUIRE(loaded.problems.size() == 1);
    CHECK_FALSE(loaded.problems[0].message.empty());
    CHECK_FALSE(load_file("/nonexistent/gateway.json", environment()));
}

TEST_CASE("headers for every answer are added to each route that does not set its own") {
    const auto loaded =
        parse(file(R"("response_headers": [{"name": "X-A", "value": "1"}, {"name": "X-B", "value": "1"}],)",
                   R"("response_headers": [{"name": "x-a", "value": "2"}],)"),
              environment());
    INFO(loaded.report("f"));
    REQUIRE(loaded);
    const auto& headers = loaded.config->routes.at(0).response_headers;
    REQUIRE(headers.size() == 2);
    CHECK(headers[0].value == "2");
    CHECK(headers[1].name == "X-B");
}

TEST_CASE("a shown configuration holds no secret and can be read again") {
    const auto loaded =
        parse(file("", "", "", R"("revocations": {"url": "http://a:1/x", "token": "tokentokentokentoken"},)"),
              environment());
    INFO(loaded.report("f"));
    REQUIRE(loaded);
    auto text = dump(*loaded.config);
    CHECK(text.find(kSecret) == std::string::npos);
    CHECK(text.find("tokentoken") == std::string::npos);
    for (auto at = text.find("\"***\""); at != std::string::npos; at = text.find("\"***\""))
        text.replace(at, 5, "\"" + std::string(kSecret) + "\"");
    const auto again = parse(text, environment());
    INFO(again.report("dump"));
    REQUIRE(again);
    CHECK(dump(*again.config) == dump(*loaded.config));
}
