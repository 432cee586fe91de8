// Files that every key of is legal in itself, and that would let somebody in who must not come, or could
// never work: each next to the one that is just good.
#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "gateway/config/load.hpp"

using namespace gateway;

namespace {

constexpr const char* kGood = R"({
 "listeners": [{"address": "127.0.0.1", "port": 8081}, {"address": "127.0.0.1", "port": 8443}],
 "admin": {"address": "127.0.0.1", "port": 9901},
 "forwarding": {"trusted_proxies": ["10.0.0.0/8"]},
 "issuers": [{"issuer": "i", "audience": "a", "keys": [{"secret": "0123456789abcdef0123456789abcdef"}],
              "claim_headers": [{"claim": "sub", "header": "X-User-Id"}, {"claim": "r", "header": "X-User-Role"}]}],
 "clusters": [{"name": "c", "endpoints": ["127.0.0.1:3001"]}],
 "routes": [
  {"name": "api", "match": {"prefix": "/api/v1"}, "auth": {"roles": ["admin"]}, "target": {"cluster": "c"}},
  {"name": "docs", "match": {"prefix": "/docs"}, "auth": "public", "target": {"static": {"directory": "/"}}},
  {"name": "old", "match": {"prefix": "/old"}, "auth": "public", "target": {"redirect": {"location": "/new"}}},
  {"name": "exact", "match": {"path": "/exact/path"}, "auth": "token", "target": {"cluster": "c"}}]
})";

// A value that is put at a place of kGood.
struct Edit {
    const char* place;
    std::string json;
};
using Edits = std::vector<Edit>;

config::Loaded with(const Edits& edits) {
    rapidjson::Document document;
    document.Parse(kGood);
    REQUIRE_FALSE(document.HasParseError());
    for (const Edit& edit : edits) {
        rapidjson::Document value(&document.GetAllocator());
        value.Parse(edit.json.c_str());
        INFO(edit.json);
        REQUIRE_FALSE(value.HasParseError());
        rapidjson::Pointer(edit.place).Set(document, value);
    }
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    document.Accept(writer);
    return config::parse(buffer.GetString(),
                         [](const std::string&) -> std::optional<std::string> { return std::nullopt; });
}

struct Case {
    Edits right;
    Edits wrong;
    std::string pointer;
    std::string reason;
};

std::string text_of(const Edits& edits) {
    std::string text;
    for (const Edit& edit : edits) text += std::string(edit.place) + " = " + edit.json + '\n';
    return text;
}

void check(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        const auto good = with(c.right);
        INFO(text_of(c.right) << good.report("right"));
        CHECK(good);
        CHECK(good.warning_report("right") == "");
        const auto loaded = with(c.wrong);
        INFO(text_of(c.wrong) << "expected at " << c.pointer << ": " << c.reason << '\n'
                              << loaded.report("wrong"));
        CHECK(loaded.problems.size() == 1);
        if (loaded.problems.empty()) continue;
        CHECK(loaded.problems[0].pointer == c.pointer);
        CHECK(loaded.problems[0].message.find(c.reason) != std::string::npos);
    }
}

}  // namespace

TEST_CASE("a rule that keeps nobody out, or everybody, is refused") {
    constexpr const char* auth = "/routes/0/auth";
    check({
        {{{auth, R"({"issuer": "default"})"}}, {{auth, "{}"}}, auth, "says nothing; it is \"token\""},
        {{{auth, R"("token")"}}, {{auth, R"({"issuer": ""})"}}, auth, "says nothing"},
        {{{auth, R"({"roles": ["a"]})"}},
         {{auth, R"({"roles": []})"}},
         "/routes/0/auth/roles",
         "must not be empty"},
        {{{auth, R"({"roles": ["a", "b"]})"}},
         {{auth, R"({"roles": ["a", ""]})"}},
         "/routes/0/auth/roles",
         "an empty name"},
        {{{auth, R"({"scopes": ["a"]})"}},
         {{auth, R"({"scopes": [], "roles": ["a"]})"}},
         "/routes/0/auth/scopes",
         "must not be empty"},
        {{{auth, R"({"scopes": ["a"]})"}},
         {{auth, R"({"scopes": ["${NOTHING:-}"]})"}},
         "/routes/0/auth/scopes",
         "an empty name"},
        {{{auth, R"({"claims": [{"claim": "a", "equals": ["b"]}]})"}},
         {{auth, R"({"claims": [], "roles": ["a"]})"}},
         "/routes/0/auth/claims",
         "must not be empty"},
        {{{auth, R"({"claims": [{"claim": "a", "equals": [""]}]})"}},
         {{auth, R"({"claims": [{"claim": "a", "equals": []}]})"}},
         "/routes/0/auth/claims/0/equals",
         "no token could meet it"},
        {{{auth, R"({"claims": [{"claim": "a", "equals_query": "b"}]})"}},
         {{auth, R"({"claims": [{"claim": "a", "equals_query": ""}]})"}},
         "/routes/0/auth/claims/0/equals_query",
         "must not be empty"},
        {{{auth, R"({"claims": [{"claim": "a", "equals_query": "b", "unless_roles": []}]})"}},
         {{auth, R"({"claims": [{"claim": "a", "equals_query": "b", "unless_roles": ["c", ""]}]})"}},
         "/routes/0/auth/claims/0/unless_roles",
         "an empty name"},
    });
}

