// What happens when upstreams are dead, slow, many or overloaded.
#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "test/integration/gateway/fake_upstream.hpp"
#include "test/integration/gateway/gateway_process.hpp"
#include "test/support/gate.hpp"
#include "test/support/load.hpp"

namespace test {

using std::chrono::milliseconds;

namespace {

FakeUpstream::Script named(const std::string& name, milliseconds delay = milliseconds(0)) {
    return [name, delay](UpstreamConnection& connection) {
        while (true) {
            read_body_of(connection, connection.read_head());
            std::this_thread::sleep_for(delay);
            connection.answer(name);
        }
    };
}

std::string cluster_of_many(const std::vector<std::string>& endpoints, const std::string& more) {
    std::string list;
    for (const std::string& endpoint : endpoints) list += (list.empty() ? "" : ",") + endpoint;
    return R"({"name":"up","endpoints":[)" + list + R"(],"health":{"enabled":false},)" + more + "}";
}

std::string quoted(const std::string& text) {
    return "\"" + text + "\"";
}

// A port on which nobody listens.
std::string dead_endpoint() {
    FakeUpstream gone(FakeUpstream::echo);
    return gone.endpoint();
}

}  // namespace

TEST_CASE("a dead upstream is a 503 with Retry-After, and recovery needs no restart") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gate gate(upstream.port());
    Gateway gateway(Gateway::in_front_of("127.0.0.1:" + std::to_string(gate.port()), "",
                                         R"("breaker":{"enabled":false},"outlier":{"enabled":false})"));
    CHECK(get(gateway.port(), "/x").status == 200);
    gate.shut();
    const Reply down = get(gateway.port(), "/x");
    CHECK(down.status == 503);
    CHECK(down.has_header("Retry-After"));
    CHECK(down.text("code") == "upstream_unavailable");
    CHECK(request(gateway.port(), "POST", "/x", {}, "body").status == 503);
    gate.open();
    CHECK(get(gateway.port(), "/x").status == 200);
    CHECK(request(gateway.port(), "POST", "/x", {}, "body").status == 200);
}

TEST_CASE("a pooled connection that dies under a request is replaced without the client noticing") {
    // The upstream answers once, and closes only when the second request has come: nobody could have known.
    FakeUpstream upstream([](UpstreamConnection& connection) {
        connection.read_head();
        connection.answer("first");
        connection.read_head();
        connection.reset();
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    for (int i = 0; i < 5; ++i) {
        const Reply reply = get(gateway.port(), "/x");
        CHECK(reply.status == 200);
        CHECK(reply.body == "first");
    }
    CHECK(gateway.metric("gateway_silent_retries_total ") == 4);
}

TEST_CASE("a POST is not sent twice when its connection dies") {
    std::atomic<int> posts{0};
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        connection.read_head();
        connection.answer("first");
        read_body_of(connection, connection.read_head());
        ++posts;
        connection.reset();
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), "", R"("retry":{"attempts":3})"));
    CHECK(get(gateway.port(), "/x").status == 200);
    CHECK(request(gateway.port(), "POST", "/x", {}, "pay").status == 502);
    CHECK(posts == 1);
}

TEST_CASE("a pooled connection that the upstream has closed is not used, not even for a POST") {
    std::atomic<int> closed{0};
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        read_body_of(connection, connection.read_head());
        connection.answer("once");  // keep-alive by its head, closed all the same
        connection.shutdown_send();
        ++closed;
        connection.read_to_end();
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), "", R"("retry":{"attempts":0})"));
    for (int i = 0; i < 20; ++i) {
        CHECK(request(gateway.port(), "POST", "/x", {}, "body").status == 200);
        // Only then it is the gateway's business to know.
        for (int wait = 0; wait < 5000 && closed <= i; ++wait) std::this_thread::sleep_for(milliseconds(1));
    }
}

