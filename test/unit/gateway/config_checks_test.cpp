// What concerns more than one key, the form of a text, and what a text is turned into: each with the value
// that is just good and the one that is not.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "gateway/config/load.hpp"

using namespace gateway::config;

namespace {

constexpr const char* kSecret = "0123456789abcdef0123456789abcdef";

// A complete file; `parts` are members of one of its objects: "root", "listener", "issuer", "key", "cluster",
// "endpoint", "limit", "route", "match" (instead of its prefix), "target" (instead of its cluster).
std::string file(const std::map<std::string, std::string>& parts) {
    const auto part = [&](const std::string& name, const std::string& otherwise = "") {
        const auto given = parts.find(name);
        if (given == parts.end()) return otherwise;
        return given->second + (otherwise.empty() && !given->second.empty() ? ", " : "");
    };
    return "{" + part("root") + R"("listeners": [{)" + part("listener") + R"("port": 1}], "issuers": [{)" +
           part("issuer") + R"("issuer": "i", "audience": "a", "keys": [{)" +
           part("key", R"("secret": ")" + std::string(kSecret) + '"') + R"(}]}], "clusters": [{)" +
           part("cluster") + R"("name": "c", "endpoints": [)" + part("endpoint", R"("a")") +
           R"(]}], "rate_limits": [{)" + part("limit") + R"("name": "l", "requests": 1}], "routes": [{)" +
           part("route") + R"("name": "r", "match": {)" + part("match", R"("prefix": "/r")") +
           R"(}, "auth": "public", "target": {)" + part("target", R"("cluster": "c")") + "}}]}";
}

Loaded read(const std::string& text) {
    return parse(text, [](const std::string& name) -> std::optional<std::string> {
        if (name == "EMPTY") return "";
        return std::nullopt;
    });
}

Config good(const std::map<std::string, std::string>& parts) {
    const auto text = file(parts);
    const auto loaded = read(text);
    INFO(text << '\n' << loaded.report("f"));
    REQUIRE(loaded);
    return *loaded.config;
}

struct Case {
    std::map<std::string, std::string> right;
    std::map<std::string, std::string> wrong;
    std::string pointer;
    std::string reason;
};

std::string letters(std::size_t count) {
    return '"' + std::string(count, 'a') + '"';
}

}  // namespace