TEST_CASE("a claim has a header of its own, and none that means something else") {
    constexpr const char* header = "/issuers/0/claim_headers/0/header";
    for (const char* name :
         {"Content-Length", "transfer-encoding", "HOST", "Connection", "Authorization", "Cookie", "Origin",
          "User-Agent", "Content-Type", "Range", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP",
          "X-Request-Id", "Forwarded", "traceparent", "TE"}) {
        INFO(name);
        check({{{}, {{header, '"' + std::string(name) + '"'}}, header, "cannot carry a claim"}});
    }
    for (const char* name : {"X-Session-Id", "X-User-Nim", "X-Forwarded-Email", "Tenant"}) {
        INFO(name);
        CHECK(with({{header, '"' + std::string(name) + '"'}}));
    }
    check({{{{header, R"("X-Role")"}},
            {{header, R"("x-user-ROLE")"}},
            "/issuers/0/claim_headers",
            "has two claims for X-User-Role"}});
}

TEST_CASE("no route sets what the gateway alone sets, and claims have headers without being told") {
    for (const char* name : {"Connection", "Content-Length", "Host", "Keep-Alive", "TE", "Transfer-Encoding",
                             "Trailer", "Upgrade"})
        for (const char* list :
             {"/routes/0/request_headers", "/routes/0/response_headers", "/response_headers"}) {
            INFO(list << ' ' << name);
            const auto change = R"([{"name": ")" + std::string(name) + R"(", "value": "x"}])";
            check({{{}, {{list, change}}, std::string(list) + "/0/name", "is set by the gateway alone"}});
        }
    const auto loaded = with({{"/issuers/0", R"({"issuer": "i", "audience": "a", "keys": [
        {"secret": "0123456789abcdef0123456789abcdef"}]})"}});
    REQUIRE(loaded);
    const std::vector<config::ClaimHeader> expected{
        {"sub", "X-User-Id"}, {"role", "X-User-Role"}, {"nim", "X-User-Nim"}, {"sid", "X-Session-Id"}};
    CHECK(loaded.config->issuers[0].claim_headers == expected);
}

TEST_CASE("a port has one user, and none of the gateway's own is an endpoint") {
    constexpr const char* endpoints = "/clusters/0/endpoints";
    check({
        {{{"/listeners/1/port", "8082"}}, {{"/listeners/1/port", "8081"}}, "/listeners/0", "8081"},
        {{{"/listeners/1", R"({"address": "127.0.0.2", "port": 8081})"}},
         {{"/listeners/1", R"({"address": "0.0.0.0", "port": 8081})"}},
         "/listeners/0",
         "has the port of listener \"0.0.0.0:8081\", 8081"},
        {{{"/listeners/0/address", R"("::1")"}, {"/listeners/1", R"({"address": "0.0.0.0", "port": 8081})"}},
         {{"/listeners/1", R"({"address": "::", "port": 8081})"}},
         "/listeners/0",
         "8081"},
        {{{"/listeners/0/port", "0"}, {"/listeners/1/port", "0"}, {"/admin/port", "0"}},
         {{"/admin/port", "8443"}},
         "/listeners/1",
         "has the port of the admin port"},
        {{{"/admin/port", "8443"}, {"/admin/enabled", "false"}},
         {{"/listeners/0/address", R"("0.0.0.0")"}, {"/admin/port", "8081"}},
         "/listeners/0",
         "has the port of the admin port"},
        {{{endpoints, R"(["127.0.0.2:8081"])"}},
         {{endpoints, R"(["a", "127.0.0.1:8081"])"}},
         endpoints,
         "lead to this gateway itself: listener \"127.0.0.1:8081\" has port 8081"},
        {{{endpoints, R"(["localhost:8082"])"}},
         {{endpoints, R"(["localhost:9901"])"}},
         endpoints,
         "the admin port"},
        {{{endpoints, R"(["10.0.0.1:8081"])"}, {"/listeners/0/address", R"("0.0.0.0")"}},
         {{endpoints, R"(["127.1.2.3:8081"])"}, {"/listeners/0/address", R"("0.0.0.0")"}},
         endpoints,
         "8081"},
        {{{endpoints, R"(["[::1]:8081"])"}, {"/listeners/0/address", R"("0.0.0.0")"}},
         {{endpoints, R"(["[::1]:8081"])"}, {"/listeners/0/address", R"("::")"}},
         endpoints,
         "8081"},
        {{{"/listeners/1/proxy_protocol", "true"}},
         {{"/listeners/1/proxy_protocol", "true"}, {"/forwarding/trusted_proxies", R"([""])"}},
         "/listeners/1/proxy_protocol",
         "needs forwarding.trusted_proxies"},
    });
}

