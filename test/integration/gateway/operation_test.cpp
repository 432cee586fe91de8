// Reload, drain, admin port, start-up errors, explain.
#include <catch2/catch.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>

#include <atomic>
#include <thread>

#include "gateway/wire/websocket.hpp"
#include "test/integration/gateway/fake_upstream.hpp"
#include "test/integration/gateway/gateway_process.hpp"
#include "test/support/load.hpp"

namespace test {

using std::chrono::milliseconds;

namespace {

bool wait_until(const std::function<bool()>& condition, milliseconds timeout = milliseconds(10'000)) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    while (std::chrono::steady_clock::now() < until) {
        if (condition()) return true;
        std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
}

FakeUpstream::Script named_or_tunnel(const std::string& name) {
    return [name](UpstreamConnection& connection) {
        while (true) {
            const std::string head = connection.read_head();
            if (head.starts_with("GET /events ")) {
                connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
                for (int i = 0;; ++i) {
                    connection.send("data: " + std::to_string(i) + "\n\n");
                    std::this_thread::sleep_for(milliseconds(20));
                }
            }
            if (header_of(head, "Upgrade") != "websocket") {
                connection.answer(name);
                continue;
            }
            connection.send(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: " +
                gateway::wire::websocket_accept(header_of(head, "Sec-WebSocket-Key")) + "\r\n\r\n");
            while (true) connection.send(connection.read_exactly(1));
        }
    };
}

const std::string kHandshake =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
    "13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

}  // namespace

TEST_CASE("twenty reloads under load fail no request and break no tunnel and no event stream") {
    FakeUpstream one(named_or_tunnel("one"));
    FakeUpstream two(named_or_tunnel("two"));
    GatewayConfig first = Gateway::in_front_of(one.endpoint(), R"("websocket":true)");
    GatewayConfig second = Gateway::in_front_of(two.endpoint(), R"("websocket":true)");
    first.workers = second.workers = "2";
    Gateway gateway(first);
    std::vector<std::unique_ptr<RawConnection>> tunnels;
    for (int i = 0; i < 50; ++i) {
        tunnels.push_back(std::make_unique<RawConnection>(gateway.port()));
        tunnels.back()->send(kHandshake);
        REQUIRE(status_of(tunnels.back()->read_until("\r\n\r\n")) == 101);
    }
    std::vector<std::unique_ptr<RawConnection>> streams;
    for (int i = 0; i < 5; ++i) {
        streams.push_back(std::make_unique<RawConnection>(gateway.port()));
        streams.back()->send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        REQUIRE(streams.back()->read_until("data: 0\n\n").find("data: 0\n\n") != std::string::npos);
    }
    const std::string get_x = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    Load lasting(gateway.port(), 4, get_x);
    Load fresh(gateway.port(), 2, get_x, 3);
    for (int i = 0; i < 20; ++i) {
        gateway.rewrite(i % 2 == 0 ? second : first);
        if (i % 4 < 2) {
            const double wanted = gateway.metric("gateway_reloads_total{result=\"done\"}") + 1;
            gateway.process().signal(SIGHUP);
            REQUIRE(gateway.wait_metric("gateway_reloads_total{result=\"done\"}", wanted));
        } else {
            REQUIRE(request(gateway.admin_port(), "POST", "/reload", {bearer(kAdminToken)}).status == 200);
        }
        REQUIRE(wait_until([&] { return get(gateway.port(), "/x").body == (i % 2 == 0 ? "two" : "one"); }));
        REQUIRE(lasting.wait_good(20));
    }
    lasting.stop();
    fresh.stop();
    INFO(lasting.bad_ones() << " | " << fresh.bad_ones());
    CHECK(lasting.bad() + fresh.bad() == 0);
    CHECK(lasting.good() >= 400);
    CHECK(fresh.good() >= 20);
    for (auto& tunnel : tunnels) {
        tunnel->send("still here");
        CHECK(tunnel->read_until("still here") == "still here");
    }
    for (auto& stream : streams) {
        stream->read_some();  // what has come meanwhile
        CHECK(stream->read_until("\n\n").find("data: ") != std::string::npos);
        CHECK_FALSE(stream->closed_by_peer());
    }
}

TEST_CASE("a file that changes while it is being read again is read once more") {
    FakeUpstream one(named_or_tunnel("one"));
    FakeUpstream two(named_or_tunnel("two"));
    // Each reload looks many names up, so that the second signal comes while the first one's are under way.
    const auto config_for = [](const FakeUpstream& upstream) {
        GatewayConfig config = Gateway::in_front_of("localhost:" + std::to_string(upstream.port()));
        for (int i = 0; i < 40; ++i)
            config.clusters += R"(,{"name":"n)" + std::to_string(i) + R"(","endpoints":["localhost:)" +
                               std::to_string(upstream.port()) + R"("],"health":{"enabled":false}})";
        return config;
    };
    Gateway gateway(config_for(one));
    for (int i = 0; i < 10; ++i) {
        const FakeUpstream& wanted = i % 2 == 0 ? two : one;
        GatewayConfig meanwhile = config_for(wanted);
        meanwhile.client = R"("max_headers":50)";
        gateway.rewrite(meanwhile);
        gateway.process().signal(SIGHUP);
        std::this_thread::sleep_for(milliseconds(2));
        gateway.rewrite(config_for(wanted));
        gateway.process().signal(SIGHUP);
        REQUIRE(wait_until([&] { return get(gateway.port(), "/x").body == (i % 2 == 0 ? "two" : "one"); }));
        REQUIRE(wait_until([&] {
            return get(gateway.admin_port(), "/config").body.find("\"max_headers\":100") != std::string::npos;
        }));
    }
}

