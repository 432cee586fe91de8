// A reload sees every key: two files that differ in one are two configurations, and what runs under the
// changed part is built anew while the rest is taken over.
#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/auth/issuer.hpp"
#include "gateway/config/catalogue.hpp"
#include "gateway/config/load.hpp"
#include "gateway/exchange/snapshot.hpp"

using namespace gateway;
using Kind = config::Key::Kind;

namespace {

// Every key is in it.
constexpr const char* kEverything = R"({
 "$schema": "s", "workers": 1, "rate_limit_keys": 1000,
 "listeners": [{"name": "n", "address": "127.0.0.1", "port": 1, "backlog": 2, "proxy_protocol": false,
   "tls": {"min_version": "1.2", "ciphers": "", "certificates": [
     {"server_names": [], "certificate_file": "/c", "key_file": "/k"}]}}],
 "admin": {"enabled": true, "address": "127.0.0.1", "port": 9, "hosts": ["h"], "token": "0123456789abcdef"},
 "access_log": {"enabled": true, "path": "-", "security_path": "", "sample": 1},
 "shutdown": {"drain_delay_ms": 0, "grace_ms": 0},
 "client": {"head_timeout_ms": 100, "idle_timeout_ms": 100, "body_timeout_ms": 100, "min_body_rate_bytes": 0,
   "write_timeout_ms": 100, "tunnel_idle_timeout_ms": 100, "max_head_bytes": 1024, "max_target_bytes": 256,
   "max_headers": 8, "merge_slashes": true, "max_connections": 1, "max_connections_per_address": 0,
   "max_requests_per_connection": 0, "drain_bytes": 0, "body_memory_bytes": 1048576},
 "request_id": {"accept_from_client": true},
 "forwarding": {"trusted_proxies": ["::1"], "forwarded_header": false},
 "issuers": [
  {"name": "i", "issuer": "i", "audience": "a", "realm": "r", "leeway_s": 0, "max_token_bytes": 256,
   "keys": [{"algorithm": "HS256", "kid": "", "secret": "0123456789abcdef0123456789abcdef"}],
   "jwks": {"url": "http://127.0.0.1:1/jwks", "refresh_ms": 1000, "max_stale_ms": 0,
            "unknown_kid_interval_ms": 1000, "timeout_ms": 100},
   "revocations": {"url": "http://127.0.0.1:1/feed", "token": "0123456789abcdef", "wait_s": 0, "retry_ms": 10,
                   "max_age_ms": 1000, "on_stale": "allow", "max_entries": 1000},
   "claim_headers": [{"claim": "sub", "header": "X-User-Id"}], "cache": {"entries": 0, "max_age_ms": 0}},
  {"name": "pem", "issuer": "pem", "audience": "a", "keys": [{"algorithm": "ES256", "public_key": "PEM"}]},
  {"name": "file", "issuer": "file", "audience": "a", "jwks": {"file": "/jwks"},
   "keys": [{"algorithm": "ES256", "public_key_file": "PUBLIC_KEY"}]}],
 "clusters": [
  {"name": "c", "endpoints": [{"address": "127.0.0.1:3", "weight": 1}], "balancer": "hash",
   "hash_on": "client_address", "dns_interval_ms": 100, "needed_for_ready": true,
   "health": {"enabled": true, "path": "/", "host": "h", "interval_ms": 100, "timeout_ms": 50, "rise": 1,
              "fall": 1, "status_min": 100, "status_max": 200},
   "outlier": {"enabled": true, "consecutive_failures": 1, "base_ejection_ms": 100, "max_ejection_ms": 200,
               "max_ejected_percent": 0, "panic_percent": 0},
   "breaker": {"enabled": true, "failure_percent": 1, "min_requests": 1, "window_ms": 1000,
               "open_for_ms": 100, "half_open_requests": 1},
   "pool": {"max_idle": 0, "idle_timeout_ms": 0, "max_age_ms": 0, "max_connections": 0},
   "timeouts": {"connect_ms": 10, "first_byte_ms": 10, "idle_ms": 10, "total_ms": 0},
   "retry": {"attempts": 0, "on_connect_failure": true, "on_reset": true, "on_status": [500],
             "budget_percent": 0, "budget_min_per_second": 0, "backoff_ms": 0},
   "in_flight": {"max": 1, "max_per_client": 0, "queue": 0, "queue_timeout_ms": 0},
   "tls": {"ca_file": "", "server_name": "n", "verify": true}},
  {"name": "d", "endpoints": ["127.0.0.1:3"]}],
 "rate_limits": [{"name": "l", "key": [], "requests": 1, "period_ms": 1, "burst": 0, "announce": true},
                 {"name": "m", "requests": 1}],
 "response_headers": [{"name": "A", "value": "a", "only_if_absent": false}],
 "routes": [
  {"name": "r", "match": {"prefix": "/r", "hosts": ["h"], "methods": ["PUT"],
                          "headers": [{"name": "X-A", "equals": "1"}]},
   "auth": {"issuer": "i", "roles": ["r"], "scopes": ["s"], "claims": [
     {"claim": "nim", "equals_query": "nim", "allow_absent": false, "unless_roles": []},
     {"claim": "nim", "equals_path_segment": 1}, {"claim": "nim", "equals": ["1"]}]},
   "target": {"cluster": "c", "strip_prefix": "/r", "add_prefix": "/s", "host": "endpoint"},
   "limits": {"body_bytes": 0, "buffer_request_bytes": 0, "rate_limits": ["l"],
              "in_flight": {"max": 1, "max_per_client": 0, "queue": 0, "queue_timeout_ms": 0}},
   "timeouts": {"first_byte_ms": 10, "idle_ms": 10, "total_ms": 0}, "retry": true,
   "cors": {"origins": ["http://a"], "methods": ["PUT"], "headers": ["A"], "expose": ["A"],
            "credentials": false, "max_age_s": 0},
   "request_headers": [{"name": "A", "value": "a", "only_if_absent": false}],
   "response_headers": [{"name": "B", "value": "a", "only_if_absent": false}],
   "websocket": false, "end_with_client": false, "access_log": true},
  {"name": "w", "match": {"path": "/w"}, "auth": {"issuer": "i"}, "target": {"cluster": "d", "rewrite_path": "/x"}},
  {"name": "s", "match": {"path": "/s"}, "auth": "public", "target": {"static": {
     "directory": "/d", "strip_prefix": "/s", "index": "i", "fallback": "f", "cache_control": "c"}}},
  {"name": "t", "match": {"path": "/t"}, "auth": "public", "target": {
     "redirect": {"status": 307, "location": "/x"}}},
  {"name": "b", "match": {"path": "/b"}, "auth": "public", "target": {"builtin": "health"}}]
})";