TEST_CASE("what could never match or never take effect is refused") {
    constexpr const char* origins = "/routes/0/cors";
    const auto cors = [](const std::string& origin) { return R"({"origins": [")" + origin + "\"]}"; };
    for (const char* origin :
         {"https://Portal.example", "HTTPS://portal.example", "https://portal.example:443",
          "http://portal.example:80", "https://portal.example/", "https://portal.example/x",
          "https://portal.example:0444", "https://a b", "://a", "h_t://a", "null", "https://*.example",
          "https://a:65536"}) {
        INFO(origin);
        check({{{}, {{origins, cors(origin)}}, "/routes/0/cors/origins", "is not an origin"}});
    }
    for (const char* origin : {"https://portal.example", "http://portal.example:443",
                               "https://portal.example:80", "http://[::1]:3000", "chrome-extension://abc"}) {
        INFO(origin);
        CHECK(with({{origins, cors(origin)}}));
    }
    constexpr const char* hosts = "/routes/0/match/hosts";
    for (const char* list :
         {R"([""])", R"(["*."])", R"(["*.[::1]"])", R"(["*"])", R"(["a*b"])", R"(["a/b"])", "[]"}) {
        INFO(list);
        check({{{{hosts, R"(["*.a", "[::1]", "B"])"}}, {{hosts, list}}, hosts, ""}});
    }
    constexpr const char* outlier = "/clusters/0/outlier";
    constexpr const char* cluster = "/clusters/0";
    check({
        {{{outlier, R"({"base_ejection_ms": 300000})"}},
         {{outlier, R"({"base_ejection_ms": 300001})"}},
         "/clusters/0/outlier/base_ejection_ms",
         "larger than max_ejection_ms"},
        {{{outlier, R"({"max_ejection_ms": 10000})"}},
         {{outlier, R"({"max_ejection_ms": 9999})"}},
         "/clusters/0/outlier/max_ejection_ms",
         "base_ejection_ms larger"},
        {{{cluster, R"({"name": "c", "endpoints": ["a"], "balancer": "hash", "hash_on": "header:x"})"}},
         {{"/clusters/0/hash_on", R"("header:x")"}},
         "/clusters/0/hash_on",
         "goes with the balancer hash only"},
        {{{cluster, R"({"name": "c", "endpoints": ["a"], "balancer": "hash"})"}},
         {{"/clusters/0/hash_on", R"("client_address")"}},
         "/clusters/0/hash_on",
         "goes with the balancer hash only"},
    });
}