TEST_CASE("a reload gives a route no second set of places") {
    std::atomic<bool> go{false};
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        connection.read_head();
        while (!go) std::this_thread::sleep_for(milliseconds(2));
        connection.answer("ok");
    });
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint(), R"("limits":{"in_flight":{"max":1}})");
    Gateway gateway(config);
    auto first = std::async(std::launch::async, [&] { return get(gateway.port(), "/x").status; });
    CHECK(upstream.wait_received("GET /x"));
    config.client = R"("max_headers":90)";
    gateway.rewrite(config);
    CHECK(request(gateway.admin_port(), "POST", "/reload", {bearer(kAdminToken)}).status == 200);
    for (int i = 0; i < 5; ++i) CHECK(get(gateway.port(), "/y").status == 503);
    go = true;
    CHECK(first.get() == 200);
    CHECK(get(gateway.port(), "/z").status == 200);
}

TEST_CASE("after SIGTERM balancers get their time: still served, but not ready") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.routes =
        R"({"name":"ready","match":{"path":"/ready"},"auth":"public","target":{"builtin":"ready"}},)" +
        config.routes;
    config.more = R"("shutdown":{"drain_delay_ms":1500,"grace_ms":3000})";
    Gateway gateway(config);
    CHECK(get(gateway.port(), "/ready").status == 200);
    gateway.process().signal(SIGTERM);
    REQUIRE(gateway.process().wait_output("draining"));
    const Reply ready = get(gateway.port(), "/ready");
    CHECK(ready.status == 503);
    CHECK(ready.body.find("draining") != std::string::npos);
    CHECK(get(gateway.admin_port(), "/readyz").status == 503);
    CHECK(get(gateway.admin_port(), "/healthz").status == 200);
    CHECK(get(gateway.port(), "/x").status == 200);
    CHECK(gateway.process().wait_exit(milliseconds(10'000)) == 0);
}

TEST_CASE("a bad file is refused with its reasons, and the old configuration stays") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig good = Gateway::in_front_of(upstream.endpoint());
    Gateway gateway(good);
    GatewayConfig bad = good;
    bad.routes += R"(,{"name":"no-rule","match":{"prefix":"/y"},"target":{"cluster":"up"}})";
    gateway.rewrite(bad);
    const Reply refused = request(gateway.admin_port(), "POST", "/reload", {bearer(kAdminToken)});
    CHECK(refused.status == 422);
    CHECK(refused.body.find("/routes/1") != std::string::npos);
    CHECK(get(gateway.port(), "/x").status == 200);
    gateway.process().signal(SIGHUP);
    CHECK(gateway.process().wait_output("reload_refused"));
    CHECK(get(gateway.port(), "/x").status == 200);
    CHECK(gateway.metric("gateway_reloads_total{result=\"refused\"}") >= 1);
}

TEST_CASE("SIGTERM lets what is under way finish, and takes nothing new") {
    std::atomic<bool> go{false};
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        connection.read_head();
        while (!go) std::this_thread::sleep_for(milliseconds(2));
        connection.answer("finished");
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    RawConnection idle(gateway.port());
    RawConnection busy(gateway.port());
    busy.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(upstream.wait_received("GET /x"));
    gateway.process().signal(SIGTERM);
    // Idle connections close, the port is closed, the request goes on.
    idle.read_to_end(milliseconds(5000));
    CHECK(idle.closed_by_peer());
    CHECK(wait_until([&] {
        try {
            RawConnection late(gateway.port());
            return false;
        } catch (const std::exception&) {
            return true;
        }
    }));
    CHECK(gateway.process().running());
    go = true;
    const std::string answer = busy.read_to_end();
    CHECK(answer.ends_with("\r\n\r\nfinished"));
    CHECK(answer.find("Connection: close\r\n") != std::string::npos);
    CHECK(gateway.process().wait_exit() == 0);
}

TEST_CASE("with a drain delay it takes new connections, but keeps none, until others are found") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.routes =
        R"({"name":"ready","match":{"path":"/ready"},"auth":"public","target":{"builtin":"ready"}},)" +
        config.routes;
    config.more = R"("shutdown":{"drain_delay_ms":1500})";
    Gateway gateway(config);
    RawConnection kept(gateway.port());
    kept.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(kept.read_until("\r\n\r\n").find("Connection: close") == std::string::npos);
    RawConnection idle(gateway.port());
    gateway.process().signal(SIGTERM);
    CHECK(wait_until([&] { return get(gateway.port(), "/ready").status == 503; }));
    CHECK(get(gateway.port(), "/x").status == 200);
    // Idle connections are left alone, because their clients may be about to send; the next answer ends each.
    for (RawConnection* client : {&kept, &idle}) {
        client->send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        const std::string answer = client->read_to_end(milliseconds(1000));
        CHECK(status_of(answer) == 200);
        CHECK(answer.find("Connection: close") != std::string::npos);
        CHECK(client->closed_by_peer());
    }
    CHECK(gateway.process().wait_exit(milliseconds(5000)) == 0);
}