TEST_CASE("a failed connect goes on to another endpoint, whatever the method") {
    FakeUpstream upstream(named("alive"));
    GatewayConfig config;
    config.clusters =
        cluster_of_many({quoted(dead_endpoint()), quoted(upstream.endpoint())},
                        R"("balancer":"round_robin","outlier":{"enabled":false},"breaker":{"enabled":false},)"
                        R"("retry":{"attempts":1,"backoff_ms":0,"budget_min_per_second":100})");
    config.routes = open_route("/");
    Gateway gateway(config);
    for (int i = 0; i < 20; ++i) CHECK(request(gateway.port(), "POST", "/x", {}, "body").body == "alive");
    CHECK(gateway.metric("gateway_retries_total ") >= 10);
}

TEST_CASE("retries end where their budget ends") {
    GatewayConfig config;
    config.clusters = cluster_of_many(
        {quoted(dead_endpoint()), quoted(dead_endpoint())},
        R"("balancer":"round_robin","outlier":{"enabled":false},"breaker":{"enabled":false},)"
        R"("retry":{"attempts":3,"backoff_ms":0,"budget_percent":0,"budget_min_per_second":2})");
    config.routes = open_route("/");
    Gateway gateway(config);
    for (int i = 0; i < 10; ++i) CHECK(get(gateway.port(), "/x").status == 503);
    // 2 at once and 2 a second: ten fast failures cannot have had thirty retries.
    CHECK(gateway.metric("gateway_retries_total ") <= 6);
    CHECK(gateway.metric("gateway_retries_over_budget_total ") >= 4);
}

TEST_CASE("the retry budget is there without being asked for, and does not grow with the workers") {
    GatewayConfig config;
    config.clusters = cluster_of_many({quoted(dead_endpoint()), quoted(dead_endpoint())},
                                      R"("outlier":{"enabled":false},"breaker":{"enabled":false})");
    config.routes = open_route("/");
    config.workers = "4";
    Gateway gateway(config);
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 60; ++i) CHECK(get(gateway.port(), "/x").status == 503);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    // Defaults: 20 % of 60 requests, and 3 a second of all workers together.
    const double retries = gateway.metric("gateway_retries_total ");
    CHECK(retries >= 3);
    CHECK(retries <= 12 + 3 * (1 + seconds));
    CHECK(gateway.metric("gateway_retries_over_budget_total ") >= 30 - 3 * seconds);
}

TEST_CASE("an answer that says 'not me' is asked for elsewhere, for idempotent methods only") {
    FakeUpstream bad([](UpstreamConnection& connection) {
        while (true) {
            read_body_of(connection, connection.read_head());
            connection.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nbad");
        }
    });
    FakeUpstream good(named("good"));
    GatewayConfig config;
    config.clusters =
        cluster_of_many({quoted(bad.endpoint()), quoted(good.endpoint())},
                        R"("balancer":"round_robin","outlier":{"enabled":false},"breaker":{"enabled":false},)"
                        R"("retry":{"attempts":1,"on_status":[503],"budget_min_per_second":100})");
    config.routes = open_route("/");
    Gateway gateway(config);
    for (int i = 0; i < 10; ++i) CHECK(get(gateway.port(), "/x").status == 200);
    int refused = 0;
    for (int i = 0; i < 10; ++i)
        refused += request(gateway.port(), "POST", "/x", {}, "b").status == 503 ? 1 : 0;
    CHECK(refused == 5);
}

TEST_CASE("weights share the requests out") {
    FakeUpstream a(named("a"));
    FakeUpstream b(named("b"));
    FakeUpstream none(named("none"));
    const auto endpoint = [](const FakeUpstream& upstream, int weight) {
        return R"({"address":")" + upstream.endpoint() + R"(","weight":)" + std::to_string(weight) + "}";
    };
    GatewayConfig config;
    config.clusters =
        cluster_of_many({endpoint(a, 3), endpoint(b, 1), endpoint(none, 0)}, R"("balancer":"round_robin")");
    config.routes = open_route("/");
    Gateway gateway(config);
    std::map<std::string, int> count;
    for (int i = 0; i < 40; ++i) ++count[get(gateway.port(), "/x").body];
    CHECK(count["a"] == 30);
    CHECK(count["b"] == 10);
    CHECK(count["none"] == 0);
}

