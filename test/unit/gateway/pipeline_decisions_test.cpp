// What limits and balancers decide by: the request as the upstream gets it, and the client's address.
#include <catch2/catch.hpp>
#include <set>

#include "forwarder_bench.hpp"
#include "gateway/pipeline/pipeline.hpp"
#include "gateway/pipeline/response_filters.hpp"
#include "test/support/token.hpp"

namespace test {

namespace {

using gateway::pipeline::Verdict;
namespace wire = gateway::wire;

const std::string kIssuer = R"("issuers":[{"name":"kampus","issuer":"kampus-auth","audience":"kampus-api",)"
                            R"("keys":[{"algorithm":"HS256","secret":")" +
                            std::string(kJwtSecret) + R"("}]}],)";

std::string limit_by(const std::string& key) {
    return R"("rate_limits":[{"name":"l","key":[")" + key + R"("],"requests":1,"period_ms":3600000}],)";
}

constexpr const char* kToken = R"({"issuer":"kampus"})";
constexpr const char* kLimited = R"(,"limits":{"rate_limits":["l"]})";

// A request that ends behind the filters. True: they let it pass.
bool passes(ForwarderBench& bench, const std::string& lines, const char* peer = "192.0.2.1") {
    gateway::exchange::Exchange exchange(bench.worker.tools, gateway::pipeline::response_filters());
    const std::string head = "GET /api HTTP/1.1\r\nHost: a.test\r\n" + lines + "\r\n";
    const wire::IpAddress address = *wire::IpAddress::parse(peer);
    exchange.snapshot = bench.worker.snapshot;
    exchange.peer = &address;
    exchange.peer_text = peer;
    exchange.started_wall = std::chrono::system_clock::now();
    const wire::ReadResult read =
        wire::read_request_head(head, exchange.snapshot->shared->rules, exchange.head);
    INFO(head);
    REQUIRE(read.status == wire::ReadStatus::complete);
    gateway::exchange::Answer own;
    gateway::pipeline::Context context{exchange, bench.worker.tools, own};
    const bool passed = gateway::pipeline::run(context) == Verdict::next;
    if (!passed) CHECK(own.status == 429);
    exchange.reset();
    return passed;
}

std::string bearer_line(const std::string& sub) {
    TokenClaims claims;
    claims.sub = sub;
    return "Authorization: Bearer " + mint_token(claims) + "\r\n";
}

}  // namespace

TEST_CASE("without the key that a limit counts by, the address counts") {
    for (const char* key : {"header:x-key", "claim:sub"}) {
        INFO(key);
        ForwarderBench bench({"", kLimited, 1, limit_by(key)});
        CHECK(passes(bench, "", "192.0.2.1"));
        CHECK_FALSE(passes(bench, "", "192.0.2.1"));
        CHECK(passes(bench, "", "192.0.2.2"));
        // An empty one is none. One customer has a /64.
        CHECK(passes(bench, "X-Key:\r\n", "2001:db8::1"));
        CHECK_FALSE(passes(bench, "X-Key:\r\n", "2001:db8::2"));
        CHECK(passes(bench, "", "2001:db8:0:1::1"));
    }
}

TEST_CASE("a refusal by one limit costs nothing in those before it") {
    for (const char* second : {"header:x-key", "claim:nim"}) {
        INFO(second);
        ForwarderBench bench(
            {"", R"(,"limits":{"rate_limits":["first","second"]})", 1,
             R"("rate_limits":[{"name":"first","key":["address"],"requests":2,"period_ms":3600000},)"
             R"({"name":"second","key":[")" +
                 std::string(second) + R"("],"requests":1,"period_ms":3600000}],)"});
        CHECK(passes(bench, "X-Key: a\r\n"));
        for (int i = 0; i < 3; ++i) CHECK_FALSE(passes(bench, "X-Key: a\r\n"));
        const bool by_header = std::string_view(second).starts_with("header");
        CHECK(passes(bench, "X-Key: b\r\n") == by_header);
        CHECK_FALSE(passes(bench, "X-Key: c\r\n"));
    }
}