TEST_CASE("what has not finished within the grace is ended") {
    FakeUpstream upstream([](UpstreamConnection& connection) { connection.read_to_end(); });
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.more = R"("shutdown":{"grace_ms":300})";
    Gateway gateway(config);
    RawConnection client(gateway.port());
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(upstream.wait_received("GET /x"));
    gateway.process().signal(SIGTERM);
    CHECK(gateway.process().wait_exit(milliseconds(5000)) == 0);
}

TEST_CASE("a second signal ends it at once") {
    FakeUpstream upstream([](UpstreamConnection& connection) { connection.read_to_end(); });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    RawConnection client(gateway.port());
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(upstream.wait_received("GET /x"));
    gateway.process().signal(SIGTERM);
    REQUIRE(gateway.process().wait_output("draining"));
    gateway.process().signal(SIGINT);
    CHECK(gateway.process().wait_exit(milliseconds(3000)) == 130);
}

TEST_CASE("a port that is taken stops the start with the setting's name") {
    FakeUpstream upstream(FakeUpstream::echo);
    FakeUpstream other(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    Gateway first(config);
    TemporaryDirectory directory;
    const std::string file = directory.write("gateway.json", config.text());
    // By another process, and by another gateway: SO_REUSEPORT must not let two share a port unnoticed.
    for (const std::uint16_t port : {other.port(), first.port()}) {
        Process second(binary("gateway"), {"run", "--config", file},
                       {{"JWT_SECRET", kJwtSecret}, {"PORT", std::to_string(port)}});
        CHECK(second.wait_exit() == 1);
        CHECK(second.wait_output("listeners/0"));
        CHECK(second.output().find(std::to_string(port)) != std::string::npos);
    }
}

TEST_CASE("a bad configuration stops the start and says all that is wrong") {
    GatewayConfig config = Gateway::in_front_of("127.0.0.1:1");
    config.routes += R"(,{"name":"a","match":{"prefix":"/a"},"target":{"cluster":"nowhere"}})";
    config.client = R"("head_timeot_ms":1)";
    TemporaryDirectory directory;
    const std::string file = directory.write("gateway.json", config.text());
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"run", "--config", file}, std::vector<std::string>{"check", file}}) {
        Process process(binary("gateway"), arguments, {{"JWT_SECRET", kJwtSecret}});
        CHECK(process.wait_exit() == 2);
        CHECK(process.output().find("head_timeot_ms") != std::string::npos);
        CHECK(process.wait_output("/routes/1"));
        CHECK(process.output().find(kJwtSecret) == std::string::npos);
    }
    Process missing(binary("gateway"), {"run", "--config", directory.path() + "/none.json"}, {});
    CHECK(missing.wait_exit() == 2);
}