TEST_CASE("one key stays with one endpoint, and moves only when that endpoint goes") {
    std::vector<std::unique_ptr<FakeUpstream>> upstreams;
    std::vector<std::unique_ptr<Gate>> gates;
    std::vector<std::string> endpoints;
    for (int i = 0; i < 4; ++i) {
        upstreams.push_back(std::make_unique<FakeUpstream>(named(std::to_string(i))));
        gates.push_back(std::make_unique<Gate>(upstreams.back()->port()));
        endpoints.push_back(quoted("127.0.0.1:" + std::to_string(gates.back()->port())));
    }
    GatewayConfig config;
    config.clusters = cluster_of_many(
        endpoints, R"("balancer":"hash","hash_on":"header:x-key","breaker":{"enabled":false},)"
                   R"("outlier":{"consecutive_failures":1,"base_ejection_ms":60000},)"
                   R"("retry":{"attempts":2,"backoff_ms":0,"budget_min_per_second":1000})");
    config.routes = open_route("/");
    Gateway gateway(config);
    std::map<int, std::string> home;
    std::map<std::string, int> used;
    for (int key = 0; key < 40; ++key) {
        home[key] = get(gateway.port(), "/x", {{"X-Key", "k" + std::to_string(key)}}).body;
        ++used[home[key]];
    }
    CHECK(used.size() == 4);
    for (int key = 0; key < 40; ++key)
        CHECK(get(gateway.port(), "/x", {{"X-Key", "k" + std::to_string(key)}}).body == home[key]);
    gates[0]->shut();
    for (int key = 0; key < 40; ++key) {
        const Reply reply = get(gateway.port(), "/x", {{"X-Key", "k" + std::to_string(key)}});
        CHECK(reply.status == 200);
        if (home[key] != "0")
            CHECK(reply.body == home[key]);
        else
            CHECK(reply.body != "0");
    }
}

TEST_CASE("health checks take an endpoint out and bring it back, and /ready follows") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gate gate(upstream.port());
    GatewayConfig config;
    config.clusters =
        R"({"name":"up","endpoints":["127.0.0.1:)" + std::to_string(gate.port()) +
        R"("],"health":{"path":"/healthz","interval_ms":100,"timeout_ms":500,"rise":2,"fall":2}})";
    config.routes =
        R"({"name":"ready","match":{"path":"/ready"},"auth":"public","target":{"builtin":"ready"}},)" +
        open_route("/");
    Gateway gateway(config);
    const auto wait_ready = [&](unsigned status) {
        for (int i = 0; i < 500; ++i) {
            if (get(gateway.port(), "/ready").status == status) return true;
            std::this_thread::sleep_for(milliseconds(10));
        }
        return false;
    };
    REQUIRE(wait_ready(200));
    CHECK(get(gateway.port(), "/ready").body == R"({"status":"ready","upstreams":{"up":"up"}})");
    CHECK(upstream.received().find("GET /healthz HTTP/1.1\r\n") != std::string::npos);
    gate.shut();
    REQUIRE(wait_ready(503));
    CHECK(get(gateway.port(), "/ready").body == R"({"status":"not_ready","upstreams":{"up":"down"}})");
    const Reply refused = get(gateway.port(), "/x");
    CHECK(refused.status == 503);
    CHECK(refused.has_header("Retry-After"));
    gate.open();
    REQUIRE(wait_ready(200));
    CHECK(get(gateway.port(), "/x").status == 200);
}

