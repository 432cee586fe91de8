// The forwarder, turn by turn: what it sends, what it tells the client, and that it gives back what it took
// however a request ends.
#include <catch2/catch.hpp>

#include "forwarder_bench.hpp"
#include "gateway/wire/websocket.hpp"

namespace test {

using std::chrono::milliseconds;

namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
const std::string kBusy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";
// Retries at once and without a bound: what is looked at is the decision.
const std::string kRetry =
    R"(,"retry":{"attempts":1,"backoff_ms":0,"on_status":[503],"budget_percent":100,"budget_min_per_second":1000})";
// Nothing of a body waits at the edge.
const std::string kStream = R"(,"limits":{"buffer_request_bytes":0})";
const std::string kShed =
    "HTTP/1.1 503 Service Unavailable\r\nX-Overloaded: 1\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbusy";
const std::string kUpgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: " +
    gateway::wire::websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") + "\r\n\r\n";

// A connection in the pool: one request that went well.
void warm(ForwarderBench& bench) {
    auto request = bench.send();
    bench.request();
    bench.upstreams[0]->write(0, kOk);
    REQUIRE(bench.until([&] { return request->over(); }));
    REQUIRE(request->client.events == "200 last end ");
}

std::unique_ptr<ForwardedRequest> tunnel(ForwarderBench& bench) {
    auto request = bench.send("GET", kUpgrade);
    bench.request();
    bench.upstreams[0]->write(0, kSwitching);
    REQUIRE(bench.until([&] { return request->client.status != 0; }));
    REQUIRE(request->client.events == "tunnel ");
    return request;
}

}  // namespace

TEST_CASE("a request goes out with one head, the answer comes back, the connection is kept") {
    ForwarderBench bench;
    auto request = bench.send();
    const std::string sent = bench.request();
    CHECK(sent.starts_with("GET /api/x HTTP/1.1\r\nHost: a.test\r\n"));
    CHECK(bench.endpoint().in_flight == 1);
    bench.upstreams[0]->write(0, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    REQUIRE(bench.until([&] { return !request->client.bytes.empty(); }));
    CHECK(request->client.events == "200 ");
    CHECK(request->client.length == 6);
    bench.upstreams[0]->write(0, "def");
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "200 last end ");
    CHECK(request->client.bytes == "abcdef");
    CHECK(request->exchange.bytes_out == 6);
    CHECK(bench.nothing_held());
    warm(bench);
    CHECK(bench.upstreams[0]->connections() == 1);
}

TEST_CASE("an answer's head is the same however it is cut, and bytes behind the answer end the connection") {
    const std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    ForwarderBench bench;
    for (std::size_t cut = 1; cut < answer.size(); ++cut) {
        auto request = bench.send();
        bench.request();
        bench.upstreams[0]->write(0, answer.substr(0, cut));
        bench.turns();
        bench.upstreams[0]->write(0, answer.substr(cut));
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.bytes == "abc");
        CHECK(request->client.size == FakeClient::Reply::Size::unknown);
        CHECK(request->client.events.ends_with("end "));
    }
    CHECK(bench.upstreams[0]->connections() == 1);
    auto behind = bench.send();
    bench.request();
    bench.upstreams[0]->write(0, kOk + "x");
    REQUIRE(bench.until([&] { return behind->over(); }));
    CHECK(behind->client.bytes == "{}");
    CHECK(bench.until([&] { return bench.upstreams[0]->ended(0); }));
    CHECK(bench.nothing_held());
}