using Document = rapidjson::Document;
struct Edit {
    std::string place;
    std::string json;  // empty: taken away
};

std::string text_of(const rapidjson::Value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    value.Accept(writer);
    return buffer.GetString();
}

// A file that is there, with something in it.
class NamedFile {
  public:
    NamedFile() {
        const int descriptor = ::mkstemp(path_);
        REQUIRE(descriptor >= 0);
        ::close(descriptor);
        std::ofstream(path_) << "key";
    }
    ~NamedFile() { ::unlink(path_); }
    std::string path() const { return path_; }

  private:
    char path_[32] = "/tmp/gateway-reload-XXXXXX";
};

Document everything(const NamedFile& key) {
    std::string text = kEverything;
    const std::string name = "PUBLIC_KEY";
    text.replace(text.find("\"" + name) + 1, name.size(), key.path());
    Document document;
    document.Parse(text.c_str());
    REQUIRE_FALSE(document.HasParseError());
    return document;
}

// The first place that a key is at: items of lists are tried in their order.
void places_of(const rapidjson::Value& node, const std::string& at, const std::string& key,
               std::vector<std::string>& found) {
    if (key.empty()) return found.push_back(at);
    const auto end = std::min(key.find('/', 1), key.size());
    const auto name = key.substr(1, end - 1);
    const auto rest = key.substr(end);
    if (name == "*" && node.IsArray())
        for (rapidjson::SizeType i = 0; i < node.Size(); ++i)
            places_of(node[i], at + '/' + std::to_string(i), rest, found);
    if (node.IsObject() && node.HasMember(name.c_str()))
        places_of(node[name.c_str()], at + '/' + name, rest, found);
}

