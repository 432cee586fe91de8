// The manners of the edge: CORS, limits, who the client is, files, redirects, TLS.
#include <openssl/ssl.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <chrono>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <thread>

#include "test/integration/gateway/fake_upstream.hpp"
#include "test/integration/gateway/gateway_process.hpp"
#include "test/integration/gateway/test_certificate.hpp"

namespace test {

using std::chrono::milliseconds;

TEST_CASE("a preflight needs no token, and only a listed origin gets an answer it can use") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config;
    config.clusters = cluster_of(upstream.endpoint());
    config.routes =
        R"({"name":"api","match":{"prefix":"/api","methods":["GET","PUT"]},"auth":{"issuer":"kampus"},)"
        R"("target":{"cluster":"up"},"cors":{"origins":["https://portal.test"],"credentials":true}})";
    Gateway gateway(config);
    const HeaderList preflight{{"Origin", "https://portal.test"}, {"Access-Control-Request-Method", "PUT"}};
    const Reply allowed = request(gateway.port(), "OPTIONS", "/api/x", preflight);
    CHECK(allowed.status == 204);
    CHECK(allowed.header("Access-Control-Allow-Origin") == "https://portal.test");
    CHECK(allowed.header("Access-Control-Allow-Methods").find("PUT") != std::string::npos);
    CHECK(allowed.header("Access-Control-Allow-Credentials") == "true");
    CHECK(allowed.header("Access-Control-Max-Age") == "600");
    const Reply stranger =
        request(gateway.port(), "OPTIONS", "/api/x",
                {{"Origin", "https://evil.test"}, {"Access-Control-Request-Method", "PUT"}});
    CHECK_FALSE(stranger.has_header("Access-Control-Allow-Origin"));
    // A refusal carries the headers too: else the script cannot read why.
    const Reply refused = get(gateway.port(), "/api/x", {{"Origin", "https://portal.test"}});
    CHECK(refused.status == 401);
    CHECK(refused.header("Access-Control-Allow-Origin") == "https://portal.test");
    CHECK(refused.header("Vary").find("Origin") != std::string::npos);
    const Reply good =
        get(gateway.port(), "/api/x", {{"Origin", "https://portal.test"}, bearer(mint_token({}))});
    CHECK(good.status == 200);
    CHECK(good.header("Access-Control-Allow-Origin") == "https://portal.test");
    CHECK(upstream.received().find("OPTIONS") == std::string::npos);
}

TEST_CASE("a preflight to a route without CORS is an OPTIONS request like any other") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config;
    config.clusters = cluster_of(upstream.endpoint());
    config.routes =
        R"({"name":"plain","match":{"prefix":"/plain","methods":["GET","PUT"]},"auth":{"issuer":"kampus"},)"
        R"("target":{"cluster":"up"}},)"
        R"({"name":"read","match":{"prefix":"/both","methods":["GET"]},"auth":{"issuer":"kampus"},)"
        R"("target":{"cluster":"up"},"cors":{"origins":["https://portal.test"]}},)"
        R"({"name":"write","match":{"prefix":"/both","methods":["PUT"]},"auth":{"issuer":"kampus"},)"
        R"("target":{"cluster":"up"}})";
    Gateway gateway(config);
    const auto preflight = [&](const char* path, const char* method) {
        return request(gateway.port(), "OPTIONS", path,
                       {{"Origin", "https://portal.test"}, {"Access-Control-Request-Method", method}});
    };
    // Without CORS of its own, without the method, and with CORS of another method's route only.
    for (const auto& [path, method] :
         {std::pair{"/plain/x", "PUT"}, {"/plain/x", "DELETE"}, {"/both/x", "PUT"}, {"/both/x", "BREW"}}) {
        INFO(path << ' ' << method);
        const Reply reply = preflight(path, method);
        CHECK(reply.status == 204);
        CHECK(reply.header("Allow") == "GET, HEAD, PUT, OPTIONS");
        CHECK_FALSE(reply.has_header("Access-Control-Allow-Origin"));
    }
    CHECK(preflight("/both/x", "GET").header("Access-Control-Allow-Origin") == "https://portal.test");
    CHECK(preflight("/nope", "GET").status == 404);
    CHECK(upstream.connections() == 0);
}

