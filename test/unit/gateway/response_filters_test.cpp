// What every answer has, and in which order it gets it.
#include <catch2/catch.hpp>

#include "forwarder_bench.hpp"
#include "gateway/pipeline/response_filters.hpp"

namespace test {

using gateway::exchange::Failed;
using gateway::exchange::ResponseFilter;
using gateway::wire::Addition;

namespace {

std::size_t place(std::string_view name) {
    const auto filters = gateway::pipeline::response_filters();
    for (std::size_t i = 0; i < filters.size(); ++i)
        if (filters[i]->name == name) return i;
    FAIL("no filter " << name);
    return 0;
}

}  // namespace

TEST_CASE("the response filters run in this order") {
    std::string order;
    for (const ResponseFilter* filter : gateway::pipeline::response_filters())
        order += std::string(filter->name) + " ";
    CHECK(order == "answer_headers request_id date counters access_log ");
    // The reason for each place, one by one.
    CHECK(place("answer_headers") == 0);
    CHECK(place("date") > place("answer_headers"));
    CHECK(place("request_id") < place("counters"));
    CHECK(place("counters") > place("date"));
    CHECK(place("access_log") == gateway::pipeline::response_filters().size() - 1);
}

TEST_CASE("an answer has the headers of its route, then those of the request filters, then the Date") {
    ForwarderBench bench(
        {"",
         R"(,"response_headers":[{"name":"X-Route","value":"r"}],"cors":{"origins":["https://a.test"]})"});
    auto request = bench.send("GET", "Origin: https://a.test\r\n");
    request->exchange.fail(Failed::internal);
    const std::string& headers = request->client.headers;
    CHECK(headers.starts_with("X-Request-Id: " + std::string(request->exchange.request_id) + "\n"));
    std::size_t at = 0;
    for (const char* name :
         {"X-Request-Id: ", "X-Route: r\n", "Vary: Origin\n", "Access-Control-Allow-Origin: https://a.test\n",
          "Date: ", "Content-Type: ", "Cache-Control: no-store\n"}) {
        INFO(name << " in\n" << headers);
        const std::size_t found = headers.find(name);
        REQUIRE(found != std::string::npos);
        CHECK(found >= at);
        CHECK(headers.find(name, found + 1) == std::string::npos);
        at = found;
    }
}

TEST_CASE("what an upstream says has the same headers, its own Date stays") {
    for (const bool dated : {false, true}) {
        ForwarderBench bench({"", R"(,"response_headers":[{"name":"X-Route","value":"r"}])"});
        auto request = bench.send();
        bench.request();
        bench.upstreams[0]->write(0, std::string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n") +
                                         (dated ? "Date: Sat, 28 Nov 2026 12:00:00 GMT\r\n\r\n" : "\r\n"));
        REQUIRE(bench.until([&] { return request->over(); }));
        CHECK(request->client.headers.find("X-Route: r\n") != std::string::npos);
        CHECK((request->client.headers.find("Date: ") == std::string::npos) == dated);
    }
}

TEST_CASE("what no route took has the headers of the top level") {
    ForwarderBench bench;
    auto request = bench.send();
    request->forwarder.abandon();
    request->exchange.route = nullptr;
    request->exchange.runtime = nullptr;
    request->exchange.fail(Failed::route_not_found);
    CHECK(request->client.headers.find("X-Top: 1\n") != std::string::npos);
}

TEST_CASE("of two policies over one header one line is sent, the operator's") {
    ForwarderBench bench(
        {"",
         R"(,"response_headers":[{"name":"Date","value":"never"},{"name":"vary","value":"Accept"},)"
         R"({"name":"RateLimit","value":"mine"},{"name":"RateLimit-Policy","value":"x","only_if_absent":true}],)"
         R"("limits":{"rate_limits":["l"]},"cors":{"origins":["https://a.test"]})",
         1, R"("rate_limits":[{"name":"l","requests":9}],)"});
    auto request = bench.send("GET", "Origin: https://a.test\r\n");
    request->exchange.fail(Failed::internal);
    const std::string& head = request->client.written;
    INFO(head);
    CHECK(head.find("\r\nDate: never\r\n") != std::string::npos);
    CHECK(head.find("\r\nDate: ", head.find("\r\nDate: ") + 1) == std::string::npos);
    CHECK(head.find("\r\nRateLimit: mine\r\n") != std::string::npos);
    CHECK(head.find("\r\nRateLimit: \"l\"") == std::string::npos);
    CHECK(head.find("\r\nRateLimit-Policy: \"l\"") != std::string::npos);
    CHECK(head.find("\r\nRateLimit-Policy: x") == std::string::npos);
    // A list goes on: caches need both.
    CHECK(head.find("\r\nvary: Accept\r\n") != std::string::npos);
    CHECK(head.find("\r\nVary: Origin\r\n") != std::string::npos);
}

TEST_CASE("the route's CORS policy alone is sent, without one none") {
    for (const bool policy : {true, false}) {
        ForwarderBench bench({"", policy ? R"(,"cors":{"origins":["https://a.test"]})" : ""});
        for (const bool allowed : {true, false}) {
            auto request =
                bench.send("GET", allowed ? "Origin: https://a.test\r\n" : "Origin: https://evil.test\r\n");
            bench.request();
            bench.upstreams[0]->write(0,
                                      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                                      "Access-Control-Allow-Origin: https://evil.test\r\n"
                                      "Access-Control-Allow-Credentials: true\r\n\r\n");
            REQUIRE(bench.until([&] { return request->over(); }));
            const std::string& head = request->client.written;
            INFO(head);
            CHECK(head.find("evil") == std::string::npos);
            CHECK(head.find("Credentials") == std::string::npos);
            CHECK((head.find("Access-Control-Allow-Origin: https://a.test\r\n") != std::string::npos) ==
                  (policy && allowed));
        }
    }
}

TEST_CASE("a request is counted once, by what the client got") {
    ForwarderBench bench;
    const gateway::observe::RouteStats& route = *bench.worker.snapshot->route_stats[0];
    {
        auto request = bench.send();
        bench.request();
        bench.upstreams[0]->write(0, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nabc");
        REQUIRE(bench.until([&] { return request->client.status != 0; }));
        CHECK(route.by_class[4].value() == 0);
        bench.upstreams[0]->write(0, "de");
        REQUIRE(bench.until([&] { return request->over(); }));
    }
    CHECK(route.by_class[4].value() == 1);
    CHECK(route.bytes_out.value() == 5);
    CHECK(bench.stats.requests_finished.value() == 1);
    // Who leaves without an answer is a 499.
    auto request = bench.send();
    request->exchange.finish();
    CHECK(route.by_class[4].value() == 2);
    CHECK(bench.stats.requests_finished.value() == 2);
}

TEST_CASE("each piece goes through every filter, in the order of the list") {
    static std::string seen;
    static const ResponseFilter first{
        "first",
        [](gateway::exchange::Exchange&, gateway::exchange::Reply&, std::vector<Addition>& additions) {
            seen += "head1 ";
            additions.push_back({"X-First", "1", Addition::Mode::set});
        },
        [](gateway::exchange::Exchange&, std::string_view data, bool) {
            seen += "body1:" + std::string(data) + " ";
            return std::string_view("changed");
        },
        [](gateway::exchange::Exchange&) { seen += "end1 "; }};
    static const ResponseFilter nothing{"nothing", nullptr, nullptr, nullptr};
    static const ResponseFilter last{
        "last",
        [](gateway::exchange::Exchange&, gateway::exchange::Reply&, std::vector<Addition>& additions) {
            seen += "head2:" + std::to_string(additions.size()) + " ";
        },
        [](gateway::exchange::Exchange&, std::string_view data, bool) {
            seen += "body2:" + std::string(data) + " ";
            return data;
        },
        [](gateway::exchange::Exchange&) { seen += "end2 "; }};
    const ResponseFilter* const list[] = {&first, &nothing, &last};
    ForwarderBench bench;
    gateway::exchange::Exchange exchange(bench.worker.tools, list);
    FakeClient client(exchange);
    exchange.side = &client;
    exchange.snapshot = bench.worker.snapshot;
    gateway::exchange::Reply reply;
    reply.status = 200;
    CHECK(exchange.send_head(reply, "a", false) == gateway::exchange::Given::taken);
    CHECK(exchange.send_body("b", true) == gateway::exchange::Given::taken);
    client.end();
    CHECK(seen == "head1 head2:1 body1:a body2:changed body1:b body2:changed end1 end2 ");
    CHECK(client.bytes == "changedchanged");
    CHECK(client.headers.ends_with("X-First: 1\n"));
}

}  // namespace test