// Another legal value where the kind of the key does not give one.
const std::map<std::string, std::vector<Edit>> kOther{
    {"/listeners/*/address", {{"/listeners/0/address", R"("::")"}}},
    {"/issuers/*/name",
     {{"/issuers/0/name", R"("x")"},
      {"/routes/0/auth/issuer", R"("x")"},
      {"/routes/1/auth/issuer", R"("x")"}}},
    {"/issuers/*/keys/*/algorithm", {{"/issuers/1/keys/0/algorithm", R"("EdDSA")"}}},
    {"/issuers/*/keys/*/secret", {{"/issuers/0/keys/0/secret", R"("another secret of at least 32 bytes")"}}},
    {"/issuers/*/keys/*/public_key_file", {{"/issuers/2/keys/0/public_key_file", R"("OTHER_KEY")"}}},
    {"/issuers/*/jwks/file", {{"/issuers/2/jwks/file", R"("/other")"}}},
    {"/issuers/*/revocations/token", {{"/issuers/0/revocations/token", R"("another token of 16 bytes")"}}},
    {"/clusters/*/name", {{"/clusters/0/name", R"("x")"}, {"/routes/0/target/cluster", R"("x")"}}},
    {"/rate_limits/*/name",
     {{"/rate_limits/0/name", R"("x")"}, {"/routes/0/limits/rate_limits", R"(["x"])"}}},
    {"/clusters/*/balancer", {{"/clusters/0/balancer", R"("round_robin")"}, {"/clusters/0/hash_on", ""}}},
    {"/routes/*/match/prefix", {{"/routes/0/match/prefix", R"("/r/x")"}}},
    {"/routes/*/target/strip_prefix", {{"/routes/0/target/strip_prefix", ""}}},
    {"/routes/*/target/static/strip_prefix", {{"/routes/2/target/static/strip_prefix", ""}}},
    {"/routes/*/target/redirect/location", {{"/routes/3/target/redirect/location", R"("/y")"}}},
    {"/routes/*/auth", {{"/routes/1/auth", R"("public")"}}},
    {"/routes/*/auth/issuer", {{"/routes/0/auth/issuer", R"("pem")"}}},
    {"/routes/*/target/cluster", {{"/routes/0/target/cluster", R"("d")"}}},
    {"/routes/*/target/host", {{"/routes/0/target/host", R"("preserve")"}}},
    {"/routes/*/limits/rate_limits", {{"/routes/0/limits/rate_limits", R"(["m"])"}}},
    {"/routes/*/target/static", {{"/routes/2/target", R"({"builtin": "health"})"}}},
    {"/routes/*/target/redirect", {{"/routes/3/target", R"({"builtin": "health"})"}}},
    {"/routes/*/target/redirect/status", {{"/routes/3/target/redirect/status", "308"}}},
};

std::vector<Edit> another_value(const config::Key& key, const Document& document) {
    if (const auto known = kOther.find(key.path); known != kOther.end()) return known->second;
    std::vector<std::string> places;
    places_of(document, "", key.path, places);
    if (places.empty()) return {};
    const auto& place = places.front();
    const auto& now = *rapidjson::Pointer(place.c_str()).Get(document);
    const auto set = [&](std::string json) { return std::vector<Edit>{{place, std::move(json)}}; };
    switch (key.kind) {
        case Kind::boolean:
            return set(now.GetBool() ? "false" : "true");
        case Kind::number:
            return set(std::to_string(now.GetInt64() < key.max ? now.GetInt64() + 1 : now.GetInt64() - 1));
        case Kind::choice:
            for (const auto word : key.words)
                if (word != now.GetString()) return set('"' + std::string(word) + '"');
            return {};
        case Kind::texts:
        case Kind::numbers:
            return set(std::string(key.example));
        case Kind::text:
            return set('"' + std::string(key.example) + (key.example == now.GetString() ? "x\"" : "\""));
        case Kind::object:
            return key.optional ? set("") : std::vector<Edit>{};
        default:
            return {};
    }
}

std::string changed(const Document& document, const std::vector<Edit>& edits, const NamedFile& other_key) {
    Document copy;
    copy.CopyFrom(document, copy.GetAllocator());
    for (const Edit& edit : edits) {
        const rapidjson::Pointer at(edit.place.c_str());
        if (edit.json.empty()) {
            at.Erase(copy);
            continue;
        }
        Document value(&copy.GetAllocator());
        const bool file = edit.json == R"("OTHER_KEY")";
        value.Parse(file ? ('"' + other_key.path() + '"').c_str() : edit.json.c_str());
        REQUIRE_FALSE(value.HasParseError());
        at.Set(copy, value);
    }
    return text_of(copy);
}