TEST_CASE("what is cut off a path is at its front, and a claim's segment is in it") {
    constexpr const char* strip = "/routes/0/target/strip_prefix";
    constexpr const char* files = "/routes/1/target/static/strip_prefix";
    constexpr const char* exact = "/routes/3/target/strip_prefix";
    for (const char* wrong : {"/ap", "/api/v", "/api/v1/x", "/other", "/api/v1x"}) {
        INFO(wrong);
        check({{{}, {{strip, '"' + std::string(wrong) + '"'}}, strip, "is not at the front"}});
    }
    for (const char* right : {"/api", "/api/", "/api/v1", "/api/v1/", "/"}) {
        INFO(right);
        CHECK(with({{strip, '"' + std::string(right) + '"'}}));
    }
    constexpr const char* auth = "/routes/3/auth";
    const auto segment = [](const std::string& number) {
        return R"({"claims": [{"claim": "nim", "allow_absent": true, "equals_path_segment": )" + number +
               "}]}";
    };
    check({
        {{{files, R"("/docs")"}}, {{files, R"("/doc")"}}, files, "is not at the front"},
        {{{exact, R"("/exact/path")"}}, {{exact, R"("/exact/pat")"}}, exact, "is not at the front"},
        {{{exact, R"("/exact")"}}, {{exact, R"("/exact/path/x")"}}, exact, "is not at the front"},
        {{{auth, segment("1")}},
         {{auth, segment("2")}},
         "/routes/3/auth/claims/0/equals_path_segment",
         "the last segment is 1"},
        {{{auth, segment("1")}, {"/routes/3/match/path", R"("/exact/path/")"}},
         {{auth, segment("2")}, {"/routes/3/match/path", R"("/exact/path/")"}},
         "/routes/3/auth/claims/0/equals_path_segment",
         "the last segment is 1"},
        {{{"/routes/0/auth", segment("2")}},  // below a prefix there may be more
         {{auth, segment("0")}, {"/routes/3/match/path", R"("/")"}},
         "/routes/3/auth/claims/0/equals_path_segment",
         "is none"},
    });
}