TEST_CASE("unknown paths are 404, known ones with another method 405 with Allow, OPTIONS tells the methods") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config;
    config.clusters = cluster_of(upstream.endpoint());
    config.routes =
        R"({"name":"api","match":{"prefix":"/api","methods":["GET"]},"auth":"public","target":{"cluster":"up"}})";
    Gateway gateway(config);
    const Reply unknown = get(gateway.port(), "/nope");
    CHECK(unknown.status == 404);
    CHECK(unknown.header("Content-Type") == "application/problem+json");
    CHECK(unknown.text("code") == "route_not_found");
    CHECK(unknown.text("instance") == "/nope");
    CHECK(unknown.text("request_id") == unknown.header("X-Request-Id"));
    const Reply other = request(gateway.port(), "DELETE", "/api/x");
    CHECK(other.status == 405);
    CHECK(other.header("Allow").find("GET") != std::string::npos);
    const Reply options = request(gateway.port(), "OPTIONS", "/api/x");
    CHECK(options.status == 204);
    CHECK(options.header("Allow").find("GET") != std::string::npos);
    CHECK(upstream.connections() == 0);
}

TEST_CASE("headers for every answer are on those that belong to no route, too") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config;
    config.clusters = cluster_of(upstream.endpoint());
    config.routes =
        R"({"name":"own","match":{"path":"/own"},"auth":"public","target":{"cluster":"up"},)"
        R"("response_headers":[{"name":"x-frame-options","value":"SAMEORIGIN"}]},)"
        R"({"name":"api","match":{"prefix":"/api","methods":["GET"]},"auth":"public","target":{"cluster":"up"}})";
    config.more = R"("response_headers":[{"name":"X-Content-Type-Options","value":"nosniff"},)"
                  R"({"name":"X-Frame-Options","value":"DENY"}])";
    Gateway gateway(config);
    const auto check = [](const Reply& reply, unsigned status, const std::string& frame = "DENY") {
        CAPTURE(status);
        CHECK(reply.status == status);
        CHECK(reply.header("X-Content-Type-Options") == "nosniff");
        CHECK(reply.header("X-Frame-Options") == frame);
    };
    check(get(gateway.port(), "/api/x"), 200);
    check(get(gateway.port(), "/own"), 200, "SAMEORIGIN");
    check(get(gateway.port(), "/nope"), 404);
    check(request(gateway.port(), "POST", "/api/x"), 405);
    check(request(gateway.port(), "OPTIONS", "/api/x"), 204);
    for (const std::string unreadable :
         {"GET /api/x HTTP/1.1\r\n\r\n", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"}) {
        RawConnection connection(gateway.port());
        connection.send(unreadable);
        const std::string answer = connection.read_to_end();
        CHECK(answer.find("\r\nX-Content-Type-Options: nosniff\r\n") != std::string::npos);
        CHECK(answer.find("\r\nX-Frame-Options: DENY\r\n") != std::string::npos);
    }
}

TEST_CASE("a rate limit is the same for one worker and for four, and says when to come back") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint(), R"("limits":{"rate_limits":["five"]})");
    config.workers = "4";
    config.more = R"("rate_limits":[{"name":"five","key":["address"],"requests":5,"period_ms":60000}])";
    Gateway gateway(config);
    int good = 0;
    for (int i = 0; i < 40; ++i) good += get(gateway.port(), "/x").status == 200 ? 1 : 0;
    CHECK(good == 5);
    const Reply refused = get(gateway.port(), "/x");
    CHECK(refused.status == 429);
    CHECK(std::stoi(refused.header("Retry-After")) >= 1);
    CHECK(refused.header("RateLimit").find("five") != std::string::npos);
    CHECK(refused.header("RateLimit-Policy").find("five") != std::string::npos);
    CHECK(refused.text("code") == "rate_limited");
}