TEST_CASE("an endpoint that keeps failing is ejected, the other one carries on") {
    FakeUpstream bad([](UpstreamConnection& connection) {
        while (true) {
            connection.read_head();
            connection.send("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
            connection.read_head();
            connection.send("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        }
    });
    FakeUpstream good(named("good"));
    GatewayConfig config;
    config.clusters = cluster_of_many({quoted(bad.endpoint()), quoted(good.endpoint())},
                                      R"("balancer":"round_robin","breaker":{"enabled":false},)"
                                      R"("outlier":{"consecutive_failures":1,"base_ejection_ms":60000,)"
                                      R"("max_ejected_percent":50,"panic_percent":10})");
    config.routes = open_route("/");
    Gateway gateway(config);
    int failed = 0;
    for (int i = 0; i < 30; ++i) failed += get(gateway.port(), "/x").status >= 500 ? 1 : 0;
    CHECK(failed == 2);  // a 500 is the application's own business, the 502 after it ejects
    CHECK(get(gateway.admin_port(), "/clusters").body.find("\"ejected\":true") != std::string::npos);
}

TEST_CASE("a circuit opens, answers at once, lets a few requests try, and closes") {
    std::atomic<bool> broken{true};
    std::atomic<int> asked{0};
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        while (true) {
            connection.read_head();
            ++asked;
            if (broken)
                connection.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
            else
                connection.answer("ok");
        }
    });
    Gateway gateway(Gateway::in_front_of(
        upstream.endpoint(), "",
        R"("outlier":{"enabled":false},"breaker":{"failure_percent":50,"min_requests":10,"window_ms":60000,)"
        R"("open_for_ms":600,"half_open_requests":2})"));
    for (int i = 0; i < 10; ++i) CHECK(get(gateway.port(), "/x").status == 503);
    CHECK(asked == 10);
    const Reply open = get(gateway.port(), "/x");
    CHECK(open.status == 503);
    CHECK(open.text("code") == "circuit_open");
    CHECK(open.has_header("Retry-After"));
    CHECK(asked == 10);
    CHECK(gateway.metric("gateway_circuit_open{cluster=\"up\"}") == 2);
    broken = false;
    for (int i = 0; i < 300 && get(gateway.port(), "/x").status != 200; ++i)
        std::this_thread::sleep_for(milliseconds(10));
    CHECK(get(gateway.port(), "/x").status == 200);
    CHECK(get(gateway.port(), "/x").status == 200);
    CHECK(gateway.metric("gateway_circuit_open{cluster=\"up\"}") == 0);
}

TEST_CASE("an in-flight limit lets some wait, and refuses the rest at once") {
    std::atomic<int> busy{0};
    std::atomic<int> most{0};
    std::atomic<bool> go{false};
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        while (true) {
            connection.read_head();
            const int now = ++busy;
            most = std::max(most.load(), now);
            while (!go) std::this_thread::sleep_for(milliseconds(2));
            --busy;
            connection.answer("ok");
        }
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), "",
                                         R"("in_flight":{"max":2,"queue":2,"queue_timeout_ms":8000})"));
    std::atomic<int> good{0};
    std::atomic<int> refused{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 6; ++i)
        clients.emplace_back([&] { ++(get(gateway.port(), "/x").status == 200 ? good : refused); });
    for (int i = 0; i < 500 && refused < 2; ++i) std::this_thread::sleep_for(milliseconds(10));
    CHECK(refused == 2);
    go = true;
    for (std::thread& client : clients) client.join();
    CHECK(good == 4);
    CHECK(most == 2);
    CHECK(gateway.metric("gateway_queued_total ") == 2);
}

TEST_CASE("who waits too long for a place is told so") {
    FakeUpstream upstream(named("slow", milliseconds(1500)));
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), "",
                                         R"("in_flight":{"max":1,"queue":5,"queue_timeout_ms":200})"));
    auto first = std::async(std::launch::async, [&] { return get(gateway.port(), "/x").status; });
    CHECK(upstream.wait_received("GET /x"));
    const Reply late = get(gateway.port(), "/y");
    CHECK(late.status == 503);
    CHECK(late.text("code") == "queue_timeout");
    CHECK(first.get() == 200);
}

TEST_CASE("waiting for a place or for a connection counts against the limit of the whole exchange") {
    FakeUpstream upstream(named("slow", milliseconds(3000)));
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint(), "",
                                                R"("in_flight":{"max":1,"queue":5,"queue_timeout_ms":9000})");
    config.routes = open_route("/quick", R"("timeouts":{"total_ms":400})") + "," + config.routes;
    Gateway gateway(config);
    auto first = std::async(std::launch::async, [&] { return get(gateway.port(), "/x").status; });
    CHECK(upstream.wait_received("GET /x"));
    const auto begin = std::chrono::steady_clock::now();
    const Reply late = get(gateway.port(), "/quick");
    CHECK(std::chrono::steady_clock::now() - begin < milliseconds(2000));
    CHECK(late.status == 504);
    CHECK(late.text("code") == "total_timeout");
    CHECK(first.get() == 200);
}