std::shared_ptr<const config::Config> read(const std::string& text) {
    // Some examples refer to the environment.
    const auto loaded = config::parse(
        text, [](const std::string& name) -> std::optional<std::string> { return "value of " + name; });
    INFO(text << '\n' << loaded.report("f"));
    REQUIRE(loaded);
    return loaded.config;
}

// Keys that are objects or lists of them differ by what they hold.
bool is_value(const config::Key& key) {
    return key.kind != Kind::object && key.kind != Kind::objects && key.kind != Kind::objects_or_texts;
}

}  // namespace

TEST_CASE("files that differ in one key are two configurations, whatever the key") {
    const NamedFile key_file;
    const NamedFile other_key;
    std::ofstream(other_key.path()) << "another key";
    const auto document = everything(key_file);
    const auto before = read(text_of(document));
    CHECK(*before == *read(text_of(document)));
    int compared = 0;
    for (const config::Key& key : config::catalogue()) {
        INFO(key.path);
        std::vector<std::string> places;
        places_of(document, "", key.path, places);
        CHECK_FALSE(places.empty());  // a new key belongs into kEverything
        if (key.path == "/$schema") continue;
        const auto edits = another_value(key, document);
        if (edits.empty()) {
            CHECK_FALSE(is_value(key));
            continue;
        }
        const auto text = changed(document, edits, other_key);
        INFO(text);
        REQUIRE(text != text_of(document));
        CHECK_FALSE(*read(text) == *before);
        ++compared;
    }
    CHECK(compared > 170);
}

TEST_CASE("a reload builds anew what runs under a changed key, and takes over the rest") {
    const NamedFile key_file;
    auto document = everything(key_file);
    // What would need good files to start with.
    rapidjson::Pointer("/listeners/0/tls").Erase(document);
    document["issuers"].Erase(document["issuers"].Begin() + 1, document["issuers"].End());
    const auto first = exchange::Snapshot::make(read(text_of(document)), nullptr);
    int clusters = 0;
    int key_sets = 0;
    int feeds = 0;
    int limits = 0;
    for (const config::Key& key : config::catalogue()) {
        const auto edits = another_value(key, document);
        if (edits.empty() || key.path == "/$schema" || key.path.starts_with("/listeners/*/tls") ||
            edits.front().place.starts_with("/issuers/1") || edits.front().place.starts_with("/issuers/2") ||
            key.path == "/routes/*/auth/issuer")
            continue;
        const bool whole_feed = key.path == "/issuers/*/revocations";
        const bool whole_jwks = key.path == "/issuers/*/jwks";
        INFO(key.path);
        const auto config = read(changed(document, edits, key_file));
        if (key.path == "/clusters/*/tls/ca_file") {  // read again, so not taken over
            CHECK_THROWS(exchange::Snapshot::make(config, first.get()));
            continue;
        }
        const auto next = exchange::Snapshot::make(config, first.get());
        CHECK(next->config == config);
        const bool cluster = next->clusters[0] != first->clusters[0];
        const bool jwks = next->issuers->issuers()[0]->jwks() != first->issuers->issuers()[0]->jwks();
        const bool feed = next->issuers->issuers()[0]->feed() != first->issuers->issuers()[0]->feed();
        const bool places = next->route_runtime[0].in_flight != first->route_runtime[0].in_flight;
        CHECK(cluster == (key.path.starts_with("/clusters/")));
        CHECK(next->clusters[1] == first->clusters[1]);
        CHECK(jwks == (whole_jwks || key.path.starts_with("/issuers/*/jwks/")));
        CHECK(feed == (whole_feed || key.path.starts_with("/issuers/*/revocations/")));
        CHECK(places ==
              (key.path == "/routes/*/name" || key.path.starts_with("/routes/*/limits/in_flight/")));
        clusters += cluster ? 1 : 0;
        key_sets += jwks ? 1 : 0;
        feeds += feed ? 1 : 0;
        limits += places ? 1 : 0;
    }
    CHECK(clusters > 45);
    CHECK(key_sets == 6);
    CHECK(feeds == 8);
    CHECK(limits == 5);
}