TEST_CASE("limits by any combination count each combination for itself, exactly, over all workers") {
    FakeUpstream upstream(FakeUpstream::echo);
    const std::string limits = R"("limits":{"rate_limits":["combined"]})";
    GatewayConfig config;
    config.clusters = cluster_of(upstream.endpoint());
    const auto route = [&](const std::string& name) {
        return R"({"name":")" + name + R"(","match":{"prefix":"/)" + name +
               R"("},"auth":{"issuer":"kampus"},"target":{"cluster":"up"},)" + limits + "}";
    };
    config.routes = route("a") + "," + route("b");
    config.more =
        R"("rate_limits":[{"name":"combined","key":["address","claim:sub","header:X-Kelas","route"],)"
        R"("requests":7,"period_ms":600000}])";
    for (const char* workers : {"1", "2"}) {
        config.workers = workers;
        Gateway gateway(config);
        for (const char* user : {"u1", "u2"}) {
            TokenClaims claims;
            claims.sub = user;
            const std::string token = mint_token(claims);
            for (const char* kelas : {"A", "B"}) {
                for (const char* path : {"/a/x", "/b/x"}) {
                    std::atomic<int> good{0};
                    std::atomic<int> refused{0};
                    std::vector<std::thread> clients;
                    for (int i = 0; i < 4; ++i) {
                        clients.emplace_back([&] {
                            for (int n = 0; n < 5; ++n) {
                                const unsigned status =
                                    get(gateway.port(), path, {bearer(token), {"X-Kelas", kelas}}).status;
                                if (status == 200) ++good;
                                if (status == 429) ++refused;
                            }
                        });
                    }
                    for (std::thread& client : clients) client.join();
                    INFO(workers << ' ' << user << ' ' << kelas << ' ' << path);
                    CHECK(good == 7);
                    CHECK(refused == 13);
                }
            }
        }
    }
}

TEST_CASE("IPv6 clients are counted by their network of 64 bits, IPv4 clients one by one") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint(), R"("limits":{"rate_limits":["three"]})");
    config.more = R"("forwarding":{"trusted_proxies":["127.0.0.0/8"]},)"
                  R"("rate_limits":[{"name":"three","key":["address"],"requests":3,"period_ms":600000}])";
    Gateway gateway(config);
    struct Row {
        const char* client;
        unsigned status;
    };
    for (const Row& row :
         {Row{"2001:db8::1", 200}, Row{"2001:db8::2", 200}, Row{"2001:db8::ffff:ffff:ffff:3", 200},
          Row{"2001:db8::4", 429}, Row{"2001:db8:0:1::1", 200}, Row{"2001:db8:1::1", 200},
          Row{"203.0.113.1", 200}, Row{"203.0.113.1", 200}, Row{"203.0.113.1", 200}, Row{"203.0.113.1", 429},
          Row{"203.0.113.2", 200}, Row{"2001:db8::5", 429}}) {
        INFO(row.client);
        CHECK(get(gateway.port(), "/x", {{"X-Forwarded-For", row.client}}).status == row.status);
    }
}

TEST_CASE("one route may be limited by address and by claim: each limit counts for itself, once") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config;
    config.clusters = cluster_of(upstream.endpoint());
    config.routes =
        R"({"name":"api","match":{"prefix":"/"},"auth":{"issuer":"kampus"},"target":{"cluster":"up"},)"
        R"("limits":{"rate_limits":["address","user"]}})";
    config.more = R"("rate_limits":[{"name":"address","key":["address"],"requests":6,"period_ms":600000},)"
                  R"({"name":"user","key":["claim:sub"],"requests":2,"period_ms":600000}])";
    Gateway gateway(config);
    struct Row {
        const char* user;
        unsigned status;
        const char* policy;  // of the refusal
    };
    // What the user's limit refuses costs the address nothing.
    for (const Row& row :
         {Row{"a", 200, ""}, Row{"a", 200, ""}, Row{"a", 429, "user"}, Row{"b", 200, ""}, Row{"b", 200, ""},
          Row{"b", 429, "user"}, Row{"c", 200, ""}, Row{"c", 200, ""}, Row{"d", 429, "address"}}) {
        INFO(row.user);
        TokenClaims claims;
        claims.sub = row.user;
        const Reply reply = get(gateway.port(), "/x", {bearer(mint_token(claims))});
        CHECK(reply.status == row.status);
        if (row.status == 429) {
            CHECK(std::any_of(reply.headers.begin(), reply.headers.end(), [&](const auto& header) {
                return header.second.starts_with("\"" + std::string(row.policy) + "\";r=0;");
            }));
        }
    }
    // A bad token is counted by its address, before it costs a signature check.
    CHECK(get(gateway.port(), "/x", {{"Authorization", "Bearer x"}}).status == 429);
}