TEST_CASE("the Host of an endpoint is the one of the endpoint that is asked") {
    FakeUpstream a(FakeUpstream::echo);
    FakeUpstream b(FakeUpstream::echo);
    GatewayConfig config;
    config.clusters = cluster_of_many({quoted(dead_endpoint()), quoted(a.endpoint()), quoted(b.endpoint())},
                                      R"("balancer":"round_robin","outlier":{"enabled":false},)"
                                      R"("retry":{"attempts":2,"backoff_ms":0,"budget_min_per_second":100})");
    config.routes =
        R"({"name":"r","match":{"prefix":"/"},"auth":"public","target":{"cluster":"up","host":"endpoint"}})";
    Gateway gateway(config);
    for (int i = 0; i < 12; ++i) CHECK(get(gateway.port(), "/x").status == 200);
    for (const FakeUpstream* upstream : {&a, &b}) {
        const std::string seen = upstream->received();
        CHECK(seen.find("\r\nHost: " + upstream->endpoint() + "\r\n") != std::string::npos);
        std::size_t hosts = 0;
        for (std::size_t at = seen.find("\r\nHost: "); at != std::string::npos;
             at = seen.find("\r\nHost: ", at + 1)) {
            CHECK(seen.compare(at + 8, upstream->endpoint().size() + 2, upstream->endpoint() + "\r\n") == 0);
            ++hosts;
        }
        CHECK(hosts >= 4);
    }
}

TEST_CASE("pooled connections end by their idle time and by their age, and only so many are kept") {
    FakeUpstream upstream(FakeUpstream::echo);
    SECTION("idle") {
        std::atomic<bool> ended{false};
        FakeUpstream watched([&](UpstreamConnection& connection) {
            connection.read_head();
            connection.answer("ok");
            connection.read_to_end();
            ended = true;
        });
        Gateway gateway(Gateway::in_front_of(watched.endpoint(), "", R"("pool":{"idle_timeout_ms":300})"));
        CHECK(get(gateway.port(), "/x").status == 200);
        for (int i = 0; i < 500 && !ended; ++i) std::this_thread::sleep_for(milliseconds(10));
        CHECK(ended);
    }
    SECTION("age") {
        Gateway gateway(Gateway::in_front_of(upstream.endpoint(), "", R"("pool":{"max_age_ms":400})"));
        // Never idle for long, so that age alone can end it.
        const auto until = std::chrono::steady_clock::now() + milliseconds(1500);
        while (std::chrono::steady_clock::now() < until) CHECK(get(gateway.port(), "/x").status == 200);
        CHECK(upstream.connections() >= 2);
        CHECK(upstream.connections() <= 5);
    }
    SECTION("number") {
        Gateway gateway(Gateway::in_front_of(upstream.endpoint(), "", R"("pool":{"max_idle":0})"));
        for (int i = 0; i < 5; ++i) CHECK(get(gateway.port(), "/x").status == 200);
        CHECK(upstream.connections() == 5);
    }
    SECTION("a full pool lets requests wait where there is a queue") {
        std::atomic<int> busy{0};
        std::atomic<int> most{0};
        FakeUpstream slow([&](UpstreamConnection& connection) {
            while (true) {
                connection.read_head();
                most = std::max(most.load(), ++busy);
                std::this_thread::sleep_for(milliseconds(30));
                --busy;
                connection.answer("ok");
            }
        });
        Gateway gateway(Gateway::in_front_of(
            slow.endpoint(), "",
            R"("pool":{"max_connections":2},"in_flight":{"max":50,"queue":50,"queue_timeout_ms":9000})"));
        std::atomic<int> good{0};
        std::vector<std::thread> clients;
        for (int i = 0; i < 8; ++i)
            clients.emplace_back([&] { good += get(gateway.port(), "/x").status == 200 ? 1 : 0; });
        for (std::thread& client : clients) client.join();
        CHECK(good == 8);
        CHECK(most <= 2);
        CHECK(slow.connections() <= 2);
    }
}

