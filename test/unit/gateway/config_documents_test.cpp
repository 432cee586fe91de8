// Parser, schema, documentation and the file that is shipped say the same.
#include <rapidjson/document.h>
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "gateway/config/catalogue.hpp"
#include "gateway/config/load.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/wire/request_head.hpp"
#include "test/unit/gateway/config_documents.hpp"
#include "test/unit/gateway/source_file.hpp"

using namespace gateway;

namespace {

// Collects "/a/*/b" for each property below a schema node.
void properties(const rapidjson::Value& node, const std::string& path, std::set<std::string>& keys) {
    if (node.HasMember("anyOf"))
        for (const auto& branch : node["anyOf"].GetArray()) properties(branch, path, keys);
    if (node.HasMember("items")) properties(node["items"], path + "/*", keys);
    if (!node.HasMember("properties")) return;
    for (const auto& member : node["properties"].GetObject()) {
        const auto key = path + '/' + member.name.GetString();
        keys.insert(key);
        properties(member.value, key, keys);
    }
}

std::set<std::string> known_keys() {
    std::set<std::string> keys;
    for (const config::Key& key : config::catalogue()) keys.insert(key.path);
    return keys;
}

config::Lookup shipped_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        if (name == "JWT_SECRET") return "0123456789abcdef0123456789abcdef";
        return std::nullopt;
    };
}

std::shared_ptr<const config::Config> shipped() {
    const auto loaded = config::parse(test::source_file("deploy/config/gateway.json"), shipped_environment());
    INFO(loaded.report("gateway.json"));
    REQUIRE(loaded);
    return loaded.config;
}

}  // namespace

// Makes the files anew: gateway_config_tests '[write]'
TEST_CASE("the schema and the tables of the documentation are written", "[.][write]") {
    const std::string docs = std::string(SOURCE_DIR) + "/docs/";
    const auto document = test::with_key_tables(test::source_file("docs/configuration.md"));
    std::ofstream(docs + "configuration.md", std::ios::binary) << document;
    std::ofstream(docs + "configuration.schema.json", std::ios::binary) << test::configuration_schema();
}

TEST_CASE("schema and documentation are what the descriptions of the keys make of them") {
    const auto document = test::source_file("docs/configuration.md");
    INFO("written anew by: build/release/test/unit/gateway/gateway_config_tests '[write]'");
    CHECK(test::configuration_schema() == test::source_file("docs/configuration.schema.json"));
    CHECK(test::with_key_tables(document) == document);
}

TEST_CASE("the schema has exactly the keys that the parser knows") {
    rapidjson::Document schema;
    schema.Parse(test::source_file("docs/configuration.schema.json").c_str());
    REQUIRE_FALSE(schema.HasParseError());
    std::set<std::string> keys;
    properties(schema, "", keys);
    CHECK(keys == known_keys());
}

TEST_CASE("the documentation has exactly the keys that the parser knows, each with value and default") {
    const auto text = test::source_file("docs/configuration.md");
    const std::regex row(R"(\n\| `([^`]+)` \| ([^\n]*?) \| ([^\n]*?) \|)");
    std::set<std::string> keys;
    for (std::sregex_iterator it(text.begin(), text.end(), row), end; it != end; ++it) {
        keys.insert("/" + (*it)[1].str());
        CHECK_FALSE((*it)[2].str().empty());
        CHECK_FALSE((*it)[3].str().empty());
    }
    CHECK(keys == known_keys());
}

TEST_CASE("the documentation's small file is a good one") {
    const auto text = test::source_file("docs/configuration.md");
    const auto begin = text.find("```json\n") + 8;
    const auto loaded =
        config::parse(text.substr(begin, text.find("```", begin) - begin), shipped_environment());
    INFO(loaded.report("configuration.md"));
    CHECK(loaded);
}