TEST_CASE("a limit that is not announced is named in the refusal only") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint(), R"("limits":{"rate_limits":["quiet"]})");
    config.more =
        R"("rate_limits":[{"name":"quiet","key":[],"requests":1,"period_ms":60000,"announce":false}])";
    Gateway gateway(config);
    const Reply passed = get(gateway.port(), "/x");
    CHECK(passed.status == 200);
    CHECK_FALSE(passed.has_header("RateLimit"));
    CHECK_FALSE(passed.has_header("RateLimit-Policy"));
    const Reply refused = get(gateway.port(), "/x");
    CHECK(refused.status == 429);
    CHECK(refused.header("RateLimit").starts_with("\"quiet\";r=0;"));
    CHECK(refused.has_header("Retry-After"));
}

TEST_CASE("limits by claim count each user for itself") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config;
    config.clusters = cluster_of(upstream.endpoint());
    config.routes =
        R"({"name":"api","match":{"prefix":"/"},"auth":{"issuer":"kampus"},"target":{"cluster":"up"},)"
        R"("limits":{"rate_limits":["user"]}})";
    config.more = R"("rate_limits":[{"name":"user","key":["claim:sub"],"requests":2,"period_ms":60000}])";
    Gateway gateway(config);
    TokenClaims a;
    a.sub = "a";
    TokenClaims b;
    b.sub = "b";
    for (const TokenClaims& claims : {a, b}) {
        CHECK(get(gateway.port(), "/x", {bearer(mint_token(claims))}).status == 200);
        CHECK(get(gateway.port(), "/x", {bearer(mint_token(claims))}).status == 200);
        CHECK(get(gateway.port(), "/x", {bearer(mint_token(claims))}).status == 429);
    }
    CHECK(get(gateway.port(), "/x").status == 401);
}

TEST_CASE("forwarding headers of a stranger are replaced, those of a trusted proxy continued") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    const HeaderList headers{{"X-Forwarded-For", "6.6.6.6, 203.0.113.9"}, {"X-Forwarded-Proto", "https"}};
    {
        Gateway gateway(config);
        const std::string seen = get(gateway.port(), "/x", headers).body;
        CHECK(seen.find("X-Forwarded-For: 127.0.0.1\r\n") != std::string::npos);
        CHECK(seen.find("X-Forwarded-Proto: http\r\n") != std::string::npos);
    }
    config.more = R"("forwarding":{"trusted_proxies":["127.0.0.0/8"],"forwarded_header":true})";
    Gateway gateway(config);
    const std::string seen = get(gateway.port(), "/x", headers).body;
    CHECK(seen.find("X-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.1\r\n") != std::string::npos);
    CHECK(seen.find("X-Forwarded-Proto: https\r\n") != std::string::npos);
    CHECK(seen.find("X-Real-IP: 203.0.113.9\r\n") != std::string::npos);
    CHECK(seen.find("\r\nForwarded: for=127.0.0.1;proto=https;") != std::string::npos);
    CHECK(gateway.process().wait_output("\"client\":\"203.0.113.9\""));
    // What a trusted proxy says must be what it says it is: it goes on inside of quotes, and as a scheme.
    CHECK(get(gateway.port(), "/x", {{"Host", "own.test"}, {"X-Forwarded-Host", "shop.test:8443"}})
              .body.find("X-Forwarded-Host: shop.test:8443\r\n") != std::string::npos);
    for (const char* host : {"a\";for=6.6.6.6;x=\"", "b, a b", "a b", "u@a", "a:0", "a/b"}) {
        INFO(host);
        const std::string own =
            get(gateway.port(), "/x", {{"Host", "own.test"}, {"X-Forwarded-Host", host}}).body;
        CHECK(own.find("X-Forwarded-Host: own.test\r\n") != std::string::npos);
        CHECK(own.find("\r\nForwarded: for=127.0.0.1;proto=http;host=\"own.test\"\r\n") != std::string::npos);
    }
    CHECK(get(gateway.port(), "/x", {{"Host", "own.test"}, {"X-Forwarded-Host", "a.test, b.test"}})
              .body.find("X-Forwarded-Host: b.test\r\n") != std::string::npos);
    CHECK(get(gateway.port(), "/x", {{"X-Forwarded-Proto", "HTTPS"}})
              .body.find("X-Forwarded-Proto: https\r\n") != std::string::npos);
    for (const char* proto : {"https;x=y", "ftp", "https, http", ""}) {
        INFO(proto);
        CHECK(get(gateway.port(), "/x", {{"X-Forwarded-Proto", proto}})
                  .body.find("X-Forwarded-Proto: http\r\n") != std::string::npos);
    }
    // Several lines are one list; two trace parents are none.
    const std::string trace = "00-11111111111111111111111111111111-2222222222222222-01";
    const std::string lines = get(gateway.port(), "/x",
                                  {{"Forwarded", "for=1.1.1.1"},
                                   {"Forwarded", "for=203.0.113.9"},
                                   {"X-Forwarded-For", "1.1.1.1"},
                                   {"X-Forwarded-For", "203.0.113.9"},
                                   {"traceparent", trace},
                                   {"traceparent", trace}})
                                  .body;
    CHECK(lines.find("\r\nForwarded: for=1.1.1.1, for=203.0.113.9, for=127.0.0.1;") != std::string::npos);
    CHECK(lines.find("X-Forwarded-For: 1.1.1.1, 203.0.113.9, 127.0.0.1\r\n") != std::string::npos);
    CHECK(lines.find("11111111111111111111111111111111") == std::string::npos);
}