TEST_CASE("a client that takes nothing of its answer is let go, and its upstream with it") {
    std::atomic<bool> ended{false};
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        connection.read_head();
        const std::string block(64 * 1024, 'x');
        try {
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
            for (int i = 0; i < 1600; ++i) connection.send(block);
        } catch (const std::exception&) {
            ended = true;
            throw;
        }
    });
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.client = R"("write_timeout_ms":400)";
    Gateway gateway(config);
    RawConnection client(gateway.port());
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 1000 && !ended; ++i) std::this_thread::sleep_for(milliseconds(10));
    CHECK(ended);
    CHECK(gateway.process().wait_output("client_write_timeout"));
}

TEST_CASE("a connection carries only as many requests as it may") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.client = R"("max_requests_per_connection":3)";
    Gateway gateway(config);
    const std::string one = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string answers = exchange(gateway.port(), one + one + one + one);
    std::size_t count = 0;
    for (std::size_t at = answers.find("HTTP/1.1 200"); at != std::string::npos;
         at = answers.find("HTTP/1.1 200", at + 1))
        ++count;
    CHECK(count == 3);
    CHECK(answers.find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE("an upstream that does not answer in time is a 504") {
    FakeUpstream upstream([](UpstreamConnection& connection) { connection.read_to_end(); });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), "", R"("timeouts":{"first_byte_ms":300})"));
    const Reply reply = get(gateway.port(), "/x");
    CHECK(reply.status == 504);
    CHECK(reply.text("code") == "upstream_timeout");
}

TEST_CASE("an upstream that stops in the middle of its answer is cut off") {
    FakeUpstream upstream([](UpstreamConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        connection.read_to_end();
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), "", R"("timeouts":{"idle_ms":300})"));
    RawConnection client(gateway.port());
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.read_to_end(milliseconds(5000)).ends_with("half"));
    CHECK(client.closed_by_peer());
}

TEST_CASE(
    "a client that has gone ends its request upstream where the route says so, and in a stream of events") {
    struct Row {
        const char* route;
        const char* head;  // of the answer; the rest never comes by itself
        bool ends;
    };
    const char* events =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    const char* plain = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const Row& row :
         {Row{R"("end_with_client":true)", "", true}, Row{R"("end_with_client":true)", plain, true},
          Row{"", events, true}, Row{"", "", false}, Row{"", plain, false},
          Row{R"("end_with_client":false)", events, false}}) {
        INFO(row.route << row.head);
        std::atomic<bool> ended{false};
        std::atomic<bool> go{false};
        FakeUpstream upstream([&](UpstreamConnection& connection) {
            connection.read_head();
            connection.send(row.head);
            if (row.ends) {
                connection.read_to_end();
                ended = true;
                return;
            }
            while (!go) std::this_thread::sleep_for(milliseconds(1));
            connection.send(*row.head ? "2\r\nok\r\n0\r\n\r\n"
                                      : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        Gateway gateway(Gateway::in_front_of(upstream.endpoint(), row.route));
        RawConnection client(gateway.port());
        client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        REQUIRE(upstream.wait_received("GET /x"));
        if (*row.head) CHECK(!client.read_until("\r\n\r\n", milliseconds(5000)).empty());
        client.shutdown_send();
        if (row.ends) {
            for (int i = 0; i < 1000 && !ended; ++i) std::this_thread::sleep_for(milliseconds(5));
            CHECK(ended);
            CHECK(gateway.process().wait_output("client_gone"));
            continue;
        }
        // A client may end its side and wait for its answer.
        std::this_thread::sleep_for(milliseconds(50));
        go = true;
        CHECK(client.read_to_end(milliseconds(5000)).find("ok") != std::string::npos);
    }
}

TEST_CASE("a whole exchange has its own limit") {
    FakeUpstream upstream([](UpstreamConnection& connection) {
        connection.read_head();
        for (int i = 0; i < 100; ++i) {
            std::this_thread::sleep_for(milliseconds(50));
            connection.send(i == 0 ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" : "1\r\nx\r\n");
        }
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), R"("timeouts":{"total_ms":500})"));
    RawConnection client(gateway.port());
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_to_end(milliseconds(4000));
    CHECK(client.closed_by_peer());
}

TEST_CASE("a client that sends its head or its body too slowly is told so") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.client = R"("head_timeout_ms":300,"body_timeout_ms":300,"idle_timeout_ms":300)";
    Gateway gateway(config);
    RawConnection head(gateway.port());
    head.send("GET /x HTTP/1.1\r\nHo");
    CHECK(status_of(head.read_to_end(milliseconds(5000))) == 408);
    RawConnection body(gateway.port());
    body.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    CHECK(status_of(body.read_to_end(milliseconds(5000))) == 408);
    RawConnection idle(gateway.port());
    CHECK(idle.read_to_end(milliseconds(5000)).empty());
    CHECK(idle.closed_by_peer());
}

TEST_CASE("a body below the minimum rate ends, however regularly it drips") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.client = R"("min_body_rate_bytes":1000)";
    Gateway gateway(config);
    RawConnection client(gateway.port());
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    std::string answer;
    for (int i = 0; i < 100 && answer.empty(); ++i) {
        client.send("x");
        answer = client.read_until("\r\n\r\n", milliseconds(100));
    }
    CHECK(status_of(answer) == 408);
}