TEST_CASE("the admin port shows routes, clusters, configuration and numbers") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    CHECK(get(gateway.port(), "/a?secret=1").status == 200);
    CHECK(request(gateway.port(), "BREW", "/a").status == 501);
    CHECK(get(gateway.admin_port(), "/healthz").status == 200);
    CHECK(get(gateway.admin_port(), "/readyz").status == 200);
    CHECK(get(gateway.admin_port(), "/routes").body.find("\"name\":\"open-\"") != std::string::npos);
    CHECK(get(gateway.admin_port(), "/clusters").body.find(upstream.endpoint()) != std::string::npos);
    const std::string config = get(gateway.admin_port(), "/config").body;
    CHECK(config.find("kampus-auth") != std::string::npos);
    CHECK(config.find(kJwtSecret) == std::string::npos);
    CHECK(gateway.metric("gateway_requests_total{route=\"open-\",status=\"2xx\"}") == 1);
    CHECK(gateway.metric("gateway_refusals_total{reason=\"method_unknown\"}") == 1);
    CHECK(gateway.metric("gateway_request_duration_seconds_count{route=\"open-\"}") == 1);
    // The admin port is not reachable through the public one.
    CHECK(get(gateway.port(), "/metrics").body.find("gateway_requests_total") == std::string::npos);
}

TEST_CASE("the access log has a line a request, with the path but not the query") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    CHECK(get(gateway.port(), "/a/b?secret=1", {{"X-Request-Id", "id-1"}, {"User-Agent", "a\"b"}})
              .header("X-Request-Id") == "id-1");
    REQUIRE(gateway.process().wait_output("\"request_id\":\"id-1\""));
    const std::string output = gateway.process().output();
    CHECK(output.find("\"path\":\"/a/b\"") != std::string::npos);
    CHECK(output.find("secret=1") == std::string::npos);
    CHECK(output.find("\"user_agent\":\"a\\\"b\"") != std::string::npos);
    CHECK(output.find("\"status\":200") != std::string::npos);
}

TEST_CASE("explain tells route, rule, upstream and limits without sending anything") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config;
    config.clusters = cluster_of(upstream.endpoint(), R"("in_flight":{"max":7,"queue":3})");
    config.routes =
        R"({"name":"nilai","match":{"prefix":"/api"},"auth":{"issuer":"kampus","roles":["dosen"]},)"
        R"("target":{"cluster":"up","strip_prefix":"/api"},)"
        R"("limits":{"body_bytes":4321,"rate_limits":["few"],"in_flight":{"max":5}},"timeouts":{"total_ms":9000}})";
    config.more =
        R"("rate_limits":[{"name":"few","key":["address","route"],"requests":11,"period_ms":60000}])";
    TemporaryDirectory directory;
    const std::string file = directory.write("gateway.json", config.text());
    const auto explain = [&](std::vector<std::string> more, int code) {
        std::vector<std::string> arguments{"explain", "--config", file};
        arguments.insert(arguments.end(), more.begin(), more.end());
        Process process(binary("gateway"), arguments, {{"JWT_SECRET", kJwtSecret}});
        CHECK(process.wait_exit() == code);
        process.wait_output("answer ");  // its last line: the reader may be a little behind the exit
        return process.output();
    };
    CHECK(explain({"GET", "http://a.test/api/x"}, 1).find("401") != std::string::npos);
    TokenClaims claims;
    CHECK(explain({"GET", "/api/x", "--token", mint_token(claims)}, 1).find("403") != std::string::npos);
    claims.role = "dosen";
    const std::string good = explain({"GET", "/api/x", "--token", mint_token(claims)}, 0);
    CHECK(good.find("nilai") != std::string::npos);
    for (const std::string& part :
         {upstream.endpoint(), std::string("prefix /api fits"), std::string("roles: dosen"),
          std::string("path         /x"), std::string("4321 bytes"), std::string("few: 11 per 60000 ms"),
          std::string("address + route"), std::string("route: at most 5"),
          std::string("cluster: at most 7, 3 may wait"), std::string("total 9000 ms"),
          std::string("budget 20 %"), std::string("role dosen")}) {
        INFO(part << " in\n" << good);
        CHECK(good.find(part) != std::string::npos);
    }
    CHECK(explain({"GET", "/other"}, 1).find("404") != std::string::npos);
    CHECK(explain({"GET", "/api/%2e%2e%2fx"}, 1).find("strict reader") != std::string::npos);
    CHECK(upstream.connections() == 0);
}