TEST_CASE("the PROXY protocol names the client, version 1 and 2, from trusted peers only") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.listener_more = R"("proxy_protocol":true)";
    config.more = R"("forwarding":{"trusted_proxies":["127.0.0.0/8"]})";
    const std::string get_x = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    {
        Gateway gateway(config);
        CHECK(exchange(gateway.port(), "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n" + get_x)
                  .find("X-Forwarded-For: 203.0.113.7\r\n") != std::string::npos);
        const std::string v2(
            "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\xCB\x00\x71\x08\xC0\x00\x02\x01\x13\x88\x01\xBB", 28);
        CHECK(exchange(gateway.port(), v2 + get_x).find("X-Forwarded-For: 203.0.113.8\r\n") !=
              std::string::npos);
        // Nobody knows who speaks: a trusted address of the connection vouches for nothing.
        CHECK(exchange(gateway.port(),
                       "PROXY UNKNOWN\r\nGET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                       "X-Forwarded-For: 6.6.6.6\r\n\r\n")
                  .find("6.6.6.6") == std::string::npos);
        CHECK(exchange(gateway.port(), "PROXY UNKNOWN\r\n" + get_x).find("X-Forwarded-For: 127.0.0.1\r\n") !=
              std::string::npos);
        CHECK(exchange(gateway.port(), get_x).empty());
        CHECK(exchange(gateway.port(), "PROXY TCP4 nonsense\r\n" + get_x).empty());
        RawConnection slow(gateway.port());
        for (char c : "PROXY TCP6 2001:db8::1 2001:db8::2 5000 443\r\n" + get_x) {
            slow.send(std::string(1, c));
            std::this_thread::sleep_for(milliseconds(1));
        }
        CHECK(slow.read_to_end().find("X-Forwarded-For: 2001:db8::1\r\n") != std::string::npos);
    }
    config.more = R"("forwarding":{"trusted_proxies":["192.0.2.0/24"]})";
    Gateway gateway(config);
    CHECK(exchange(gateway.port(), "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n" + get_x).empty());
}

TEST_CASE("behind a balancer each client has its own share of connections, the balancer has none") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.listener_more = R"("proxy_protocol":true)";
    config.more = R"("forwarding":{"trusted_proxies":["127.0.0.0/8"]})";
    config.client = R"("max_connections_per_address":2)";
    config.workers = "2";
    Gateway gateway(config);
    const std::string get_x = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    std::vector<std::unique_ptr<RawConnection>> open;
    const auto serves = [&](const std::string& address) {
        open.push_back(std::make_unique<RawConnection>(gateway.port()));
        open.back()->send("PROXY TCP4 " + address + " 192.0.2.1 5000 443\r\n" + get_x);
        return status_of(open.back()->read_until("\r\n\r\n", milliseconds(5000))) == 200;
    };
    CHECK(serves("203.0.113.7"));
    CHECK(serves("203.0.113.7"));
    CHECK_FALSE(serves("203.0.113.7"));
    CHECK(serves("203.0.113.8"));
    CHECK(serves("203.0.113.8"));
    open.erase(open.begin());
    bool again = false;
    for (int i = 0; i < 200 && !again; ++i) {
        again = serves("203.0.113.7");
        if (!again) std::this_thread::sleep_for(milliseconds(10));
    }
    CHECK(again);
}