TEST_CASE("of two endpoints one is killed and comes back under load: no idempotent request fails") {
    FakeUpstream a(named("a"));
    FakeUpstream b(named("b"));
    Gate gate_a(a.port());
    Gate gate_b(b.port());
    GatewayConfig config;
    config.clusters = cluster_of_many({quoted("127.0.0.1:" + std::to_string(gate_a.port())),
                                       quoted("127.0.0.1:" + std::to_string(gate_b.port()))},
                                      R"("balancer":"least_requests")");
    config.routes = open_route("/");
    config.workers = "2";
    Gateway gateway(config);
    Load load(gateway.port(), 6, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(load.wait_good(200));
    for (int i = 0; i < 6; ++i) {
        Gate& gate = i % 2 == 0 ? gate_a : gate_b;
        gate.shut();
        CHECK(load.wait_good(150));
        gate.open();
        CHECK(load.wait_good(150));
    }
    load.stop();
    INFO(load.bad_ones());
    CHECK(load.bad() == 0);
    CHECK(load.good() >= 2000);
}

TEST_CASE(
    "an only endpoint that is killed under load: at once 503, nothing hangs or is cut, and then it is back") {
    FakeUpstream upstream(named("up"));
    Gate gate(upstream.port());
    Gateway gateway(Gateway::in_front_of("127.0.0.1:" + std::to_string(gate.port()), "",
                                         R"("breaker":{"open_for_ms":500})"));
    const std::string get_x = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    Load load(gateway.port(), 4, get_x);
    REQUIRE(load.wait_good(200));
    gate.shut();
    for (int i = 0; i < 1000 && load.bad() < 100; ++i) std::this_thread::sleep_for(milliseconds(5));
    CHECK(load.bad() >= 100);
    gate.open();
    // The circuit has opened meanwhile: half a second, then its trials.
    CHECK(load.wait_good(200));
    load.stop();
    const std::string kinds = load.bad_ones();
    INFO(kinds);
    CHECK(kinds.find(" x 503") != std::string::npos);
    CHECK(kinds.find(',') == std::string::npos);  // of one kind only
    Load after(gateway.port(), 2, get_x);
    CHECK(after.wait_good(100));
    after.stop();
    CHECK(after.bad() == 0);
}

TEST_CASE("a name is looked up, and its connections are used") {
    FakeUpstream upstream(named("by name"));
    Gateway gateway(Gateway::in_front_of("localhost:" + std::to_string(upstream.port())));
    CHECK(get(gateway.port(), "/x").body == "by name");
    CHECK(get(gateway.admin_port(), "/clusters").body.find("127.0.0.1:") != std::string::npos);
}

}  // namespace test
