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
  {"name": "r", "match": {"prefix": "/r", "hosts": ["h"], "headers": [{"name": "X-A"}]},
   "auth": {"roles": ["r"], "scopes": ["s"], "claims": [{"claim": "nim", "equals_query": "nim"}]}, "target": {"cluster": "c"},
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

// "/a/0/b" → "/a/*/b": the key that a place is one of.
std::string key_of(const std::string& place) {
    return std::regex_replace(place, std::regex("/[0-9]+(?=/|$)"), "/*");
}

// A problem that has to be told: where, below the place that was changed, and why.
struct Told {
    std::string below;
    std::string reason;
};

// What is wrong with a string that is one control character; nothing said: any text will do.
const std::map<std::string, std::string> kControlCharacter{
    {"/listeners/*/address", "is not an IP address"},
    {"/admin/address", "is not an IP address"},
    {"/issuers/*/name", "may hold letters"},
    {"/issuers/*/realm", "control characters"},
    {"/issuers/*/keys/*/secret", "the secret is 1 bytes long, at least 32 are needed"},
    {"/issuers/*/jwks/url", "does not start with http:// or https://"},
    {"/issuers/*/revocations/url", "does not start with http://"},
    {"/issuers/*/revocations/token", "the secret is 1 bytes long, at least 16 are needed"},
    {"/issuers/*/claim_headers/*/header", "is not a header name"},
    {"/clusters/*/name", "may hold letters"},
    {"/clusters/*/endpoints/*/address", R"(is not "host:port")"},
    {"/clusters/*/hash_on", R"(must be "client_address" or "header:<name>")"},
    {"/clusters/*/health/path", "must start with '/'"},
    {"/clusters/*/health/host", "must be a host name"},
    {"/rate_limits/*/name", "may hold letters"},
    {"/response_headers/*/name", "is not a header name"},
    {"/response_headers/*/value", "control characters"},
    {"/routes/*/name", "may hold letters"},
    {"/routes/*/match/path", "is not a path"},
    {"/routes/*/match/prefix", "is not a path"},
    {"/routes/*/match/headers/*/name", "is not a header name"},
    {"/routes/*/target/cluster", "no cluster is called"},
    {"/routes/*/target/strip_prefix", "is not a path"},
    {"/routes/*/target/add_prefix", "is not a path"},
    {"/routes/*/target/rewrite_path", "is not a path"},
    {"/routes/*/target/host", "must be \"preserve\""},
    {"/routes/*/target/static/strip_prefix", "is not a path"},
    {"/routes/*/target/static/cache_control", "control characters"},
    {"/routes/*/target/redirect/location", "control characters"},
    {"/routes/*/request_headers/*/name", "is not a header name"},
    {"/routes/*/request_headers/*/value", "control characters"},
    {"/routes/*/response_headers/*/name", "is not a header name"},
    {"/routes/*/response_headers/*/value", "control characters"},
};

// Lists that must not be empty.
const std::map<std::string, std::string> kEmptyList{
    {"/listeners", "at least one listener is needed"},
    {"/listeners/*/tls/certificates", "at least one certificate is needed"},
    {"/clusters/*/endpoints", "at least one endpoint is needed"},
    {"/routes", "at least one route is needed"},
    {"/routes/*/match/hosts", "must not be empty"},
    {"/routes/*/match/methods", "must not be empty"},
    {"/routes/*/auth/roles", "must not be empty"},
    {"/routes/*/auth/scopes", "must not be empty"},
    {"/routes/*/auth/claims", "must not be empty"},
    {"/routes/*/cors/origins", "at least one origin is needed"},
};

// Lists that are missed, where the documentation's "required" says it by other words.
const std::map<std::string, std::string> kMissing{
    {"/listeners/*/tls/certificates", "at least one certificate is needed"},
    {"/clusters/*/endpoints", "at least one endpoint is needed"},
    {"/routes/*/cors/origins", "at least one origin is needed"},
};

// Objects that have exactly one of some members.
const std::map<std::string, std::string> kExactlyOne{
    {"/issuers/*/jwks", "exactly one of url and file"},
    {"/routes/*/match", "exactly one of path and prefix"},
    {"/routes/*/auth", "says nothing"},
    {"/routes/*/auth/claims/*", "exactly one of equals_query"},
    {"/routes/*/target", "exactly one of cluster"},
};

std::string found_in(const std::map<std::string, std::string>& reasons, const std::string& key) {
    const auto found = reasons.find(key);
    return found == reasons.end() ? "" : found->second;
}

// What has to be told where a place of `key` holds `wrong`: by the documented kind of the key.
std::vector<Told> verdict(const std::vector<Row>& rows, const std::string& key, const std::string& wrong) {
    const auto row_of = [&](const std::string& name) {
        const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.key == name; });
        return row == rows.end() ? std::string() : row->value;
    };
    std::string kind = row_of(key);
    if (kind.empty()) {  // an item
        REQUIRE(key.ends_with("/*"));
        const std::string list = row_of(key.substr(0, key.size() - 2));
        kind = list == "list" ? "endpoint" : list.substr(list.find("of ") + 3);
        if (kind == "objects") kind = "object";
    }
    const bool unset = wrong == "\"${UNSET}\"";
    const bool text = unset || wrong == R"("\u0001")";
    const Told not_set{"", "UNSET is not set"};
    const auto object = [&]() -> std::vector<Told> {
        std::vector<Told> all;
        if (const auto reason = found_in(kExactlyOne, key); !reason.empty()) all.push_back({"", reason});
        for (const Row& row : rows) {
            if (!row.key.starts_with(key + '/') || row.by_default != "required") continue;
            const std::string below = row.key.substr(key.size());
            if (below.find('/', 1) != below.npos) continue;
            const auto reason = found_in(kMissing, row.key);
            all.push_back({below, reason.empty() ? "is missing" : reason});
        }
        if (key == "/issuers/*") all.push_back({"/keys", "an issuer needs keys or jwks"});
        if (key == "/issuers/*/keys/*") all.push_back({"/secret", "is missing: HS256 needs one"});
        return all;
    };
    if (kind == "boolean") return {unset ? not_set : Told{"", "must be true or false"}};
    if (kind == "object") return wrong == "{}" ? object() : std::vector<Told>{{"", "must be an object"}};
    if (kind == "text or object") {
        if (unset) return {not_set};
        if (text) return {{"", R"(must be "public", "token" or an object)"}};
        return wrong == "{}" ? object() : std::vector<Told>{{"", "must be an object"}};
    }
    if (kind == "endpoint") {
        if (unset) return {not_set};
        if (text) return {{"", R"(is not "host:port")"}};
        return wrong == "{}" ? std::vector<Told>{{"/address", "is missing"}}
                             : std::vector<Told>{{"", "must be an object"}};
    }
    if (kind.starts_with("list")) {
        if (wrong == "[]") {
            const auto reason = found_in(kEmptyList, key);
            return reason.empty() ? std::vector<Told>{} : std::vector<Told>{{"", reason}};
        }
        const bool texts = kind == "list of text";
        const bool numbers = kind.starts_with("list of ") && kind.find("…") != kind.npos;
        const std::string item = texts ? "string" : numbers ? "whole number" : "object";
        if (wrong == "[[]]")
            return {{"/0", std::string("must be a") + (item == "object" ? "n " : " ") + item}};
        return {{"", texts     ? "must be an array of strings"
                     : numbers ? "must be an array of whole numbers"
                               : "must be an array"}};
    }
    if (kind.find("…") != kind.npos) return {unset ? not_set : Told{"", "must be a whole number from "}};
    if (unset) return {not_set};
    if (!text) return {{"", "must be a string"}};
    if (kind != "text") return {{"", "is none of "}};  // one of some words
    const auto reason = found_in(kControlCharacter, key);
    return reason.empty() ? std::vector<Told>{} : std::vector<Told>{{"", reason}};
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