TEST_CASE("one address may hold only so many connections") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.client = R"("max_connections_per_address":3)";
    config.workers = "2";
    Gateway gateway(config);
    std::vector<std::unique_ptr<RawConnection>> open;
    for (int i = 0; i < 3; ++i) {
        open.push_back(std::make_unique<RawConnection>(gateway.port()));
        open.back()->send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(status_of(open.back()->read_until("\r\n\r\n")) == 200);
    }
    RawConnection fourth(gateway.port());
    fourth.read_to_end(milliseconds(5000));
    CHECK(fourth.closed_by_peer());
    open.pop_back();
    bool again = false;
    for (int i = 0; i < 200 && !again; ++i) {
        RawConnection next(gateway.port());
        try {
            next.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
            again = status_of(next.read_until("\r\n\r\n")) == 200;
        } catch (const std::exception&) {
        }
        std::this_thread::sleep_for(milliseconds(10));
    }
    CHECK(again);
}

TEST_CASE("when all places are taken the oldest idle connection makes room") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.client = R"("max_connections":4)";
    Gateway gateway(config);
    std::vector<std::unique_ptr<RawConnection>> open;
    for (int i = 0; i < 5; ++i) {
        open.push_back(std::make_unique<RawConnection>(gateway.port()));
        open.back()->send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(status_of(open.back()->read_until("-00\r\n\r\n")) == 200);
    }
    open[0]->read_to_end(milliseconds(5000));
    CHECK(open[0]->closed_by_peer());
    open[1]->send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(status_of(open[1]->read_until("\r\n\r\n")) == 200);
    CHECK(gateway.metric("gateway_connections_shed_total ") == 1);
    // Those that have connected and said nothing make room too.
    std::vector<std::unique_ptr<RawConnection>> silent;
    for (int i = 0; i < 6; ++i) silent.push_back(std::make_unique<RawConnection>(gateway.port()));
    REQUIRE(gateway.wait_metric("gateway_connections_shed_total ", 7));
    CHECK(get(gateway.port(), "/x").status == 200);
}

TEST_CASE("out of descriptors the gateway waits without spinning, and serves again when there are some") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    CHECK(get(gateway.port(), "/x").status == 200);
    const rlimit few{48, 48};
    REQUIRE(::prlimit(gateway.process().pid(), RLIMIT_NOFILE, &few, nullptr) == 0);
    std::vector<std::unique_ptr<RawConnection>> open;
    for (int i = 0; i < 80; ++i) open.push_back(std::make_unique<RawConnection>(gateway.port()));
    REQUIRE(gateway.process().wait_output("accept_failed"));
    // Those that are in are answered, if only with a 503: there is no descriptor for the upstream.
    open[0]->send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    CHECK(status_of(open[0]->read_until("\r\n\r\n")) != 0);
    const auto tries = [&] {
        const std::string output = gateway.process().output();
        std::size_t count = 0;
        for (std::size_t at = output.find("accept_failed"); at != std::string::npos;
             at = output.find("accept_failed", at + 1))
            ++count;
        return count;
    };
    const std::size_t before = tries();
    const auto began = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(milliseconds(500));
    const std::size_t more = tries() - before;
    // Ten times a second for each worker; spinning would be thousands.
    const auto tenths = (std::chrono::steady_clock::now() - began) / milliseconds(100);
    CHECK(more <= 4 * (static_cast<std::size_t>(tenths) + 4));
    open.clear();
    bool again = false;
    for (int i = 0; i < 200 && !again; ++i) {
        RawConnection next(gateway.port());
        next.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        again = status_of(next.read_until("\r\n\r\n", milliseconds(500))) == 200;
    }
    CHECK(again);
}

