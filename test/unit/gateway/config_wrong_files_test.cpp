// Wrong files by the hundred: every key with a wrong value is refused at its own place, and the
// documentation, the schema and the parser agree on what a right one is.
#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "gateway/config/load.hpp"
#include "test/unit/gateway/source_file.hpp"

using namespace gateway;

namespace {

const config::Lookup kNoEnvironment = [](const std::string&) -> std::optional<std::string> {
    return std::nullopt;
};

// Each optional part is there, with what it cannot do without.
constexpr const char* kFull = R"({
 "listeners": [{"port": 8081, "tls": {"certificates": [{"certificate_file": "/c", "key_file": "/k"}]}}],
 "issuers": [{"issuer": "i", "audience": "a", "keys": [{"secret": "0123456789abcdef0123456789abcdef"}],
              "jwks": {"url": "http://a:1/jwks"}, "revocations": {"url": "http://a:1/feed"}}],
 "clusters": [{"name": "c", "endpoints": [{"address": "a:1"}], "tls": {}}],
 "rate_limits": [{"name": "l", "requests": 1}],
 "routes": [
  {"name": "r", "match": {"prefix": "/r", "headers": [{"name": "X-A"}]},
   "auth": {"claims": [{"claim": "nim", "equals_query": "nim"}]}, "target": {"cluster": "c"},
   "timeouts": {"first_byte_ms": 10, "idle_ms": 10, "total_ms": 10}, "cors": {"origins": ["*"]},
   "request_headers": [{"name": "X-A"}], "response_headers": [{"name": "X-A"}]},
  {"name": "s", "match": {"path": "/s"}, "auth": "public", "target": {"static": {"directory": "/d"}}},
  {"name": "t", "match": {"path": "/t"}, "auth": "public", "target": {"redirect": {"location": "/x"}}}]
})";

std::string text_of(const rapidjson::Value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    value.Accept(writer);
    return buffer.GetString();
}

// What the gateway shows of kFull: each key with its default, secrets filled in again.
rapidjson::Document full() {
    const auto loaded = config::parse(kFull, kNoEnvironment);
    INFO(loaded.report("full"));
    REQUIRE(loaded);
    auto text = config::dump(*loaded.config);
    const std::string masked = "\"***\"";
    for (auto at = text.find(masked); at != std::string::npos; at = text.find(masked))
        text.replace(at, masked.size(), R"("0123456789abcdef0123456789abcdef")");
    rapidjson::Document document;
    document.Parse(text.c_str());
    REQUIRE_FALSE(document.HasParseError());
    return document;
}

// "/a/*/b" of the documentation as a place in full(): the first item that has it.
std::optional<std::string> place_of(const rapidjson::Document& document, std::string key) {
    for (char item = '0'; item <= '2'; ++item) {
        std::string place = key;
        bool first = true;
        for (auto at = place.find('*'); at != std::string::npos; at = place.find('*')) {
            place[at] = first ? item : '0';
            first = false;
        }
        if (rapidjson::Pointer(place.c_str()).Get(document) != nullptr) return place;
        if (first) break;
    }
    return std::nullopt;
}

struct Row {
    std::string key;
    std::string value;
    std::string by_default;
};

std::vector<Row> documented() {
    const auto text = test::source_file("docs/configuration.md");
    const std::regex row(R"(\n\| `([^`]+)` \| ([^\n]*?) \| ([^\n]*?) \|)");
    std::vector<Row> rows;
    for (std::sregex_iterator it(text.begin(), text.end(), row), end; it != end; ++it)
        rows.push_back({"/" + (*it)[1].str(), (*it)[2].str(), (*it)[3].str()});
    return rows;
}

// The schema's node for "/a/*/b".
const rapidjson::Value* schema_of(const rapidjson::Value& node, const std::string& key) {
    if (key.empty()) return &node;
    if (node.HasMember("anyOf")) {
        for (const auto& branch : node["anyOf"].GetArray())
            if (const auto* found = schema_of(branch, key)) return found;
        return nullptr;
    }
    const auto end = std::min(key.find('/', 1), key.size());
    const std::string token = key.substr(1, end - 1);
    const std::string rest = key.substr(end);
    if (token == "*") return node.HasMember("items") ? schema_of(node["items"], rest) : nullptr;
    if (!node.HasMember("properties") || !node["properties"].HasMember(token.c_str())) return nullptr;
    return schema_of(node["properties"][token.c_str()], rest);
}

bool out_of_range(const config::Loaded& loaded, const std::string& place) {
    return std::any_of(loaded.problems.begin(), loaded.problems.end(), [&](const config::Problem& problem) {
        return problem.pointer == place && problem.message.starts_with("must be a whole number");
    });
}

void leaves(const rapidjson::Value& node, const std::string& path, std::vector<std::string>& out) {
    if (!path.empty()) out.push_back(path);
    if (node.IsObject())
        for (const auto& member : node.GetObject())
            leaves(member.value, path + '/' + member.name.GetString(), out);
    if (node.IsArray())
        for (rapidjson::SizeType i = 0; i < node.Size(); ++i)
            leaves(node[i], path + '/' + std::to_string(i), out);
}

}  // namespace