TEST_CASE("the shipped routes are the contract's: public by name, a token for the rest, nothing internal") {
    const auto config = shipped();
    const routing::RouteTable table(config);
    const auto route = [&](const std::string& method, const std::string& path) -> std::string {
        const auto text = method + ' ' + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
        wire::RequestHead head;
        head.clear();
        REQUIRE(wire::read_request_head(text, {}, head).status == wire::ReadStatus::complete);
        const auto match = table.find(head.host(), head.method(), head.path(), head);
        if (match.outcome == routing::Outcome::not_found) return "404";
        if (match.outcome == routing::Outcome::options) return "options";
        if (match.outcome == routing::Outcome::method_not_allowed) return "405";
        std::string where = "own";
        if (const auto* target = std::get_if<config::ClusterTarget>(&match.route->target))
            where = target->cluster;
        if (std::holds_alternative<config::StaticTarget>(match.route->target)) where = "files";
        if (match.route->auth.is_public) return where + " public";
        return where + (match.route->auth.roles.empty() ? " token" : " " + match.route->auth.roles.front());
    };
    struct Expected {
        const char* method;
        const char* path;
        const char* route;
    };
    const std::vector<Expected> table_of_contract{
        {"GET", "/health", "own public"},
        {"HEAD", "/health", "own public"},
        {"POST", "/health", "405"},
        {"GET", "/ready", "own public"},
        {"GET", "/.well-known/jwks.json", "auth public"},
        {"POST", "/api/auth/register", "auth public"},
        {"POST", "/api/auth/login", "auth public"},
        {"GET", "/api/auth/login", "405"},
        {"POST", "/api/auth/refresh", "auth public"},
        {"POST", "/api/auth/verify", "auth public"},
        {"GET", "/api/auth/verify", "auth public"},
        {"POST", "/api/auth/logout", "auth token"},
        {"GET", "/api/auth/me", "auth token"},
        {"PUT", "/api/auth/me/password", "auth token"},
        {"GET", "/api/auth/me/password", "405"},
        {"GET", "/api/auth/sessions", "auth token"},
        {"DELETE", "/api/auth/sessions/x", "auth token"},
        {"GET", "/api/auth/users", "auth admin"},
        {"PATCH", "/api/auth/users/1", "auth admin"},
        {"POST", "/api/auth/users/1/unlock", "auth admin"},
        {"GET", "/api/auth/login/../users", "auth admin"},
        {"GET", "//api//auth/users", "auth admin"},
        {"GET", "/api/auth/%75sers", "auth admin"},
        {"GET", "/api/acad/mahasiswa", "acad token"},
        {"GET", "/api/acad/mahasiswa/22001/khs", "acad token"},
        {"PUT", "/api/acad/mahasiswa/22001", "acad token"},
        {"POST", "/api/acad/mahasiswa", "acad token"},
        {"GET", "/api/acad/ips?nim=22001", "acad token"},
        {"POST", "/api/acad/krs", "acad token"},
        {"PUT", "/api/acad/krs/1/nilai", "acad token"},
        {"PUT", "/api/acad/skala_nilai", "acad token"},
        {"POST", "/api/acad/impor/krs", "acad admin"},
        {"GET", "/api/acad/ekspor/krs", "acad admin"},
        {"POST", "/api/acad/health", "405"},
        {"GET", "/", "files public"},
        {"GET", "/docs", "files public"},
        {"GET", "/internal/revocations", "files public"},  // a file that is not there: 404, never a service
        {"GET", "/metrics", "files public"},
        {"OPTIONS", "/api/auth/login", "options"},
        // A resource's own methods are its service's to tell, to anybody.
        {"OPTIONS", "/api/auth/me", "auth public"},
        {"OPTIONS", "/api/auth/users/1", "auth public"},
        {"OPTIONS", "/api/acad/mahasiswa/22001", "acad public"},
        {"OPTIONS", "/api/acad/impor/krs", "options"},
    };
    for (const auto& e : table_of_contract) {
        INFO(e.method << ' ' << e.path);
        CHECK(route(e.method, e.path) == e.route);
    }
    // No method but OPTIONS gets past the edge without a token.
    for (unsigned i = 0; i < wire::kMethodCount; ++i) {
        const std::string method(wire::to_string(static_cast<wire::Method>(i)));
        if (method == "OPTIONS") continue;
        for (const char* path : {"/api/acad", "/api/acad/x", "/api/acad/x/y/z", "/api/acad/impor/krs",
                                 "/api/auth", "/api/auth/x", "/api/auth/users/1", "/api/auth/me/password"}) {
            INFO(method << ' ' << path);
            CHECK(route(method, path).find("public") == std::string::npos);
        }
    }
}