TEST_CASE("files are served with their tags and ranges, and nothing outside the directory is") {
    TemporaryDirectory files;
    files.write("site/index.html", "<h1>index</h1>");
    files.write("site/app.js", "0123456789");
    files.write("site/sub/index.html", "sub");
    files.write("site/two words.txt", "spaces");
    files.write("secret.txt", "secret");
    Process link("/bin/ln", {"-s", "../secret.txt", files.path() + "/site/link.txt"}, {});
    REQUIRE(link.wait_exit() == 0);
    GatewayConfig config;
    config.clusters = cluster_of("127.0.0.1:1");
    config.routes =
        R"({"name":"portal","match":{"prefix":"/"},"auth":"public","target":{"static":{"directory":")" +
        files.path() + R"(/site","fallback":"index.html"}},)" +
        R"("response_headers":[{"name":"X-Frame-Options","value":"DENY"}]})";
    Gateway gateway(config);
    const Reply index = get(gateway.port(), "/");
    CHECK(index.status == 200);
    CHECK(index.body == "<h1>index</h1>");
    CHECK(index.header("Content-Type") == "text/html; charset=utf-8");
    CHECK(index.header("X-Frame-Options") == "DENY");
    const Reply script = get(gateway.port(), "/app.js");
    CHECK(script.body == "0123456789");
    CHECK(script.header("Content-Type").starts_with("text/javascript"));
    const std::string etag = script.header("ETag");
    CHECK(get(gateway.port(), "/app.js", {{"If-None-Match", "\"x\", " + etag}}).status == 304);
    CHECK(get(gateway.port(), "/app.js", {{"If-Modified-Since", script.header("Last-Modified")}}).status ==
          304);
    const Reply part = get(gateway.port(), "/app.js", {{"Range", "bytes=2-4"}});
    CHECK(part.status == 206);
    CHECK(part.body == "234");
    CHECK(part.header("Content-Range") == "bytes 2-4/10");
    CHECK(get(gateway.port(), "/app.js", {{"Range", "bytes=-3"}}).body == "789");
    CHECK(get(gateway.port(), "/app.js", {{"Range", "bytes=8-"}}).body == "89");
    CHECK(get(gateway.port(), "/app.js", {{"Range", "bytes=10-"}}).status == 416);
    CHECK(get(gateway.port(), "/app.js", {{"Range", "bytes=0-1"}, {"If-Range", "\"old\""}}).body ==
          "0123456789");
    CHECK(get(gateway.port(), "/two%20words.txt").body == "spaces");
    const Reply head = request(gateway.port(), "HEAD", "/app.js");
    CHECK(head.status == 200);
    CHECK(head.header("Content-Length") == "10");
    CHECK(get(gateway.port(), "/sub").status == 308);
    CHECK(get(gateway.port(), "/sub").header("Location") == "/sub/");
    CHECK(get(gateway.port(), "/sub/").body == "sub");
    CHECK(get(gateway.port(), "/some/page").body == "<h1>index</h1>");
    CHECK(get(gateway.port(), "/missing.js").status == 404);
    CHECK(get(gateway.port(), "/link.txt").status == 404);
    for (const char* path :
         {"/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/sub/../../secret.txt"})
        CHECK(get(gateway.port(), path).status == 400);
}

TEST_CASE("a large file arrives complete") {
    TemporaryDirectory files;
    std::string big;
    for (int i = 0; i < 3'000'000; ++i) big += static_cast<char>('a' + i % 26);
    files.write("big.bin", big);
    GatewayConfig config;
    config.clusters = cluster_of("127.0.0.1:1");
    config.routes =
        R"({"name":"files","match":{"prefix":"/"},"auth":"public","target":{"static":{"directory":")" +
        files.path() + R"("}}})";
    Gateway gateway(config);
    CHECK((get(gateway.port(), "/big.bin").body == big));
}

TEST_CASE("redirects fill in path, query and host") {
    GatewayConfig config;
    config.clusters = cluster_of("127.0.0.1:1");
    config.routes =
        R"({"name":"old","match":{"prefix":"/old"},"auth":"public","target":{"redirect":{"status":301,"location":"https://{host}/new{path}{query}"}}})";
    Gateway gateway(config);
    const Reply reply = get(gateway.port(), "/old/x?a=1", {{"Host", "a.test:81"}});
    CHECK(reply.status == 301);
    CHECK(reply.header("Location") == "https://a.test/new/old/x?a=1");
    // HTTP/1.0 may have no Host.
    CHECK(status_of(exchange(gateway.port(), "GET /old HTTP/1.0\r\n\r\n")) == 400);
}