TEST_CASE("the documented defaults are the parser's") {
    const auto document = full();
    int compared = 0;
    for (const Row& row : documented()) {
        const auto& text = row.by_default;
        if (text.size() < 3 || text.front() != '`' || text.find('`', 1) != text.size() - 1) continue;
        rapidjson::Document expected;
        expected.Parse(text.substr(1, text.size() - 2).c_str());
        const auto place = place_of(document, row.key);
        if (expected.HasParseError() || !place) continue;
        // Lists and the routes' own timeouts are filled in kFull.
        const auto* actual = rapidjson::Pointer(place->c_str()).Get(document);
        if (actual->IsArray() && !actual->Empty()) continue;
        INFO(row.key << " is documented as " << text << " and is " << text_of(*actual));
        CHECK(text_of(*actual) == text_of(expected));
        ++compared;
    }
    CHECK(compared > 90);
}

TEST_CASE("documentation, schema and parser agree on the range of each number") {
    rapidjson::Document schema;
    schema.Parse(test::source_file("docs/configuration.schema.json").c_str());
    REQUIRE_FALSE(schema.HasParseError());
    const auto document = full();
    const std::regex range(R"((\d+) … (\d+))");
    int checked = 0;
    for (const Row& row : documented()) {
        std::smatch found;
        if (!std::regex_match(row.value, found, range)) continue;
        const std::int64_t low = std::stoll(found[1].str());
        const std::int64_t high = std::stoll(found[2].str());
        INFO(row.key << ": " << low << " to " << high);
        const auto* node = schema_of(schema, row.key);
        REQUIRE(node != nullptr);
        const auto* number = node->HasMember("anyOf") ? &(*node)["anyOf"][0] : node;
        if (number->HasMember("minimum")) {
            CHECK((*number)["minimum"].GetInt64() == low);
            CHECK((*number)["maximum"].GetInt64() == high);
        } else {
            CHECK(number->HasMember("enum"));  // redirect/status: some of the range
        }
        const auto place = place_of(document, row.key);
        if (!place) continue;
        const auto told = [&](std::int64_t value) {
            rapidjson::Document changed;
            changed.CopyFrom(document, changed.GetAllocator());
            rapidjson::Pointer(place->c_str()).Set(changed, value);
            return out_of_range(config::parse(text_of(changed), kNoEnvironment), *place);
        };
        CHECK(told(low - 1));
        CHECK_FALSE(told(low));
        CHECK_FALSE(told(high));
        CHECK(told(high + 1));
        ++checked;
    }
    CHECK(checked > 60);
}

TEST_CASE("a value of a wrong type is told at its own place, whatever the key") {
    const auto document = full();
    {
        const auto loaded = config::parse(text_of(document), kNoEnvironment);
        INFO(loaded.report("full"));
        REQUIRE(loaded);
    }
    std::vector<std::string> places;
    leaves(document, "", places);
    CHECK(places.size() > 200);
    for (const std::string& place : places) {
        for (const char* wrong : {"null", "{}", "[]", "-1", "\"\\u0001\"", "\"${UNSET}\"", "[[]]", "1.5"}) {
            rapidjson::Document changed;
            changed.CopyFrom(document, changed.GetAllocator());
            rapidjson::Document value(&changed.GetAllocator());
            value.Parse(wrong);
            rapidjson::Pointer(place.c_str()).Set(changed, value);
            const auto loaded = config::parse(text_of(changed), kNoEnvironment);
            INFO(place << " = " << wrong << '\n' << loaded.report("f"));
            const bool at_place =
                std::any_of(loaded.problems.begin(), loaded.problems.end(), [&](const config::Problem& p) {
                    return p.pointer == place || p.pointer.starts_with(place + '/');
                });
            // null, a reference to nothing and a list in a list are never right; what else is refused may be
            // so for what it does to others.
            const std::string what = wrong;
            if (what == "null" || what == "1.5" || what == "[[]]") CHECK(at_place);
            CHECK(static_cast<bool>(loaded) == loaded.problems.empty());
        }
    }
}

TEST_CASE("files that were mangled at random are read or refused, with a place and a reason") {
    const auto original = full();
    std::mt19937 random(20261125);  // the same files in every run
    const auto below = [&](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    int refused = 0;
    for (int round = 0; round < 1500; ++round) {
        rapidjson::Document changed;
        changed.CopyFrom(original, changed.GetAllocator());
        for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
            std::vector<std::string> places;
            leaves(changed, "", places);
            const std::string place = places[below(places.size())];
            const rapidjson::Pointer at(place.c_str());
            switch (below(4)) {
                case 0:
                    at.Erase(changed);
                    break;
                case 1: {  // another part of the file
                    rapidjson::Document part(&changed.GetAllocator());
                    part.CopyFrom(*rapidjson::Pointer(places[below(places.size())].c_str()).Get(changed),
                                  changed.GetAllocator());
                    at.Set(changed, part);
                    break;
                }
                case 2:
                    rapidjson::Pointer((place + "/surprise").c_str()).Set(changed, 1);
                    break;
                default:
                    at.Set(changed, "x");
                    break;
            }
        }
        const std::string text = text_of(changed);
        const auto loaded = config::parse(text, kNoEnvironment);
        INFO(text << '\n' << loaded.report("f"));
        REQUIRE(static_cast<bool>(loaded) == loaded.problems.empty());
        for (const config::Problem& problem : loaded.problems) {
            CHECK_FALSE(problem.message.empty());
            CHECK(problem.line == 1);  // all of it is one line
        }
        refused += loaded ? 0 : 1;
        if (loaded) CHECK_FALSE(config::dump(*loaded.config).empty());
    }
    CHECK(refused > 1000);
}