TEST_CASE("who the client is: X-Forwarded-*, Forwarded, and nobody where the peer is not known") {
    struct Row {
        const char* lines;
        const char* client;
        const char* proto;
        const char* host;
        bool unknown = false;
    };
    const Row rows[] = {
        {"X-Forwarded-For: 7.7.7.7,\r\n", "7.7.7.7", "http", "a.test"},
        {"X-Forwarded-For: 8.8.8.8, , 7.7.7.7 , ,\r\nX-Forwarded-Proto: HTTPS\r\n", "7.7.7.7", "https",
         "a.test"},
        {"X-Forwarded-Proto: http, https\r\nX-Forwarded-Host: x.test, b.test\r\n", "10.0.0.1", "https",
         "b.test"},
        {"Forwarded: for=7.7.7.7;proto=https;host=b.test\r\n", "7.7.7.7", "https", "b.test"},
        {"Forwarded: for=8.8.8.8\r\nForwarded: For=\"[2001:db8::1]:443\";Proto=HTTPS, for=10.0.0.2\r\n",
         "2001:db8::1", "https", "a.test"},
        {"Forwarded: for=7.7.7.7, for=unknown\r\n", "10.0.0.1", "http", "a.test"},
        {"Forwarded: for=7.7.7.7;for=8.8.8.8\r\n", "10.0.0.1", "http", "a.test"},
        {"Forwarded: for=\"7.7.7.7\r\n", "10.0.0.1", "http", "a.test"},
        {"Forwarded: for=8.8.8.8\r\nX-Forwarded-For: 7.7.7.7\r\n", "7.7.7.7", "http", "a.test"},
        {"X-Forwarded-For: 7.7.7.7\r\nX-Forwarded-Proto: https\r\nForwarded: for=7.7.7.7\r\n", "10.0.0.1",
         "http", "a.test", true},
    };
    for (const Row& row : rows) {
        INFO(row.lines);
        ForwarderBench bench(
            {"", "", 1, R"("forwarding":{"trusted_proxies":["10.0.0.0/8"],"forwarded_header":true},)"});
        gateway::exchange::Exchange exchange(bench.worker.tools, gateway::pipeline::response_filters());
        const std::string head = "GET /api HTTP/1.1\r\nHost: a.test\r\n" + std::string(row.lines) + "\r\n";
        const wire::IpAddress address = *wire::IpAddress::parse("10.0.0.1");
        exchange.snapshot = bench.worker.snapshot;
        exchange.peer = &address;
        exchange.peer_text = "10.0.0.1";
        exchange.peer_unknown = row.unknown;
        REQUIRE(wire::read_request_head(head, exchange.snapshot->shared->rules, exchange.head).status ==
                wire::ReadStatus::complete);
        gateway::exchange::Answer own;
        gateway::pipeline::Context context{exchange, bench.worker.tools, own};
        REQUIRE(gateway::pipeline::run(context) == Verdict::next);
        CHECK(exchange.client_text == row.client);
        CHECK(exchange.forwarded_proto == row.proto);
        CHECK(exchange.forwarded_host == row.host);
        // What is malformed is not added to.
        const std::string_view lines(row.lines);
        if (lines.find("for=7.7.7.7;for=") != lines.npos || lines.find("\"7.7.7.7\r") != lines.npos)
            CHECK(exchange.forwarded == "for=10.0.0.1;proto=http;host=\"a.test\"");
        exchange.reset();
    }
}

TEST_CASE("a limit by a header takes all its lines as one value") {
    ForwarderBench bench({"", kLimited, 1, limit_by("header:x-key")});
    CHECK(passes(bench, "X-Key: a\r\nX-Key: b\r\n"));
    CHECK_FALSE(passes(bench, "X-Key: a, b\r\n"));
    CHECK(passes(bench, "X-Key: c\r\nX-Key: b\r\n"));
    CHECK(passes(bench, "X-Key: a\r\n"));
    CHECK_FALSE(passes(bench, "X-Key: a\r\n"));
}