TEST_CASE("a value of a wrong type is told at its own place with its reason, whatever the key") {
    const auto document = full();
    {
        const auto loaded = config::parse(text_of(document), kNoEnvironment);
        INFO(loaded.report("full"));
        REQUIRE(loaded);
    }
    const std::vector<Row> rows = documented();
    std::vector<std::string> places;
    leaves(document, "", places);
    CHECK(places.size() > 200);
    for (const std::string& place : places) {
        const std::string key = key_of(place);
        for (const char* wrong : {"null", "{}", "[]", "-1", "\"\\u0001\"", "\"${UNSET}\"", "[[]]", "1.5"}) {
            rapidjson::Document changed;
            changed.CopyFrom(document, changed.GetAllocator());
            rapidjson::Document value(&changed.GetAllocator());
            value.Parse(wrong);
            rapidjson::Pointer(place.c_str()).Set(changed, value);
            const auto loaded = config::parse(text_of(changed), kNoEnvironment);
            INFO(place << " = " << wrong << '\n' << loaded.report("f"));
            const std::vector<Told> expected = verdict(rows, key, wrong);
            for (const Told& told : expected) {
                INFO("expected at " << place + told.below << ": " << told.reason);
                CHECK(std::any_of(loaded.problems.begin(), loaded.problems.end(),
                                  [&](const config::Problem& p) {
                                      return p.pointer == place + told.below &&
                                             p.message.find(told.reason) != p.message.npos;
                                  }));
            }
            // What is legal here may still be so wrong for another key (a cluster's name that a route names).
            if (expected.empty())
                CHECK(std::none_of(loaded.problems.begin(), loaded.problems.end(),
                                   [&](const config::Problem& p) {
                                       return p.pointer == place || p.pointer.starts_with(place + '/');
                                   }));
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
        std::vector<std::string> surprised;
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
                    if (changes == 1) surprised.push_back(place);
                    break;
                default:
                    at.Set(changed, "x");
                    break;
            }
        }
        const std::string text = text_of(changed);
        const auto loaded = config::parse(text, kNoEnvironment);
        INFO(text << '\n' << loaded.report("f"));
        for (const config::Problem& problem : loaded.problems) {
            CHECK_FALSE(problem.message.empty());
            CHECK(problem.line == 1);  // all of it is one line
            // It is about something that is there, or about what is missing from something that is there.
            INFO(problem.pointer << ": " << problem.message);
            const auto there = [&](const std::string& at) {
                return rapidjson::Pointer(at.c_str()).Get(changed) != nullptr;
            };
            if (there(problem.pointer)) continue;
            CHECK(there(problem.pointer.substr(0, problem.pointer.rfind('/'))));
            CHECK(std::any_of(
                loaded.problems.begin(), loaded.problems.end(), [&](const config::Problem& other) {
                    return other.pointer == problem.pointer && (other.message.find("missing") != text.npos ||
                                                                other.message.find("need") != text.npos);
                }));
        }
        for (const std::string& place : surprised)
            CHECK(std::any_of(
                loaded.problems.begin(), loaded.problems.end(), [&](const config::Problem& problem) {
                    return problem.pointer == place || place.starts_with(problem.pointer + '/') ||
                           (problem.pointer == place + "/surprise" &&
                            problem.message.starts_with("is not a known key"));
                }));
        refused += loaded ? 0 : 1;
        if (loaded) CHECK_FALSE(config::dump(*loaded.config).empty());
    }
    CHECK(refused > 1000);
}