TEST_CASE("TLS: the certificate follows the name, and a reload brings a new one without a drop") {
    TemporaryDirectory files;
    const auto write_pair = [&](const std::string& name, const std::string& common_name) {
        const TestCertificate made = make_certificate(common_name);
        files.write(name + ".pem", made.certificate);
        files.write(name + ".key", made.key);
    };
    write_pair("a", "a.test");
    write_pair("wild", "*.b.test");
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    const auto certificate = [&](const std::string& name, const std::string& names) {
        return R"({"certificate_file":")" + files.path() + "/" + name + R"(.pem","key_file":")" +
               files.path() + "/" + name + R"(.key","server_names":[)" + names + "]}";
    };
    config.listener_more = R"("tls":{"certificates":[)" + certificate("a", "") + "," +
                           certificate("wild", R"("*.b.test")") + "]}";
    Gateway gateway(config);
    TlsClient first(gateway.port(), "a.test");
    CHECK(first.common_name() == "a.test");
    CHECK(TlsClient(gateway.port(), "x.b.test").common_name() == "*.b.test");
    CHECK(TlsClient(gateway.port(), "other.test").common_name() == "a.test");
    CHECK(first.get("/one").find("X-Forwarded-Proto: https\r\n") != std::string::npos);
    write_pair("a", "new.test");
    gateway.process().signal(SIGHUP);
    REQUIRE(gateway.process().wait_output("\"event\":\"reloaded\""));
    CHECK(first.get("/two").find("GET /two ") != std::string::npos);
    bool changed = false;
    for (int i = 0; i < 200 && !changed; ++i)
        changed = TlsClient(gateway.port(), "a.test").common_name() == "new.test";
    CHECK(changed);
    // A client may be slow to say whom it wants: its handshake goes on with the certificates it began with.
    {
        RawConnection slow(gateway.port());
        CHECK(first.get("/before").find("GET /before ") != std::string::npos);
        write_pair("wild", "*.c.test");
        const double before = gateway.metric("gateway_reloads_total{result=\"done\"}");
        for (int i = 0; i < 3; ++i)
            CHECK(request(gateway.admin_port(), "POST", "/reload", {bearer(kAdminToken)}).status == 200);
        REQUIRE(gateway.wait_metric("gateway_reloads_total{result=\"done\"}", before + 3));
        CHECK(first.get("/after").find("GET /after ") != std::string::npos);
        CHECK(TlsClient(std::move(slow), "x.b.test").common_name() == "*.b.test");
        CHECK(TlsClient(gateway.port(), "x.b.test").common_name() == "*.c.test");
    }
    // Nothing older than TLS 1.2.
    CHECK_THROWS(TlsClient(RawConnection(gateway.port()), "a.test", TLS1_1_VERSION));
    CHECK(TlsClient(RawConnection(gateway.port()), "a.test", TLS1_2_VERSION).common_name() == "new.test");
    // A large body in both directions over TLS.
    TlsClient big(gateway.port(), "a.test");
    CHECK(big.post("/big", std::string(900'000, 'b')).size() > 900'000);
    // Plain HTTP on a TLS port is no HTTP.
    CHECK(exchange(gateway.port(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n").find("HTTP/1.1 200") ==
          std::string::npos);
}

TEST_CASE("an upstream over TLS is verified") {
    TemporaryDirectory files;
    const TestCertificate made = make_certificate("localhost");
    files.write("up.pem", made.certificate);
    TlsEchoServer upstream(made);
    const std::string endpoint = "localhost:" + std::to_string(upstream.port());
    {
        Gateway gateway(
            Gateway::in_front_of(endpoint, "", R"("tls":{"ca_file":")" + files.path() + R"(/up.pem"})"));
        CHECK(get(gateway.port(), "/x").status == 200);
        CHECK(get(gateway.port(), "/x").status == 200);
    }
    Gateway gateway(Gateway::in_front_of(endpoint, "", R"("tls":{})"));
    CHECK(get(gateway.port(), "/x").status == 503);
}

TEST_CASE("a reload reads the certificates that an upstream is checked with again") {
    TemporaryDirectory files;
    const TestCertificate made = make_certificate("localhost");
    files.write("trusted.pem", make_certificate("localhost").certificate);  // of somebody else
    TlsEchoServer upstream(made);
    GatewayConfig config = Gateway::in_front_of("localhost:" + std::to_string(upstream.port()), "",
                                                R"("tls":{"ca_file":")" + files.path() + R"(/trusted.pem"})");
    Gateway gateway(config);
    CHECK(get(gateway.port(), "/x").status == 503);
    const auto reload = [&] {
        return request(gateway.admin_port(), "POST", "/reload", {bearer(kAdminToken)}).status;
    };
    files.write("trusted.pem", made.certificate);
    CHECK(reload() == 200);
    CHECK(get(gateway.port(), "/x").status == 200);
    // A file that is no certificate is refused, and what was trusted stays.
    files.write("trusted.pem", "nothing");
    CHECK(reload() == 422);
    CHECK(get(gateway.port(), "/x").status == 200);
}

}  // namespace test