TEST_CASE("a limit by an identity header counts by the token, whatever the client wrote") {
    ForwarderBench bench({"", kLimited, 1, kIssuer + limit_by("header:x-user-id"), kToken});
    CHECK(passes(bench, bearer_line("1")));
    CHECK_FALSE(passes(bench, bearer_line("1") + "X-User-Id: 9\r\n", "192.0.2.2"));
    CHECK(passes(bench, bearer_line("2") + "X-User-Id: 1\r\n"));
}

TEST_CASE("a limit by a header that the gateway writes counts by what it writes") {
    ForwarderBench bench({"", kLimited, 1, limit_by("header:x-real-ip")});
    CHECK(passes(bench, "X-Real-IP: 1.1.1.1\r\n"));
    CHECK_FALSE(passes(bench, "X-Real-IP: 2.2.2.2\r\n"));
    CHECK(passes(bench, "X-Real-IP: 1.1.1.1\r\n", "192.0.2.2"));
    // And one that the route sets, by that: it is the same for all.
    ForwarderBench set({"",
                        std::string(kLimited) + R"(,"request_headers":[{"name":"X-Key","value":"fixed"}])", 1,
                        limit_by("header:x-key")});
    CHECK(passes(set, "X-Key: a\r\n"));
    CHECK_FALSE(passes(set, "X-Key: b\r\n", "192.0.2.2"));
}

TEST_CASE("a header that a limit counts by may not be taken off on the way") {
    ForwarderBench bench({"", kLimited, 1, limit_by("header:x-key")});
    wire::RequestHead head;
    head.clear();
    const std::string text = "GET /api HTTP/1.1\r\nHost: a.test\r\nX-Key: a\r\nConnection: x-key\r\n\r\n";
    CHECK(wire::read_request_head(text, bench.worker.snapshot->shared->rules, head).refusal ==
          wire::Refusal::bad_connection_header);
}

TEST_CASE("a balancer's key is what the service gets, not a client's copy") {
    const auto home = [](ForwarderBench& bench, const std::string& lines) {
        auto request = bench.send("GET", lines);
        std::size_t found = 99;
        REQUIRE(bench.until([&] {
            for (std::size_t i = 0; i < bench.upstreams.size(); ++i)
                if (bench.upstreams[i]->connections() > 0 && !bench.upstreams[i]->read(0).empty()) found = i;
            return found != 99;
        }));
        bench.upstreams[found]->write(bench.upstreams[found]->connections() - 1,
                                      "HTTP/1.1 204 No Content\r\n\r\n");
        REQUIRE(bench.until([&] { return request->over(); }));
        return found;
    };
    const std::string hash = R"(,"balancer":"hash","hash_on":"header:x-user-id")";
    ForwarderBench bench({hash, "", 4, kIssuer, kToken});
    std::set<std::size_t> used;
    for (int user = 1; user <= 12; ++user) {
        const std::size_t own = home(bench, bearer_line(std::to_string(user)));
        used.insert(own);
        for (int forged = 1; forged <= 4; ++forged)
            CHECK(home(bench, bearer_line(std::to_string(user)) + "X-User-Id: " + std::to_string(forged) +
                                  "\r\n") == own);
    }
    CHECK(used.size() > 1);
    // Without one, the address: a header of the client's own steers nothing.
    ForwarderBench open({hash, "", 4, ""});
    const std::size_t by_address = home(open, "");
    for (int forged = 1; forged <= 8; ++forged)
        CHECK(home(open, "X-User-Id: " + std::to_string(forged) + "\r\n") == by_address);
}

TEST_CASE("the RateLimit lines of an answer are those of the route's limit") {
    ForwarderBench bench({"", kLimited, 1, limit_by("address")});
    auto request = bench.send();
    bench.request();
    bench.upstreams[0]->write(0,
                              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nRateLimit: \"theirs\";r=9;t=1\r\n"
                              "RateLimit-Remaining: 9\r\n\r\n");
    REQUIRE(bench.until([&] { return request->over(); }));
    const std::string& head = request->client.written;
    INFO(head);
    CHECK(head.find("\r\nRateLimit: \"l\"") != std::string::npos);
    CHECK(head.find("\r\nRateLimit-Policy: \"l\"") != std::string::npos);
    CHECK(head.find("theirs") == std::string::npos);
    CHECK(head.find("Remaining") == std::string::npos);
}

}  // namespace test