TEST_CASE("several workers serve one port") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.workers = "3";
    Gateway gateway(config);
    for (int i = 0; i < 50; ++i) CHECK(get(gateway.port(), "/x").status == 200);
    CHECK(gateway.metric("gateway_workers ") == 3);
    CHECK(gateway.metric("gateway_requests_total{route=\"open-\",status=\"2xx\"}") == 50);
}

TEST_CASE("the admin port answers to addresses, not to names that may lead a browser to it") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of("127.0.0.1:" + std::to_string(upstream.port())));
    const auto status = [&](const char* method, const char* path,
                            std::vector<std::pair<std::string, std::string>> headers) {
        return request(gateway.admin_port(), method, path, headers).status;
    };
    for (const char* path : {"/metrics", "/healthz", "/readyz", "/routes", "/clusters", "/config"}) {
        INFO(path);
        for (const char* host : {"127.0.0.1", "localhost:9901", "[::1]:1"})
            CHECK(status("GET", path, {{"Host", host}}) == 200);
        for (const char* host : {"evil.test", "localhost.evil.test", "127.0.0.1.evil.test:9901"})
            CHECK(status("GET", path, {{"Host", host}}) == 403);
        CHECK(status("GET", path, {{"Origin", "https://evil.test"}}) == 403);
    }
    CHECK(status("POST", "/reload", {}) == 401);
    CHECK(status("POST", "/reload", {bearer("another")}) == 401);
    CHECK(status("POST", "/reload", {bearer(kAdminToken), {"Origin", "null"}}) == 403);
    CHECK(status("POST", "/reload", {bearer(kAdminToken), {"Host", "evil.test"}}) == 403);
    CHECK(status("POST", "/reload", {bearer(kAdminToken)}) == 200);
}

TEST_CASE("security events have a stream of their own") {
    FakeUpstream upstream(FakeUpstream::echo);
    std::string path = "/tmp/security_log_XXXXXX";
    const int file = ::mkstemp(path.data());
    REQUIRE(file >= 0);
    ::close(file);
    GatewayConfig config;
    config.clusters = cluster_of(upstream.endpoint());
    config.routes =
        R"({"name":"closed","match":{"prefix":"/x"},"auth":{"issuer":"kampus"},"target":{"cluster":"up"}})";
    config.more = R"("access_log":{"security_path":")" + path + R"("})";
    Gateway gateway(config);
    CHECK(get(gateway.port(), "/x/refused").status == 401);
    CHECK(get(gateway.port(), "/unrouted").status == 404);
    CHECK(request(gateway.admin_port(), "POST", "/reload", {}).status == 401);
    CHECK(request(gateway.admin_port(), "POST", "/reload", {bearer(kAdminToken)}).status == 200);
    REQUIRE(gateway.process().wait_output("/unrouted"));
    gateway.process().signal(SIGTERM);
    REQUIRE(gateway.process().wait_exit(milliseconds(10'000)) == 0);
    std::ifstream stream(path);
    const std::string log{std::istreambuf_iterator<char>(stream), {}};
    ::unlink(path.c_str());
    const auto has = [&](std::string_view part) { return log.find(part) != std::string::npos; };
    CHECK(has(R"("path":"/x/refused","status":401)"));
    CHECK(has(R"("route":"admin","method":"POST","path":"/reload","status":401)"));
    CHECK(has(R"("route":"admin","method":"POST","path":"/reload","status":200)"));
    CHECK(has(R"("event":"reloaded")"));
    CHECK_FALSE(has("/unrouted"));
    CHECK_FALSE(has(kAdminToken));
    CHECK(gateway.process().output().find("/x/refused") == std::string::npos);
}

}  // namespace test