TEST_CASE("what an upstream is asked again for, and what not") {
    struct Row {
        const char* name;
        std::string cluster;
        std::string route;
        std::size_t endpoints;
        const char* method;
        const char* lines;
        const char* failure;  // reset, bad, busy, …
        const char* expected;
    };
    const std::string none = R"(,"retry":{"attempts":0})";
    const std::string no_budget =
        R"(,"retry":{"attempts":1,"backoff_ms":0,"on_status":[503],"budget_percent":0,"budget_min_per_second":0})";
    const std::string no_reset =
        R"(,"retry":{"attempts":1,"backoff_ms":0,"on_reset":false,"on_status":[503]})";
    const std::string off = R"(,"retry":false)";
    const std::string websocket = R"(,"websocket":true)";
    const Row rows[] = {
        {"reset", kRetry, "", 2, "GET", "", "reset", "again"},
        {"reset, one endpoint", kRetry, "", 1, "GET", "", "reset", "again"},
        {"reset, switched off", no_reset, "", 2, "GET", "", "reset", "502 last end "},
        {"reset, the route says no", kRetry, off, 2, "GET", "", "reset", "502 last end "},
        {"reset, no attempts", none, "", 2, "GET", "", "reset", "502 last end "},
        {"reset, no budget", no_budget, "", 2, "GET", "", "reset", "502 last end "},
        {"reset of what must not be repeated", kRetry, "", 2, "POST", "Content-Length: 0\r\n", "reset",
         "502 last end "},
        {"reset of a tunnel's request", kRetry, websocket, 2, "GET", "upgrade", "reset", "502 last end "},
        {"an answer that is none", kRetry, "", 2, "GET", "", "bad", "502 last end "},
        {"half a head", kRetry, "", 2, "GET", "", "half", "502 last end "},
        {"a status of the list", kRetry, "", 2, "GET", "", "busy", "again"},
        {"a status whose head comes in pieces", kRetry, "", 2, "GET", "", "pieces", "again"},
        {"a status whose body comes later", kRetry, "", 2, "GET", "", "later", "again"},
        {"a status whose body ends with the connection", kRetry, "", 2, "GET", "", "until close", "again"},
        {"a status with a large body: passed on", kRetry, "", 2, "GET", "", "large", "503 last end "},
        {"a status that breaks off", kRetry, "", 2, "GET", "", "broken", "502 last end "},
        {"shed on purpose", kRetry, "", 2, "GET", "", "shed", "503 last end "},
        {"a status, nobody else to ask", kRetry, "", 1, "GET", "", "busy", "503 last end "},
        {"a status, not of the list", no_reset, "", 2, "GET", "", "502", "502 last end "},
        {"a status, must not be repeated", kRetry, "", 2, "POST", "Content-Length: 0\r\n", "busy",
         "503 last end "},
        {"a status, the route says no", kRetry, off, 2, "GET", "", "busy", "503 last end "},
        {"a status, no budget: passed on", no_budget, "", 2, "GET", "", "busy", "503 last end "},
        {"a status for a tunnel's request: passed on", kRetry, websocket, 2, "GET", "upgrade", "busy",
         "503 last end "},
    };
    for (const Row& row : rows) {
        INFO(row.name);
        ForwarderBench bench({row.cluster, row.route, row.endpoints});
        auto request = bench.send(row.method, row.lines == std::string("upgrade") ? kUpgrade : row.lines);
        std::size_t at = 0;
        REQUIRE(bench.until([&] {
            for (at = 0; at < row.endpoints; ++at)
                if (bench.upstreams[at]->connections() > 0) return true;
            return false;
        }));
        bench.request(0, at);
        const std::string failure = row.failure;
        if (failure == "reset")
            bench.upstreams[at]->reset(0);
        else if (failure == "bad")
            bench.upstreams[at]->write(0, "SSH-2.0-x\r\n\r\n");
        else if (failure == "busy")
            bench.upstreams[at]->write(0, kBusy);
        else if (failure == "502")
            bench.upstreams[at]->write(0, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        else if (failure == "shed")
            bench.upstreams[at]->write(0, kShed);
        else if (failure == "large")
            bench.upstreams[at]->write(0,
                                       "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 30000\r\n\r\n" +
                                           std::string(9'000, 'l'));
        else if (failure == "until close" || failure == "broken")
            bench.upstreams[at]->write(
                0, "HTTP/1.1 503 Service Unavailable\r\n" +
                       std::string(failure == "broken" ? "Content-Length: 9\r\n" : "") + "\r\nbusy");
        if (failure == "pieces" || failure == "later") {
            const std::size_t cut = failure == "pieces" ? 20 : kBusy.size() - 2;
            bench.upstreams[at]->write(0, kBusy.substr(0, cut));
            bench.turns(20);
            CHECK(request->client.events.empty());
            bench.upstreams[at]->write(0, kBusy.substr(cut));
        }
        if (failure == "until close" || failure == "broken") {
            bench.turns(20);
            CHECK(request->client.events.empty());
            bench.upstreams[at]->close(0);
        }
        if (failure == "large") {
            bench.turns(20);
            CHECK(request->client.events.empty());
            bench.upstreams[at]->write(0, std::string(11'000, 'l'));
            REQUIRE(bench.until([&] { return request->client.events == "503 "; }));
            bench.upstreams[at]->write(0, std::string(10'000, 'l'));
        }
        if (failure == "half") {
            bench.upstreams[at]->write(0, "HTTP/1.1 200 OK\r\nCont");
            bench.turns();
            bench.upstreams[at]->close(0);
        }
        if (row.expected != std::string("again")) {
            REQUIRE(bench.until([&] { return request->over(); }));
            CHECK(request->client.events == row.expected);
            CHECK(request->exchange.retries == 0);
            if (failure == "busy" || failure == "shed") CHECK(request->client.bytes == "busy");
            if (failure == "large") CHECK(request->client.bytes == std::string(30'000, 'l'));
        } else {
            const std::size_t other = row.endpoints - 1 - at;
            const std::size_t which = row.endpoints == 1 ? 1 : 0;
            CHECK(bench.request(which, other).starts_with("GET "));
            bench.upstreams[other]->write(which, kOk);
            REQUIRE(bench.until([&] { return request->over(); }));
            CHECK(request->client.events == "200 last end ");
            CHECK(request->exchange.retries == 1);
        }
        CHECK(bench.nothing_held());
    }
}

TEST_CASE("a second failure is final: attempts count") {
    ForwarderBench bench({kRetry});
    auto request = bench.send();
    bench.request(0);
    bench.upstreams[0]->reset(0);
    bench.request(1);
    bench.upstreams[0]->reset(1);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "502 last end ");
    CHECK(request->exchange.retries == 1);
    CHECK(bench.upstreams[0]->connections() == 2);
    CHECK(bench.nothing_held());
}

TEST_CASE("never means never: what an upstream may have read is not sent again, a failed connect is") {
    const std::string off = R"(,"retry":false)";
    for (const ForwarderSetup& setup :
         {ForwarderSetup{kRetry, off}, ForwarderSetup{R"(,"retry":{"attempts":0})", ""}}) {
        for (const char* method : {"GET", "PUT", "DELETE"}) {
            INFO(method << setup.route);
            ForwarderBench bench(setup);
            warm(bench);
            auto request = bench.send(method);
            bench.request(0);
            bench.upstreams[0]->reset(0);
            REQUIRE(bench.until([&] { return request->over(); }));
            CHECK(request->client.events == "502 last end ");
            CHECK(bench.upstreams[0]->connections() == 1);
            CHECK(bench.stats.silent_retries.value() == 0);
        }
    }
    ForwarderBench bench({kRetry, off, 2});
    bench.upstreams[0]->stop_listening();
    for (std::size_t i = 0; i < 4; ++i) {
        auto request = bench.send("DELETE");
        bench.upstreams[1]->write(bench.latest(1), kOk);
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.events == "200 last end ");
    }
}

TEST_CASE("a connection that closed while it was idle is not used for what is not repeated") {
    const std::string websocket = R"(,"websocket":true)";
    for (const bool upgrade : {true, false}) {
        ForwarderBench bench({"", upgrade ? websocket : R"(,"retry":false)"});
        warm(bench);
        bench.upstreams[0]->close(0);
        // No turn has told it.
        auto request = bench.send("GET", upgrade ? kUpgrade : "");
        bench.request(1);
        bench.upstreams[0]->write(1, upgrade ? kSwitching : kOk);
        REQUIRE(bench.until([&] { return request->client.status != 0; }));
        CHECK(request->client.events == (upgrade ? "tunnel " : "200 last end "));
    }
}

TEST_CASE("an answer that was read is passed on when nobody else has one") {
    const std::string rules =
        R"(,"retry":{"attempts":1,"backoff_ms":0,"on_status":[503],"budget_percent":100,)"
        R"("budget_min_per_second":1000},"timeouts":{"first_byte_ms":1000})";
    for (const std::string other :
         {"down", "resets", "says nothing", "says nonsense", "breaks off", "is good"}) {
        INFO(other);
        ForwarderBench bench({rules, "", 2});
        auto request = bench.send();
        std::size_t at = 0;
        REQUIRE(bench.until([&] {
            at = bench.upstreams[1]->connections();
            return at + bench.upstreams[0]->connections() > 0;
        }));
        bench.request(0, at);
        ScriptedUpstream& second = *bench.upstreams[1 - at];
        if (other == "down") second.stop_listening();
        bench.upstreams[at]->write(0, kBusy);
        if (other != "down") bench.request(0, 1 - at);
        if (other == "resets") second.reset(0);
        if (other == "says nothing") bench.pass(milliseconds(1'300));
        if (other == "says nonsense") second.write(0, "SSH-2.0-x\r\n\r\n");
        if (other == "breaks off")
            second.write(0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
        if (other == "is good") second.write(0, kOk);
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.events == (other == "is good" ? "200 last end " : "503 last end "));
        CHECK(request->client.bytes == (other == "is good" ? "{}" : "busy"));
        CHECK(request->client.length == request->client.bytes.size());
        CHECK(request->exchange.retries == 1);
        CHECK(bench.nothing_held());
    }
}

TEST_CASE("busy is not broken, and only a complete answer proves that an endpoint lives") {
    struct Row {
        const char* name;
        std::string answer;
        bool counts;
    };
    const std::string head = " x\r\nContent-Length: 0\r\n\r\n";
    const Row rows[] = {
        {"shed on purpose", kShed, false},
        {"503", kBusy, true},
        {"marked, but not a 503", "HTTP/1.1 502 x\r\nX-Overloaded: 1\r\nContent-Length: 0\r\n\r\n", true},
        {"marked with something else", "HTTP/1.1 503 x\r\nX-Overloaded: 0\r\nContent-Length: 0\r\n\r\n",
         true},
        {"500", "HTTP/1.1 500" + head, false},
        {"502", "HTTP/1.1 502" + head, true},
        {"504", "HTTP/1.1 504" + head, true},
        {"cut off", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", true},
        {"breaks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz", true},
        {"breaks at once", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", true},
        {"none", "SSH-2.0-x\r\n\r\n", true},
    };
    for (const Row& row : rows) {
        INFO(row.name);
        ForwarderBench bench({R"(,"retry":{"attempts":0},"breaker":{"min_requests":4,"failure_percent":100,)"
                              R"("open_for_ms":60000},"outlier":{"consecutive_failures":3,)"
                              R"("max_ejected_percent":100,"panic_percent":0})"});
        for (int i = 0; i < 3; ++i) {
            REQUIRE(bench.cluster().ready(bench.poller.now_ms()));
            auto request = bench.send();
            const std::size_t which = bench.latest();
            bench.upstreams[0]->write(which, row.answer);
            if (row.name == std::string("cut off")) {
                REQUIRE(bench.until([&] { return !request->client.bytes.empty(); }));
                bench.upstreams[0]->close(which);
            }
            REQUIRE(bench.until([&] { return request->over(); }));
            CHECK(bench.nothing_held());
        }
        CHECK(bench.endpoint().failures == (row.counts ? 3U : 0U));
        CHECK(bench.endpoint().ejected(bench.poller.now_ms()) == row.counts);
        using State = gateway::upstream::CircuitBreaker::State;
        auto& breaker = bench.cluster().breaker;
        breaker.allow(bench.poller.now_ms()).record(!row.counts, bench.poller.now_ms());
        CHECK(breaker.state() == (row.counts ? State::open : State::closed));
    }
}

TEST_CASE("a silent repetition finds room in a full pool") {
    ForwarderBench bench({R"(,"pool":{"max_connections":1})"});
    warm(bench);
    auto request = bench.send();
    bench.request(0);
    bench.upstreams[0]->reset(0);
    bench.request(1);
    bench.upstreams[0]->write(1, kOk);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "200 last end ");
}

TEST_CASE("a request that goes round is ended") {
    ForwarderBench bench;
    std::string lines;
    for (int passed = 0; passed < 6; ++passed) {
        INFO(passed);
        auto request = bench.send("GET", lines);
        if (passed < 5) {
            const std::string sent = bench.request(0);
            CHECK(sent.find("\r\nVia: 1.1 kampus-gateway\r\n") != std::string::npos);
            bench.upstreams[0]->write(0, kOk);
        }
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.status == (passed < 5 ? 200U : 508U));
        // In one line or in several.
        lines = passed % 2 == 0 ? lines + "Via: 1.1 kampus-gateway\r\n"
                                : lines.substr(0, lines.size() - 2) + ", 1.0 x, 1.1 kampus-gateway\r\n";
    }
    CHECK(bench.nothing_held());
}

TEST_CASE("a kept connection that dies is replaced once, silently") {
    ForwarderBench bench({R"(,"retry":{"attempts":1,"on_reset":false})"});
    warm(bench);
    auto request = bench.send();
    bench.request(0);
    bench.upstreams[0]->reset(0);
    CHECK(bench.request(1).starts_with("GET "));
    CHECK(request->exchange.retries == 0);
    CHECK(bench.stats.silent_retries.value() == 1);
    // It says nothing about the endpoint, the second one does.
    CHECK(bench.endpoint().failures == 0);
    bench.upstreams[0]->reset(1);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "502 last end ");
    CHECK(bench.endpoint().failures == 1);
    CHECK(bench.nothing_held());
}

TEST_CASE("a POST into a kept connection that dies is not repeated") {
    ForwarderBench bench({kRetry});
    warm(bench);
    auto request = bench.send("POST", "Content-Length: 0\r\n");
    bench.request(0);
    bench.upstreams[0]->reset(0);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "502 last end ");
    CHECK(bench.upstreams[0]->connections() == 1);
}

TEST_CASE("a refused connect is repeated for any method, on the other endpoint") {
    ForwarderBench bench({kRetry, "", 2});
    bench.upstreams[0]->stop_listening();
    for (int i = 0; i < 4; ++i) {
        auto request = bench.send("POST", "Content-Length: 0\r\n");
        ScriptedUpstream& up = *bench.upstreams[1];
        std::size_t which = 0;
        REQUIRE(bench.until([&] {
            for (which = 0; which < up.connections(); ++which)
                if (up.read(which).starts_with("POST ")) return true;
            return false;
        }));
        up.write(which, kOk);
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.events == "200 last end ");
    }
    CHECK(bench.stats.upstream_connect_failures.value() >= 1);
    CHECK(bench.nothing_held());
}

TEST_CASE("nothing can be connected: 503, and nothing is held") {
    ForwarderBench bench({R"(,"retry":{"attempts":0})"});
    bench.upstreams[0]->stop_listening();
    auto request = bench.send();
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.status == 503);
    CHECK(bench.nothing_held());
}

TEST_CASE("while the gateway drains, who got a status keeps it") {
    ForwarderBench bench({kRetry, "", 2});
    bench.worker.draining = true;
    auto request = bench.send();
    std::size_t at = 0;
    REQUIRE(bench.until([&] {
        at = bench.upstreams[1]->connections();
        return at + bench.upstreams[0]->connections() > 0;
    }));
    bench.request(0, at);
    bench.upstreams[at]->write(0, kBusy);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "503 last end ");
}

TEST_CASE("a small body is kept for a repetition, a large one is not") {
    for (const bool large : {false, true}) {
        ForwarderBench bench({kRetry, kStream});
        const std::string body(large ? 65 * 1024 : 1024, 'b');
        auto request = bench.send("PUT", "Content-Length: " + std::to_string(body.size()) + "\r\n");
        CHECK(request->client.wanted >= 1);
        std::string got = bench.request(0);
        request->exchange.on_body(body, true);
        REQUIRE(bench.until([&] { return (got += bench.upstreams[0]->read(0)).ends_with("bbb"); }));
        bench.upstreams[0]->reset(0);
        if (large) {
            REQUIRE(bench.until([&] { return request->over(); }));
            CHECK(request->client.events == "502 last end ");
            continue;
        }
        got = bench.request(1);
        REQUIRE(bench.until([&] {
            got += bench.upstreams[0]->read(1);
            return got.size() >= body.size() && got.ends_with("bbb");
        }));
        CHECK(got.substr(got.find("\r\n\r\n") + 4) == body);
        bench.upstreams[0]->write(1, kOk);
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.events == "200 last end ");
    }
}

TEST_CASE("a chunked body is framed anew") {
    ForwarderBench bench({"", kStream});
    auto request = bench.send("POST", "Transfer-Encoding: chunked\r\n");
    std::string got = bench.request(0);
    CHECK(request->exchange.on_body("abc", false));
    request->exchange.on_body("", true);
    REQUIRE(bench.until([&] { return (got += bench.upstreams[0]->read(0)).ends_with("0\r\n\r\n"); }));
    CHECK(got.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
    bench.upstreams[0]->write(0, kOk);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->exchange.bytes_in == 3);
}

TEST_CASE("a body over the route's limit is refused, at the first byte too many") {
    ForwarderBench bench({"", R"(,"limits":{"body_bytes":4,"buffer_request_bytes":0})"});
    auto request = bench.send("POST", "Transfer-Encoding: chunked\r\n");
    bench.request(0);
    request->exchange.on_body("abcd", false);
    CHECK(request->client.events.empty());
    request->exchange.on_body("e", false);
    CHECK(request->client.events == "413 last end ");
    CHECK(bench.nothing_held());
}

TEST_CASE("100 Continue is said when a connection is there, and the body is wanted from then on") {
    ForwarderBench bench({"", kStream});
    auto request = bench.send("POST", "Content-Length: 3\r\nExpect: 100-continue\r\n");
    CHECK(request->client.wanted == 0);
    CHECK(request->client.events.empty());
    bench.request(0);
    CHECK(request->client.events == "100 ");
    CHECK(request->client.wanted == 1);
    request->exchange.on_body("abc", true);
    bench.upstreams[0]->write(0, kOk);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "100 200 last end ");
}

TEST_CASE("a body is read before a place or a connection is taken for it") {
    struct Row {
        const char* name;
        const char* lines;
        std::vector<std::string> pieces;
        const char* sent;
    };
    const Row rows[] = {
        {"with a length", "Content-Length: 6\r\n", {"abc", "def"}, "Content-Length: 6\r\n\r\nabcdef"},
        {"chunked, framed as one",
         "Transfer-Encoding: chunked\r\n",
         {"a", "b", "cdef", ""},
         "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n"},
        {"chunked and empty",
         "Transfer-Encoding: chunked\r\n",
         {""},
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"100 Continue is said at once",
         "Expect: 100-continue\r\nContent-Length: 2\r\n",
         {"a", "b"},
         "Content-Length: 2\r\n\r\nab"},
    };
    for (const Row& row : rows) {
        INFO(row.name);
        ForwarderBench bench({R"(,"in_flight":{"max":1})"});
        auto request = bench.send("POST", row.lines);
        CHECK(request->client.wanted == 1);
        CHECK(request->client.events == (std::string(row.lines).starts_with("Expect") ? "100 " : ""));
        request->client.events.clear();
        for (std::size_t i = 0; i + 1 < row.pieces.size(); ++i) {
            CHECK(request->exchange.on_body(row.pieces[i], false));
            bench.turns();
            CHECK(bench.upstreams[0]->connections() == 0);
            CHECK(bench.nothing_held());
        }
        request->exchange.on_body(row.pieces.back(), true);
        std::string got = bench.request(0);
        bench.until([&] { return (got += bench.upstreams[0]->read(0)).ends_with(row.sent); });
        CHECK(got.ends_with(row.sent));
        bench.upstreams[0]->write(0, kOk);
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.events == "200 last end ");
        CHECK(bench.shared.bodies.used() == 0);
    }
}

TEST_CASE("a body longer than what waits at the edge streams from there on") {
    for (const bool chunked : {false, true}) {
        ForwarderBench bench({"", R"(,"limits":{"buffer_request_bytes":4})"});
        auto request =
            bench.send("POST", chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: 8\r\n");
        CHECK(request->exchange.on_body("abc", false));
        bench.turns();
        CHECK(bench.upstreams[0]->connections() == 0);
        CHECK(request->exchange.on_body("de", false));
        std::string got = bench.request(0);
        const std::string begun = chunked ? "\r\n\r\n5\r\nabcde\r\n" : "\r\n\r\nabcde";
        REQUIRE(bench.until([&] { return (got += bench.upstreams[0]->read(0)).ends_with(begun); }));
        request->exchange.on_body("fgh", true);
        const std::string rest = chunked ? "3\r\nfgh\r\n0\r\n\r\n" : "fgh";
        got.clear();
        REQUIRE(bench.until([&] { return (got += bench.upstreams[0]->read(0)) == rest; }));
        bench.upstreams[0]->write(0, kOk);
        REQUIRE(bench.until([&] { return request->over(); }));
    }
}

TEST_CASE("bodies share a budget, and large ones leave half of it to small ones") {
    ForwarderBench bench;
    auto& bodies = bench.shared.bodies;
    const std::uint64_t max = bench.worker.snapshot->shared->config->client.body_memory_bytes;
    const auto refused = [&](std::size_t bytes) {
        auto request = bench.send("POST", "Content-Length: 100000\r\n");
        request->exchange.on_body(std::string(bytes, 'x'), false);
        const bool over = request->over();
        if (over) CHECK(request->client.events == "503 last end ");
        if (over) CHECK(request->client.headers.find("Retry-After: ") != std::string::npos);
        return over;
    };
    REQUIRE(bodies.take(max / 2, max));
    CHECK_FALSE(refused(4096));
    CHECK(refused(4097));
    REQUIRE(bodies.take(max / 2 - 100, max));
    CHECK_FALSE(refused(100));
    CHECK(refused(101));
    CHECK(bench.stats.bodies_refused.value() == 2);
    // What is refused, or goes, gives back what it had.
    CHECK(bodies.used() == max - 100);
    CHECK(bench.upstreams[0]->connections() == 0);
}

TEST_CASE("the large body that has been coming for longest makes room for another") {
    ForwarderBench bench;
    auto& bodies = bench.shared.bodies;
    const std::uint64_t max = bench.worker.snapshot->shared->config->client.body_memory_bytes;
    REQUIRE(bodies.take(max / 2 - 11000, max));
    const auto sends = [&](std::size_t bytes) {
        auto request = bench.send("POST", "Content-Length: 100000\r\n");
        request->exchange.on_body(std::string(bytes, 'x'), false);
        return request;
    };
    auto small = sends(100);
    auto oldest = sends(5000);
    auto newer = sends(5000);
    auto last = sends(5000);
    // In a turn of its own.
    CHECK_FALSE(oldest->over());
    CHECK(bodies.used() == max / 2 - 11000 + 10100);
    CHECK_FALSE(oldest->exchange.on_body("more", false));
    bench.pass(milliseconds(300));
    CHECK(oldest->client.events == "503 last end ");
    for (const auto* request : {&small, &newer, &last}) CHECK_FALSE((*request)->over());
    CHECK(bench.stats.bodies_refused.value() == 1);
    // Nobody is left to make room for what is larger than all of it.
    newer->exchange.on_body(std::string(60000, 'x'), false);
    CHECK(newer->client.events == "503 last end ");
    CHECK(bench.stats.bodies_refused.value() == 2);
}

TEST_CASE(
    "a body counts until the upstream has taken it, and so long the wait for the answer has not begun") {
    ForwarderBench bench(
        {"",
         R"(,"limits":{"body_bytes":16777216,"buffer_request_bytes":16777216},"timeouts":{"first_byte_ms":1000,"idle_ms":9000})"});
    constexpr std::size_t kSize = 15 << 20;
    auto request = bench.send("POST", "Content-Length: " + std::to_string(kSize) + "\r\n");
    request->exchange.on_body(std::string(kSize, 'x'), true);
    REQUIRE(bench.until([&] { return bench.upstreams[0]->connections() == 1; }));
    bench.turns();
    CHECK(bench.shared.bodies.used() >= kSize);
    bench.pass(milliseconds(2000));
    CHECK_FALSE(request->over());
    std::size_t taken = 0;
    CHECK(bench.until([&] {
        taken += bench.upstreams[0]->read(0).size();
        return taken > kSize;
    }));
    bench.turns();
    CHECK(bench.shared.bodies.used() == 0);
    CHECK_FALSE(request->over());
    bench.pass(milliseconds(1300));
    CHECK(request->client.events == "504 last end ");
}

TEST_CASE("reading a body counts against the limit of the whole exchange") {
    ForwarderBench bench({"", R"(,"timeouts":{"total_ms":1000})"});
    auto request = bench.send("POST", "Content-Length: 3\r\n");
    request->exchange.on_body("a", false);
    bench.pass(milliseconds(900));
    CHECK(request->client.events.empty());
    bench.pass(milliseconds(300));
    CHECK(request->client.events == "504 last end ");
    CHECK(bench.nothing_held());
}

TEST_CASE("early hints go on, however many there are") {
    ForwarderBench bench;
    auto request = bench.send();
    bench.request(0);
    std::string all;
    std::string expected;
    for (int i = 0; i < 20; ++i) {
        all += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n";
        expected += "103 ";
    }
    bench.upstreams[0]->write(0, all + kOk);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == expected + "200 last end ");
}

TEST_CASE("102 begins the wait anew, other answers before the answer do not") {
    for (const bool working : {true, false}) {
        ForwarderBench bench(
            {R"(,"timeouts":{"first_byte_ms":1000,"idle_ms":60000},"retry":{"attempts":0})"});
        auto request = bench.send();
        bench.request(0);
        for (int i = 0; i < 3 && !request->over(); ++i) {
            bench.pass(std::chrono::milliseconds(600));
            bench.upstreams[0]->write(
                0, working ? "HTTP/1.1 102 Processing\r\n\r\n" : "HTTP/1.1 103 Early Hints\r\n\r\n");
            bench.turns();
        }
        CHECK(request->over() != working);
        if (!working) continue;
        bench.upstreams[0]->write(0, kOk);
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.events == "200 last end ");
    }
}