TEST_CASE("a redirect names what is known and does not lead back to itself") {
    constexpr const char* redirect = "/routes/2/target/redirect";
    constexpr const char* location = "/routes/2/target/redirect/location";
    constexpr const char* match = "/routes/2/match";
    constexpr const char* unknown = "may name {host}, {path} and {query}";
    constexpr const char* loop = "leads back to this route";
    const auto tls = R"({"address": "::1", "port": 443, "tls": {"certificates": [
        {"certificate_file": "/c", "key_file": "/k"}]}})";
    for (const char* wrong : {"/a{uri}", "/{", "/}", "/{path", "/path}", "/{ path}", "/{Path}", "/{}"}) {
        INFO(wrong);
        check({{{}, {{location, '"' + std::string(wrong) + '"'}}, location, unknown}});
    }
    for (const char* wrong : {"{path}", "{path}{query}", "{path}/x", "/old", "/old/x", "/old/{query}",
                              "/old{path}", "/old?x", "/old#x", "http://{host}{path}", "http://{host}/old"}) {
        INFO(wrong);
        check({{{}, {{location, '"' + std::string(wrong) + '"'}}, location, loop}});
    }
    for (const char* right : {"/new{path}{query}", "https://{host}{path}{query}", "/older", "//old/old",
                              "/docs", "https://else.where/old", "{path}x", "/"}) {
        INFO(right);
        CHECK(with({{location, '"' + std::string(right) + '"'}}));
    }
    check({
        {{{match, R"({"path": "/old"})"}, {location, R"("/old/")"}},
         {{match, R"({"path": "/old"})"}, {location, R"("/old")"}},
         location,
         loop},
        // with 303 a POST becomes a GET, which is another route's
        {{{match, R"({"path": "/old", "methods": ["POST"]})"},
          {redirect, R"({"status": 303, "location": "/old"})"}},
         {{match, R"({"path": "/old", "methods": ["POST"]})"},
          {redirect, R"({"status": 307, "location": "/old"})"}},
         location,
         loop},
        {{{match, R"({"path": "/old", "headers": [{"name": "x-a"}]})"}, {location, R"("/old")"}},
         {{match, R"({"path": "/old", "methods": ["GET"]})"},
          {redirect, R"({"status": 302, "location": "/old"})"}},
         location,
         loop},
        // a more specific route takes it
        {{{match, R"({"prefix": "/"})"}, {location, R"("/docs/x")"}},
         {{match, R"({"prefix": "/"})"}, {location, R"("/doc")"}},
         location,
         loop},
        {{{match, R"({"prefix": "/"})"}, {location, R"("/exact/path")"}},
         {{match, R"({"prefix": "/"})"}, {location, R"("/exact/path/x")"}},
         location,
         loop},
        // to TLS, from TLS
        {{{"/listeners/0", tls}, {location, R"("https://{host}{path}")"}},
         {{"/listeners", "[" + std::string(tls) + "]"}, {location, R"("https://{host}{path}")"}},
         location,
         loop},
    });
}

TEST_CASE("what is legal and probably a mistake is a warning with its place") {
    char path[] = "/tmp/gateway-files-XXXXXX";
    REQUIRE(::mkdtemp(path) != nullptr);
    const std::string folder = path;
    std::ofstream(folder + "/page") << "x";
    const auto files = [&](const std::string& directory, const std::string& more) {
        return R"({"static": {"directory": ")" + directory + '"' + more + "}}";
    };
    const auto open = [](const std::string& members) {
        return R"({"name": "open", "auth": "public", )" + members + "}";
    };
    const std::string to_cluster = R"(, "target": {"cluster": "c"})";
    constexpr const char* target = "/routes/1/target";
    constexpr const char* fifth = "/routes/4";
    const std::vector<Case> cases{
        {{{target, files(folder, "")}},
         {{target, files(folder + "/none", "")}},
         "/routes/1/target/static/directory",
         "is no directory here"},
        {{},
         {{target, files(folder + "/page", "")}},
         "/routes/1/target/static/directory",
         "is no directory here"},
        {{{target, files(folder, R"(, "index": "page")")}},
         {{target, files(folder, R"(, "index": "pag")")}},
         "/routes/1/target/static/index",
         "\"pag\" is not in"},
        {{{target, files(folder, R"(, "fallback": "page")")}},
         {{target, files(folder, R"(, "fallback": "pag")")}},
         "/routes/1/target/static/fallback",
         "\"pag\" is not in"},
        {{{fifth, open(R"("match": {"prefix": "/exactly"})" + to_cluster)}},
         {{fifth, open(R"("match": {"prefix": "/exact"})" + to_cluster)}},
         "/routes/3/match/path",
         "the open route \"open\""},
        {{{fifth, open(R"("match": {"prefix": "/"}, "target": {"builtin": "health"})")}},
         {{fifth, open(R"("match": {"prefix": "/"})" + to_cluster)}},
         "/routes/3/match/path",
         "\"/exact/path/\""},
        {{{fifth, open(R"("match": {"prefix": "/", "methods": ["OPTIONS"]})" + to_cluster)},
          {"/routes/3/match/methods", R"(["GET"])"}},
         {{fifth, open(R"("match": {"prefix": "/", "methods": ["GET"]})" + to_cluster)}},
         "/routes/3/match/path",
         "open"},
        {{{fifth, open(R"("match": {"prefix": "/", "hosts": ["h"]})" + to_cluster)}},
         {{fifth, open(R"("match": {"prefix": "/", "hosts": ["h"]})" + to_cluster)},
          {"/routes/3/match/hosts", R"(["h"])"}},
         "/routes/3/match/path",
         "open"},
        {{{fifth, open(R"("match": {"prefix": "/"})" + to_cluster)},
          {"/routes/5",
           R"({"name": "guard", "auth": "token", "match": {"prefix": "/exact"})" + to_cluster + "}"}},
         {{fifth, open(R"("match": {"prefix": "/exact/path"})" + to_cluster)}},
         "/routes/3/match/path",
         "open"},
    };
    for (const Case& c : cases) {
        const auto good = with(c.right);
        INFO(text_of(c.right) << good.report("right") << good.warning_report("right"));
        CHECK(good);
        CHECK(good.warnings.empty());
        const auto loaded = with(c.wrong);
        INFO(text_of(c.wrong) << "expected at " << c.pointer << ": " << c.reason << '\n'
                              << loaded.report("wrong") << loaded.warning_report("wrong"));
        CHECK(loaded);
        CHECK(loaded.warnings.size() == 1);
        CHECK(loaded.warning_report("f").starts_with("f:1: warning: " + c.pointer + ' '));
        CHECK(loaded.warning_report("f").find(c.reason) != std::string::npos);
    }
    check({
        {{{target, files(folder, R"(, "index": "page")")}},
         {{target, files(folder, R"(, "index": "")")}},
         "/routes/1/target/static/index",
         "must not be empty"},
        {{},
         {{target, files(folder, R"(, "index": "/page")")}},
         "/routes/1/target/static/index",
         "leads out"},
        {{{target, files(folder, R"(, "fallback": "page")")}},
         {{target, files(folder, R"(, "fallback": "../page")")}},
         "/routes/1/target/static/fallback",
         "leads out"},
    });
    std::remove((folder + "/page").c_str());
    std::remove(path);
}