TEST_CASE("checks between keys and of a text's form: what is just right, and what is not") {
    const std::vector<Case> cases{
        {{{"root", R"("client": {"max_head_bytes": 2048, "max_target_bytes": 2048})"}},
         {{"root", R"("client": {"max_head_bytes": 2048, "max_target_bytes": 2049})"}},
         "/client/max_target_bytes",
         "must not be larger than max_head_bytes"},
        {{{"cluster", R"("health": {"status_min": 300, "status_max": 300})"}},
         {{"cluster", R"("health": {"status_min": 301, "status_max": 300})"}},
         "/clusters/0/health/status_min",
         "is larger than status_max"},
        {{{"cluster", R"("health": {"path": "/a?b"})"}},
         {{"cluster", R"("health": {"path": "/a b"})"}},
         "/clusters/0/health/path",
         "hold no spaces"},
        {{{"cluster", R"("health": {"path": "/"})"}},
         {{"cluster", R"("health": {"path": "a"})"}},
         "/clusters/0/health/path",
         "must start with '/'"},
        {{{"cluster", R"("in_flight": {"max": 1, "queue": 1})"}},
         {{"cluster", R"("in_flight": {"max": 0, "queue": 1})"}},
         "/clusters/0/in_flight/queue",
         "needs max"},
        {{{"cluster", R"("in_flight": {"max": 1, "max_per_client": 1})"}},
         {{"cluster", R"("in_flight": {"max": 0, "max_per_client": 1})"}},
         "/clusters/0/in_flight/max_per_client",
         "needs max"},
        {{{"endpoint", R"({"address": "a", "weight": 0}, "b")"}},
         {{"endpoint", R"({"address": "a", "weight": 0})"}},
         "/clusters/0/endpoints",
         "no endpoint has a weight above 0"},
        {{{"cluster", R"("balancer": "hash", "hash_on": "header:x")"}},
         {{"cluster", R"("balancer": "hash", "hash_on": "header:")"}},
         "/clusters/0/hash_on",
         "header:<name>"},
        // keys and issuers
        {{{"key", R"("secret": "0123456789abcdef0123456789abcdef")"}},
         {{"key", R"("secret": "0123456789abcdef0123456789abcde")"}},
         "/issuers/0/keys/0/secret",
         "31 bytes long, at least 32"},
        {{{"key", R"("algorithm": "ES256", "public_key": "p")"}, {"issuer", ""}},
         {{"key",
           R"("algorithm": "ES256", "public_key": "p", "secret": "0123456789abcdef0123456789abcdef")"}},
         "/issuers/0/keys/0/secret",
         "goes with HS256 only"},
        {{},
         {{"key", R"("public_key": "p", "secret": "0123456789abcdef0123456789abcdef")"}},
         "/issuers/0/keys/0/public_key",
         "does not go with HS256"},
        {{},
         {{"key", R"("algorithm": "ES256", "public_key_file": "/nonexistent/key")"}},
         "/issuers/0/keys/0/public_key_file",
         "cannot read /nonexistent/key"},
        {{{"issuer", R"("revocations": {"url": "http://a", "token": "0123456789abcdef"})"}},
         {{"issuer", R"("revocations": {"url": "http://a", "token": "0123456789abcde"})"}},
         "/issuers/0/revocations/token",
         "15 bytes long, at least 16"},
        {{{"issuer", R"("revocations": {"url": "http://a", "token": "0123456789abcdef"})"},
          {"key", R"("algorithm": "ES256", "public_key": "p")"}},
         {{"issuer", R"("revocations": {"url": "http://a"})"},
          {"key", R"("algorithm": "ES256", "public_key": "p")"}},
         "/issuers/0/revocations",
         "token is missing"},
        {{{"issuer", R"("revocations": {"url": "http://a"})"}},
         {{"issuer", R"("revocations": {"url": "https://a"})"}},
         "/issuers/0/revocations/url",
         "does not start with http://"},
        {{{"issuer", R"("jwks": {"url": "https://a"})"}},
         {{"issuer", R"("jwks": {"url": "ftp://a"})"}},
         "/issuers/0/jwks/url",
         "http:// or https://"},
        {{{"issuer", R"("realm": "a b")"}},
         {{"issuer", R"("realm": "a\"b")"}},
         "/issuers/0/realm",
         "neither quotes"},
        {{{"issuer", R"("realm": "a'b")"}},
         {{"issuer", R"("realm": "a\\b")"}},
         "/issuers/0/realm",
         "neither quotes"},
        // names
        {{{"issuer", R"("name": )" + letters(64)}},
         {{"issuer", R"("name": )" + letters(65)}},
         "/issuers/0/name",
         "at most 64"},
        {{{"issuer", R"("name": "a-b_c.d9")"}},
         {{"issuer", R"("name": "a b")"}},
         "/issuers/0/name",
         "may hold letters"},
        // targets
        {{{"target", R"("cluster": "c", "rewrite_path": "/x")"}},
         {{"target", R"("cluster": "c", "rewrite_path": "/x", "strip_prefix": "/r")"}},
         "/routes/0/target/rewrite_path",
         "does not go with strip_prefix or add_prefix"},
        {{{"target", R"("cluster": "c", "add_prefix": "/x", "strip_prefix": "/r")"}},
         {{"target", R"("cluster": "c", "rewrite_path": "/x", "add_prefix": "/r")"}},
         "/routes/0/target/rewrite_path",
         "does not go with strip_prefix or add_prefix"},
        {{{"target", R"("builtin": "ready")"}},
         {{"target", R"("builtin": "ready", "host": "endpoint")"}},
         "/routes/0/target/host",
         "goes with cluster only"},
        {{},
         {{"target", R"("builtin": "ready", "strip_prefix": "/r")"}},
         "/routes/0/target/strip_prefix",
         "goes with cluster only"},
        {{},
         {{"target", R"("builtin": "ready", "add_prefix": "/r")"}},
         "/routes/0/target/add_prefix",
         "goes with cluster only"},
        {{},
         {{"target", R"("builtin": "ready", "rewrite_path": "/r")"}},
         "/routes/0/target/rewrite_path",
         "goes with cluster only"},
        {{{"target", R"("cluster": "c", "host": "a:80")"}},
         {{"target", R"("cluster": "c", "host": "a b")"}},
         "/routes/0/target/host",
         "a host name"},
        {{{"target", R"("redirect": {"status": 303, "location": "/x"})"}},
         {{"target", R"("redirect": {"status": 304, "location": "/x"})"}},
         "/routes/0/target/redirect/status",
         "301, 302, 303, 307 or 308"},
        {{{"target", R"("redirect": {"status": 307, "location": "/x"})"}},
         {{"target", R"("redirect": {"status": 306, "location": "/x"})"}},
         "/routes/0/target/redirect/status",
         "301, 302, 303, 307 or 308"},
        // matches
        {{{"match", R"("path": "/a", "hosts": ["*.example.org"])"}},
         {{"match", R"("path": "/a", "hosts": ["*example.org"])"}},
         "/routes/0/match/hosts",
         "is not a host name"},
        // headers
        {{{"route", R"("response_headers": [{"name": "Authorization", "value": "x"}])"}},
         {{"route", R"("request_headers": [{"name": "Authorization", "value": "x"}])"}},
         "/routes/0/request_headers/0/name",
         "gateway alone"},
        {{{"route", R"("response_headers": [{"name": "X-Session-Id", "value": "x"}])"}},
         {{"route", R"("request_headers": [{"name": "X-Session-Id", "value": "x"}])"}},
         "/routes/0/request_headers/0/name",
         "gateway alone"},
        {{{"route", R"("request_headers": [{"name": "X-Users", "value": "x"}])"}},
         {{"route", R"("request_headers": [{"name": "x-user-x", "value": "x"}])"}},
         "/routes/0/request_headers/0/name",
         "gateway alone"},
        {{},
         {{"route", R"("response_headers": [{"name": "Content-Length", "value": "1"}])"}},
         "/routes/0/response_headers/0/name",
         "gateway alone"},
        {{},
         {{"root", R"("response_headers": [{"name": "connection", "value": "close"}])"}},
         "/response_headers/0/name",
         "gateway alone"},
        {{{"route", R"("response_headers": [{"name": "X-Client-Address", "value": "x"}])"}},
         {{"route", R"("request_headers": [{"name": "X-Client-Address", "value": "x"}])"}},
         "/routes/0/request_headers/0/name",
         "gateway alone"},
        {{},
         {{"issuer", R"("claim_headers": [{"claim": "nim", "header": "X-Nim"}])"},
          {"route", R"("request_headers": [{"name": "x-nim", "value": "x"}])"}},
         "/routes/0/request_headers/0/name",
         "gateway alone"},
        {{{"route", R"("request_headers": [{"name": "X-Forwarded-Proto", "value": "https"}])"}},
         {{"route", R"("request_headers": [{"name": "Proxy-Authorization", "value": "x"}])"}},
         "/routes/0/request_headers/0/name",
         "gateway alone"},
        {{},
         {{"route", R"("response_headers": [{"name": "Proxy-Connection", "value": "x"}])"}},
         "/routes/0/response_headers/0/name",
         "gateway alone"},
        {{{"route", R"("response_headers": [{"name": "Timing-Allow-Origin", "value": "*"}])"}},
         {{"route", R"("response_headers": [{"name": "access-control-allow-origin", "value": "*"}])"}},
         "/routes/0/response_headers/0/name",
         "what the route's cors says"},
        // what is decided by a header that the gateway writes, or that ends here
        {{{"match", R"("path": "/a", "headers": [{"name": "X-Beta"}])"}},
         {{"match", R"("path": "/a", "headers": [{"name": "X-User-Id"}])"}},
         "/routes/0/match/headers/0/name",
         "written by the gateway"},
        {{},
         {{"match", R"("path": "/a", "headers": [{"name": "Host"}])"}},
         "/routes/0/match/headers/0/name",
         "match.hosts"},
        {{},
         {{"match", R"("path": "/a", "headers": [{"name": "X-Forwarded-Proto"}])"}},
         "/routes/0/match/headers/0/name",
         "written by the gateway"},
        {{},
         {{"issuer", R"("claim_headers": [{"claim": "nim", "header": "X-Nim"}])"},
          {"match", R"("path": "/a", "headers": [{"name": "x-nim"}])"}},
         "/routes/0/match/headers/0/name",
         "written by the gateway"},
        {{},
         {{"match", R"("path": "/a", "headers": [{"name": "Upgrade"}])"}},
         "/routes/0/match/headers/0/name",
         "never passed on"},
        {{{"cluster", R"("balancer": "hash", "hash_on": "header:x-user-id")"}},
         {{"cluster", R"("balancer": "hash", "hash_on": "header:te")"}},
         "/clusters/0/hash_on",
         "never passed on"},
        {{{"limit", R"("key": ["header:x-real-ip"])"}},
         {{"limit", R"("key": ["header:x_key"])"}},
         "/rate_limits/0/key",
         "never passed on"},
        // cors
        {{{"route", R"("cors": {"origins": ["*"], "credentials": false})"}},
         {{"route", R"("cors": {"origins": ["http://a", "*"], "credentials": true})"}},
         "/routes/0/cors/credentials",
         "must be false"},
        {{{"route", R"("cors": {"origins": ["https://a:444"], "credentials": true})"}},
         {{"route", R"("cors": {"origins": ["https://a/"]})"}},
         "/routes/0/cors/origins",
         "is not an origin"},
        {{{"route", R"("cors": {"origins": ["*"], "methods": ["PUT"]})"}},
         {{"route", R"("cors": {"origins": ["*"], "methods": ["put"]})"}},
         "/routes/0/cors/methods",
         "is not a method"},
        {{{"route", R"("cors": {"origins": ["*"], "headers": ["x-a"]})"}},
         {{"route", R"("cors": {"origins": ["*"], "headers": ["x a"]})"}},
         "/routes/0/cors/headers",
         "is not a header name"},
        {{{"route", R"("cors": {"origins": ["*"], "expose": ["x-a"]})"}},
         {{"route", R"("cors": {"origins": ["*"], "expose": ["x a"]})"}},
         "/routes/0/cors/expose",
         "is not a header name"},
        // rate limits
        {{{"limit", R"("key": ["claim:a"])"}},
         {{"limit", R"("key": ["claim:"])"}},
         "/rate_limits/0/key",
         "is none of"},
        {{{"limit", R"("key": ["header:a"])"}},
         {{"limit", R"("key": ["header:a b"])"}},
         "/rate_limits/0/key",
         "is none of"},
        // unknown keys: another one is named where three letters make it so
        {{}, {{"root", R"("wrkrsx": 1)"}}, "/wrkrsx", "did you mean \"workers\"?"},
    };
    for (const Case& c : cases) {
        good(c.right);
        const auto text = file(c.wrong);
        const auto loaded = read(text);
        INFO(text << "\nexpected at " << c.pointer << ": " << c.reason << "\ngot:\n" << loaded.report("f"));
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].pointer == c.pointer);
        CHECK(loaded.problems[0].message.find(c.reason) != std::string::npos);
    }
    const auto far = read(file({{"root", R"("wrkr": 1)"}}));
    REQUIRE(far.problems.size() == 1);
    CHECK(far.problems[0].message == "is not a known key; did you mean \"workers\"?");
    const auto farther = read(file({{"root", R"("rkr": 1)"}}));
    REQUIRE(farther.problems.size() == 1);
    CHECK(farther.problems[0].message == "is not a known key");
}

TEST_CASE("each name is there once") {
    const auto twice = [](const std::string& first, const std::string& second) {
        auto text = file({});
        return text.insert(text.find(first) + first.size(), second);
    };
    const auto told = [](const std::string& text, const std::string& pointer, const std::string& reason) {
        const auto loaded = read(text);
        INFO(text << '\n' << loaded.report("f"));
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].pointer == pointer);
        CHECK(loaded.problems[0].message == reason);
    };
    told(twice(R"("rate_limits": [)", R"({"name": "l", "requests": 2}, )"), "/rate_limits/1/name",
         "another rate limit is called \"l\" too");
    told(twice(R"("clusters": [)", R"({"name": "c", "endpoints": ["b"]}, )"), "/clusters/1/name",
         "another cluster is called \"c\" too");
    const std::string rest = R"(, "auth": "public", "target": {"cluster": "c"}}, )";
    told(twice(R"("routes": [)", R"({"name": "r", "match": {"path": "/x"})" + rest), "/routes/1/name",
         "another route is called \"r\" too");
    const std::string gone = "can never be reached: route \"x\" takes the same requests";
    const auto route = [&](const std::string& match) {
        return twice(R"("routes": [)", R"({"name": "x", "match": {)" + match + "}" + rest);
    };
    told(route(R"("prefix": "/r")"), "/routes/1/match", gone);
    told(route(R"("prefix": "/r/")"), "/routes/1/match", gone);
    for (const char* other :
         {R"("path": "/r")", R"("prefix": "/r", "methods": ["GET"])", R"("prefix": "/r", "hosts": ["a"])",
          R"("prefix": "/r", "headers": [{"name": "x"}])"}) {
        INFO(other);
        CHECK(read(route(other)));
    }
}

TEST_CASE("an issuer without keys needs a key set; an empty one is as none") {
    const auto with = [](const std::string& members) {
        return R"({"listeners": [{}], "issuers": [{"issuer": "i", "audience": "a")" + members +
               R"(}], "routes": [{"name": "r", "match": {"path": "/"}, "auth": "token", "target":
               {"builtin": "health"}}]})";
    };
    CHECK(read(with(R"(, "jwks": {"url": "http://a"})")));
    for (const char* members :
         {"", R"(, "keys": [])", R"(, "jwks": {"url": ""})", R"(, "jwks": {"file": "${EMPTY:-}"})"}) {
        const auto loaded = read(with(members));
        INFO(members << '\n' << loaded.report("f"));
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].pointer == "/issuers/0/keys");
        CHECK(loaded.problems[0].message == "an issuer needs keys or jwks");
    }
    const auto config = good({{"issuer", R"("jwks": {"url": "${EMPTY:-}"})"}});
    CHECK_FALSE(config.issuers[0].jwks);
    CHECK(config.issuers[0].keys.size() == 1);
    // One file for key sets and a shared secret.
    const auto loaded = read(with(R"(, "keys": [{"secret": "${EMPTY:-}"}], "jwks": {"url": "http://a"})"));
    INFO(loaded.report("f"));
    REQUIRE(loaded);
    CHECK(loaded.config->issuers[0].keys.empty());
}

TEST_CASE("texts become what they stand for") {
    auto config = good({{"listener", R"("address": "::1")"}});
    CHECK(config.listeners[0].name == "::1:1");
    CHECK(good({{"listener", R"("name": "n")"}}).listeners[0].name == "n");
    const auto tls = R"("tls": {"certificates": [{"server_names": ["A.Example", "*.B"],
        "certificate_file": "/c", "key_file": "/k"}]})";
    CHECK(good({{"listener", tls}}).listeners[0].tls->certificates[0].server_names ==
          std::vector<std::string>{"a.example", "*.b"});
    CHECK(good({{"root", R"("forwarding": {"trusted_proxies": [" 10.0.0.0/8 , ,::1", ""]})"}})
              .forwarding.trusted_proxies.size() == 2);

    config = good({{"endpoint", R"("a", "b:81", "[::1]", "[::2]:82")"}});
    const auto& endpoints = config.clusters[0].endpoints;
    REQUIRE(endpoints.size() == 4);
    CHECK(endpoints[0].port == 80);
    CHECK(endpoints[1].port == 81);
    CHECK(endpoints[2].host == "::1");
    CHECK(endpoints[2].port == 80);
    CHECK(endpoints[3].host == "::2");
    CHECK(endpoints[3].port == 82);
    config = good({{"endpoint", R"({"address": "a, b:81", "weight": 3})"}, {"cluster", R"("tls": {})"}});
    REQUIRE(config.clusters[0].endpoints.size() == 2);
    CHECK(config.clusters[0].endpoints[0].port == 443);
    CHECK(config.clusters[0].endpoints[1].port == 81);
    CHECK(config.clusters[0].endpoints[1].weight == 3);

    config = good({{"cluster", R"("balancer": "hash", "hash_on": "header:X-Key")"}});
    CHECK(config.clusters[0].hash_on.source == HashOn::Source::header);
    CHECK(config.clusters[0].hash_on.header == "x-key");
    config = good(
        {{"match", R"("path": "/a", "hosts": ["A.B"], "methods": ["GET"], "headers": [{"name": "X-A"}])"}});
    const auto& match = config.routes[0].match;
    CHECK(match.hosts == std::vector<std::string>{"a.b"});
    CHECK(match.methods.to_string() == "GET, HEAD");
    CHECK(match.headers[0].name == "x-a");
    CHECK(good({{"match", R"("path": "/a", "methods": ["POST"])"}}).routes[0].match.methods.to_string() ==
          "POST");

    using Host = ClusterTarget::Host;
    const auto target = [](const std::string& members) {
        return std::get<ClusterTarget>(good({{"target", R"("cluster": "c", )" + members}}).routes[0].target);
    };
    CHECK(target(R"("strip_prefix": "/r/")").strip_prefix == "/r");
    CHECK(target(R"("add_prefix": "/r/")").add_prefix == "/r/");
    CHECK(target(R"("host": "preserve")").host == Host::preserve);
    CHECK(target(R"("host": "endpoint")").host == Host::endpoint);
    CHECK(target(R"("host": "a:1")").host == Host::fixed);
    CHECK(target(R"("host": "a:1")").fixed_host == "a:1");
    config = good({{"target", R"("static": {"directory": "d", "strip_prefix": "/r/"})"}});
    CHECK(std::get<StaticTarget>(config.routes[0].target).strip_prefix == "/r");
    config = good({{"target", R"("builtin": "ready")"}});
    CHECK(std::get<BuiltinTarget>(config.routes[0].target).what == BuiltinTarget::What::ready);

    config = good({{"limit", R"("key": ["header:X-Key", "claim:Sub", "route", "address"])"}});
    using Kind = RateLimit::KeyPart::Kind;
    CHECK(config.rate_limits[0].key ==
          std::vector<RateLimit::KeyPart>{
              {Kind::header, "x-key"}, {Kind::claim, "Sub"}, {Kind::route, ""}, {Kind::address, ""}});
}