TEST_CASE("an answer before the end of the body is passed on, and the connection is not used again") {
    ForwarderBench bench({"", kStream});
    auto request = bench.send("POST", "Content-Length: 1000000\r\n");
    bench.request(0);
    request->exchange.on_body("some", false);
    bench.upstreams[0]->write(0, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "413 last end ");
    CHECK(bench.until([&] { return bench.upstreams[0]->ended(0); }));
    CHECK(bench.nothing_held());
}

TEST_CASE("an answer that came before a send failed is read") {
    ForwarderBench bench({"", kStream});
    auto request = bench.send("POST", "Content-Length: 1000000\r\n");
    bench.request(0);
    bench.upstreams[0]->write(0, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
    bench.upstreams[0]->close(0);
    const std::string piece(10'000, 'x');
    for (int i = 0; i < 20 && !request->over(); ++i) {
        request->exchange.on_body(piece, false);
        bench.turns(1);
    }
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK((request->client.status == 413 || request->client.status == 502));
    CHECK(bench.nothing_held());
}

TEST_CASE("what comes of a body between a failed send and the next attempt goes out with that") {
    ForwarderBench bench({kRetry, kStream});
    auto request = bench.send("PUT", "Content-Length: 30000\r\n");
    // Before the gateway hears of its connect: so the connection has something to read when a send fails.
    REQUIRE(bench.upstreams[0]->connections() == 1);
    bench.upstreams[0]->close(0);
    bench.turns(1);
    std::string body;
    for (const char letter : {'a', 'b', 'c'}) {
        const std::string piece(10'000, letter);
        body += piece;
        CHECK(request->exchange.on_body(piece, letter == 'c'));
    }
    const std::string sent = bench.request(1);
    std::string got = sent.substr(sent.find("\r\n\r\n") + 4);
    bench.until([&] { return (got += bench.upstreams[0]->read(1)).size() >= body.size(); });
    CHECK((got == body));
    bench.upstreams[0]->write(1, kOk);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "200 last end ");
    CHECK(bench.nothing_held());
}

TEST_CASE("a client that is full holds the upstream back") {
    ForwarderBench bench;
    auto request = bench.send();
    bench.request(0);
    bench.upstreams[0]->write(0, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    REQUIRE(bench.until([&] { return request->client.bytes == "abc"; }));
    request->client.is_full = true;
    bench.upstreams[0]->write(0, "def");
    bench.turns(20);
    CHECK(request->client.bytes == "abc");
    // Its deadline is the connection's: the upstream is not blamed for it.
    bench.pass(milliseconds(61'000));
    CHECK(request->client.events == "200 ");
    request->client.is_full = false;
    request->forwarder.on_client_ready();
    CHECK(request->client.events == "200 last end ");
    CHECK(bench.nothing_held());
}

TEST_CASE("an upstream that takes no more holds the client's body back") {
    ForwarderBench bench({"", R"(,"limits":{"body_bytes":100000000,"buffer_request_bytes":0})"});
    auto request = bench.send("POST", "Content-Length: 64000000\r\n");
    bench.request(0);
    const std::string piece(256 * 1024, 'x');
    std::size_t sent = 0;
    bool more = true;
    while (more && sent < 60'000'000) {
        more = request->exchange.on_body(piece, false);
        sent += piece.size();
    }
    REQUIRE_FALSE(more);
    const int wanted = request->client.wanted;
    bench.turns();
    CHECK(request->client.wanted == wanted);
    std::size_t got = 0;
    REQUIRE(bench.until([&] {
        got += bench.upstreams[0]->read(0).size();
        return request->client.wanted > wanted;
    }));
    CHECK(got > 0);
    request->forwarder.abandon();
    CHECK(bench.nothing_held());
}

TEST_CASE("while there is no connection, only so much of a body is taken") {
    ForwarderBench bench({"", kStream});
    auto request = bench.send("POST", "Content-Length: 1000000\r\n");
    CHECK(request->exchange.on_body(std::string(32 * 1024 - 1, 'x'), false));
    CHECK_FALSE(request->exchange.on_body("x", false));
    const int wanted = request->client.wanted;
    bench.request(0);
    CHECK(request->client.wanted == wanted + 1);
}

TEST_CASE("whenever the client goes, everything is given back") {
    const std::string limits = R"(,"in_flight":{"max":1,"queue":2,"queue_timeout_ms":5000})";
    const std::string retry =
        R"(,"retry":{"attempts":1,"backoff_ms":10000,"budget_percent":100,"budget_min_per_second":1000})";
    const std::string route = R"(,"websocket":true,"limits":{"in_flight":{"max":1,"queue":2}})";
    for (const std::string state : {"connecting", "backing off", "waiting", "half a head", "answering",
                                    "tunnel", "client's end", "upstream's end"}) {
        INFO(state);
        ForwarderBench bench({limits + retry, route});
        const bool upgrade = state == "tunnel" || state.ends_with("end");
        auto request = bench.send("GET", upgrade ? kUpgrade : "");
        if (state != "connecting") bench.request(0);
        if (state == "backing off") {
            bench.upstreams[0]->reset(0);
            REQUIRE(bench.until([&] { return request->exchange.retries == 1; }));
        }
        if (state == "half a head") bench.upstreams[0]->write(0, "HTTP/1.1 200 OK\r\nCont");
        if (state == "answering")
            bench.upstreams[0]->write(0, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
        if (upgrade) bench.upstreams[0]->write(0, kSwitching);
        bench.turns(20);
        if (state == "client's end") request->exchange.on_body({}, true);
        if (state == "upstream's end") {
            bench.upstreams[0]->shutdown_write(0);
            REQUIRE(bench.until([&] { return request->client.events == "tunnel last "; }));
        }
        CHECK(request->client.events.find("end") == std::string::npos);
        request->forwarder.abandon();
        CHECK(bench.nothing_held());
        const std::string events = request->client.events;
        bench.turns();
        bench.pass(milliseconds(100'000));
        bench.turns();
        CHECK(request->client.events == events);  // no deadline, no event finds it any more
        request->forwarder.abandon();
        CHECK(bench.nothing_held());
    }
}

TEST_CASE("a client that goes gives back the circuit's trial") {
    ForwarderBench bench({R"(,"retry":{"attempts":0},"breaker":{"min_requests":1,"failure_percent":1,)"
                          R"("open_for_ms":100,"half_open_requests":1},"outlier":{"enabled":false})"});
    {
        auto broken = bench.send();
        bench.request(0);
        bench.upstreams[0]->reset(0);
        REQUIRE(bench.until([&] { return broken->over(); }));
    }
    using State = gateway::upstream::CircuitBreaker::State;
    REQUIRE(bench.cluster().breaker.state() == State::open);
    {
        auto refused = bench.send();
        CHECK(refused->client.status == 503);
        CHECK(refused->client.headers.find("Retry-After: 1\n") != std::string::npos);
        CHECK(bench.nothing_held());
    }
    std::unique_ptr<ForwardedRequest> trial;
    REQUIRE(bench.until([&] {
        trial = bench.send();
        return !trial->over();
    }));
    CHECK(bench.cluster().breaker.state() == State::half_open);
    CHECK(bench.send()->client.status == 503);  // the one trial is out
    trial->forwarder.abandon();
    auto next = bench.send();
    CHECK_FALSE(next->over());
    bench.request(bench.upstreams[0]->connections() - 1);
    bench.turns();
    next->forwarder.abandon();
}

TEST_CASE("a full queue takes nobody") {
    ForwarderBench bench({R"(,"in_flight":{"max":1,"queue":2,"queue_timeout_ms":5000})"});
    auto first = bench.send();
    auto second = bench.send();
    auto third = bench.send();
    auto fourth = bench.send();
    CHECK(fourth->client.events == "503 last end ");
    CHECK(fourth->exchange.reason == "overloaded");
    CHECK(bench.cluster().in_flight.active() == 1);
    CHECK(bench.cluster().in_flight.waiting() == 2);
}

TEST_CASE("who waits gets the place of who is done, in order") {
    ForwarderBench bench({R"(,"in_flight":{"max":1,"queue":2,"queue_timeout_ms":5000})"});
    auto first = bench.send();
    auto second = bench.send();
    auto third = bench.send();
    CHECK(bench.cluster().in_flight.active() == 1);
    CHECK(bench.cluster().in_flight.waiting() == 2);
    CHECK(bench.stats.queued.value() == 2);
    bench.request(0);
    bench.upstreams[0]->write(0, kOk);
    REQUIRE(bench.until([&] { return first->over(); }));
    CHECK(bench.cluster().in_flight.waiting() == 1);
    CHECK(bench.cluster().in_flight.active() == 1);
    // It is the second one's, which hears of it in a turn of its own.
    CHECK(second->exchange.upstream.empty());
    bench.turns();
    CHECK_FALSE(second->exchange.upstream.empty());
    CHECK(third->exchange.upstream.empty());
    CHECK(bench.request(0).starts_with("GET "));
    // Nobody who comes and is refused, or goes, changes the order.
    auto fourth = bench.send();
    for (int i = 0; i < 5; ++i) CHECK(bench.send()->client.events == "503 last end ");
    second->forwarder.abandon();
    CHECK(bench.cluster().in_flight.waiting() == 1);
    bench.turns();
    CHECK_FALSE(third->exchange.upstream.empty());
    CHECK(fourth->exchange.upstream.empty());
    fourth->forwarder.abandon();
    bench.request(1);
    bench.upstreams[0]->write(1, kOk);
    REQUIRE(bench.until([&] { return third->over(); }));
    CHECK(third->client.events == "200 last end ");
    CHECK(bench.nothing_held());
}

TEST_CASE("who waits too long is told so, and leaves the queue") {
    ForwarderBench bench({R"(,"in_flight":{"max":1,"queue":2,"queue_timeout_ms":500})"});
    auto first = bench.send();
    auto second = bench.send();
    bench.pass(milliseconds(400));
    CHECK(second->client.events.empty());
    bench.pass(milliseconds(300));
    CHECK(second->client.events == "503 last end ");
    CHECK(second->exchange.reason == "queue_timeout");
    CHECK(bench.cluster().in_flight.waiting() == 0);
    CHECK(bench.cluster().in_flight.active() == 1);
    first->forwarder.abandon();
    CHECK(bench.nothing_held());
}

TEST_CASE("a full pool makes who comes wait for a place, or refuses where there is no limit to wait for") {
    const std::string pool = R"(,"pool":{"max_connections":1})";
    {
        ForwarderBench bench({pool});
        auto first = bench.send();
        auto second = bench.send();
        CHECK(second->client.events == "503 last end ");
        CHECK(bench.endpoint().in_flight == 1);
    }
    ForwarderBench bench({pool + R"(,"in_flight":{"max":5,"queue":5})"});
    auto first = bench.send();
    auto second = bench.send();
    CHECK(second->client.events.empty());
    CHECK(bench.cluster().in_flight.active() == 2);
    CHECK(bench.endpoint().in_flight == 1);
    bench.request(0);
    bench.upstreams[0]->write(0, kOk);
    REQUIRE(bench.until([&] { return first->over(); }));
    bench.request(0);
    bench.upstreams[0]->write(0, kOk);
    REQUIRE(bench.until([&] { return second->over(); }));
    CHECK(second->client.events == "200 last end ");
    CHECK(bench.nothing_held());
}

TEST_CASE("who waits for a full pool waits as long as for any place, and counts once") {
    ForwarderBench bench(
        {R"(,"pool":{"max_connections":1},"in_flight":{"max":5,"queue":5,"queue_timeout_ms":500})"});
    auto first = bench.send();
    auto second = bench.send();
    for (int i = 0; i < 8; ++i) {
        bench.pass(milliseconds(100));
        bench.worker.snapshot->clusters[0]->tick();
    }
    CHECK(second->client.events == "503 last end ");
    CHECK(second->exchange.reason == "queue_timeout");
    CHECK(bench.stats.queued.value() == 1);
    CHECK(bench.cluster().in_flight.waiting() == 0);
    first->forwarder.abandon();
    CHECK(bench.nothing_held());
}

TEST_CASE("bytes go both ways through a tunnel, which holds no place and ends with both sides") {
    ForwarderBench bench({R"(,"in_flight":{"max":1})", R"(,"websocket":true)"});
    auto request = tunnel(bench);
    CHECK(bench.cluster().in_flight.active() == 0);
    CHECK(request->client.headers.find("Date") == std::string::npos);
    CHECK(request->exchange.on_body("ping", false));
    CHECK(bench.until([&] { return bench.upstreams[0]->read(0) == "ping"; }));
    bench.upstreams[0]->write(0, "pong");
    REQUIRE(bench.until([&] { return request->client.bytes == "pong"; }));
    CHECK(request->client.events == "tunnel body ");
    CHECK(request->exchange.bytes_in == 4);
    CHECK(request->exchange.bytes_out == 4);
    SECTION("the client ends first") {
        request->exchange.on_body({}, true);
        CHECK(bench.until([&] { return bench.upstreams[0]->ended(0); }));
        bench.upstreams[0]->write(0, "more");
        REQUIRE(bench.until([&] { return request->client.bytes == "pongmore"; }));
        bench.upstreams[0]->close(0);
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.events.ends_with("end "));
    }
    SECTION("the upstream ends first") {
        bench.upstreams[0]->shutdown_write(0);
        REQUIRE(bench.until([&] { return request->client.events == "tunnel body last "; }));
        CHECK(request->exchange.on_body("more", false));
        CHECK(bench.until([&] { return bench.upstreams[0]->read(0) == "more"; }));
        request->exchange.on_body({}, true);
        CHECK(request->over());
    }
    SECTION("nothing comes any more") {
        bench.pass(bench.worker.snapshot->shared->config->client.tunnel_idle_timeout + milliseconds(300));
        CHECK(request->over());
        CHECK(request->exchange.reason == "tunnel_idle_timeout");
    }
    SECTION("the upstream dies") {
        bench.upstreams[0]->reset(0);
        REQUIRE(bench.until([&] { return request->over(); }));
    }
    CHECK(bench.nothing_held());
}

TEST_CASE("a 101 that nobody asked for, or with the wrong answer, opens nothing") {
    for (const bool asked : {true, false}) {
        ForwarderBench bench({"", R"(,"websocket":true)"});
        auto request = bench.send("GET", asked ? kUpgrade : "");
        bench.request(0);
        std::string answer = kSwitching;
        if (asked) answer[answer.find("Accept: ") + 8] ^= 1;
        bench.upstreams[0]->write(0, answer);
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.events == "502 last end ");
        CHECK(bench.nothing_held());
    }
}

TEST_CASE("the total time ends a request wherever it is") {
    const std::string cluster =
        R"(,"timeouts":{"total_ms":1000,"first_byte_ms":60000,"idle_ms":60000,"connect_ms":60000},)"
        R"("in_flight":{"max":1,"queue":1,"queue_timeout_ms":60000},)"
        R"("retry":{"attempts":1,"backoff_ms":10000,"budget_percent":100,"budget_min_per_second":1000})";
    for (const std::string state : {"queued", "connecting", "backing off", "waiting", "answering"}) {
        INFO(state);
        ForwarderBench bench({cluster});
        std::unique_ptr<ForwardedRequest> before;
        if (state == "queued") before = bench.send();
        auto request = bench.send();
        if (state != "queued" && state != "connecting") bench.request(0);
        if (state == "backing off") {
            bench.upstreams[0]->reset(0);
            REQUIRE(bench.until([&] { return request->exchange.retries == 1; }));
        }
        if (state == "answering") {
            bench.upstreams[0]->write(0, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
            REQUIRE(bench.until([&] { return request->client.status == 200; }));
        }
        if (before) before->forwarder.abandon();
        if (before) before = bench.send();
        bench.pass(milliseconds(900));
        CHECK_FALSE(request->over());
        // The back-off may be longer than what is left: its end finds the total time over.
        bench.pass(milliseconds(state == "backing off" ? 21'000 : 500));
        REQUIRE(request->over());
        if (state == "answering")
            CHECK(request->client.events == "200 cut total_timeout ");
        else
            CHECK(request->client.events == "504 last end ");
        CHECK(request->exchange.reason == "total_timeout");
        if (before) before->forwarder.abandon();
        CHECK(bench.nothing_held());
    }
}

TEST_CASE("an upstream that says nothing is a 504, one that stops is cut off") {
    ForwarderBench bench({R"(,"timeouts":{"first_byte_ms":1000,"idle_ms":1000},"retry":{"attempts":1})"});
    {
        auto request = bench.send();
        bench.request(0);
        bench.pass(milliseconds(1'300));
        CHECK(request->client.events == "504 last end ");
        CHECK(bench.upstreams[0]->connections() == 1);
    }
    auto request = bench.send();
    bench.request(1);
    bench.upstreams[0]->write(1, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    REQUIRE(bench.until([&] { return request->client.status == 200; }));
    bench.pass(milliseconds(3'000));
    CHECK(request->client.events == "200 cut upstream_timeout ");
    CHECK(bench.endpoint().failures == 2);
    CHECK(bench.nothing_held());
}

TEST_CASE("an answer that is cut off or breaks is cut off for the client, and counts against the endpoint") {
    for (const std::string end : {"close", "reset", "chunk"}) {
        ForwarderBench bench;
        auto request = bench.send();
        bench.request(0);
        bench.upstreams[0]->write(0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        REQUIRE(bench.until([&] { return request->client.bytes == "abc"; }));
        if (end == "close") bench.upstreams[0]->close(0);
        if (end == "reset") bench.upstreams[0]->reset(0);
        if (end == "chunk") bench.upstreams[0]->write(0, "zz\r\n");
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.events ==
              (end == "chunk" ? "200 cut upstream_bad_answer " : "200 cut upstream_reset "));
        CHECK(request->exchange.logged_status() == 599);
        CHECK(bench.endpoint().failures == 1);
        CHECK(bench.nothing_held());
    }
}

TEST_CASE("an answer that only the close ends is complete with it") {
    ForwarderBench bench;
    auto request = bench.send();
    bench.request(0);
    bench.upstreams[0]->write(0, "HTTP/1.1 200 OK\r\n\r\nabc");
    REQUIRE(bench.until([&] { return request->client.bytes == "abc"; }));
    bench.upstreams[0]->close(0);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "200 last end ");
    CHECK(request->client.size == FakeClient::Reply::Size::unknown);
    CHECK(bench.nothing_held());
}

TEST_CASE("a client that is gone when the answer comes ends everything") {
    for (const char* answer :
         {"HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
        ForwarderBench bench;
        auto request = bench.send();
        bench.request(0);
        request->client.goes_away = true;
        bench.upstreams[0]->write(0, answer);
        REQUIRE(bench.until([&] { return !request->client.events.empty(); }));
        bench.turns();
        CHECK(request->client.events == "gone ");
        CHECK(bench.nothing_held());
    }
}

TEST_CASE("a head that cannot be written is a bad answer, with the headers of every answer once") {
    ForwarderBench bench;
    auto request = bench.send();
    bench.request(0);
    request->client.refuses_heads = true;
    bench.upstreams[0]->write(0, kOk);
    REQUIRE(bench.until([&] { return request->over(); }));
    CHECK(request->client.events == "502 last end ");
    const std::string& headers = request->client.headers;
    CHECK(headers.find("Date: ") == headers.rfind("Date: "));
    CHECK(headers.find("Date: ") != std::string::npos);
    CHECK(bench.nothing_held());
}

TEST_CASE("Host names the endpoint of each attempt where the route says so") {
    ForwarderBench bench({kRetry, "", 2});
    auto request = bench.send();
    std::size_t at = 0;
    REQUIRE(bench.until([&] {
        at = bench.upstreams[1]->connections();
        return at + bench.upstreams[0]->connections() > 0;
    }));
    bench.request(0, at);
    bench.upstreams[at]->reset(0);
    CHECK(bench.request(0, 1 - at).find("\r\nHost: a.test\r\n") != std::string::npos);
    CHECK(request->exchange.upstream == bench.upstreams[1 - at]->address());
}

}  // namespace test
