// Files that every key of is legal in itself, and that would let somebody in who must not come, or could
// never work: each next to the one that is just good.
#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <catch2/catch.hpp>
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
