#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <optional>
#include <sstream>

#include "test/support/http.hpp"
#include "test/unit/shared/running_server.hpp"

using namespace shared;
using namespace std::chrono_literals;

namespace {

class Fixture : public test::RunningServer {
  public:
    explicit Fixture(http::ServerOptions options = {}) : RunningServer(std::move(options)) {
        http::Router router;
        router.add("GET", "/open", http::Access::open(),
                   [](http::Request& r) -> boost::asio::awaitable<http::Response> {
                       json::Writer w;
                       w.object([&] { w.member("client", r.client_address); });
                       co_return http::json_response(200, w.str());
                   });
        router.add("POST", "/echo", http::Access::open(),
                   [](http::Request& r) -> boost::asio::awaitable<http::Response> {
                       auto body = http::read_json_body(r);
                       if (body.refusal) co_return std::move(*body.refusal);
                       co_return http::json_response(200, r.body);
                   },
                   {.body_limit_bytes = http::kServerLimit});
        router.add(
            "GET", "/admin", http::Access::roles({"admin"}),
            [](http::Request&) -> boost::asio::awaitable<http::Response> { co_return http::no_content(); });
        router.add("GET", "/throws", http::Access::open(),
                   [](http::Request&) -> boost::asio::awaitable<http::Response> {
                       throw std::runtime_error("SELECT secret");
                       co_return http::no_content();
                   });
        router.add("GET", "/slow", http::Access::open(),
                   [this](http::Request&) -> boost::asio::awaitable<http::Response> {
                       boost::asio::steady_timer timer(context(), 10s);
                       slow_.set_value();
                       co_await timer.async_wait(boost::asio::use_awaitable);
                       co_return http::no_content();
                   });
        start(std::move(router));
    }
    // Until a request is inside the handler of /slow.
    void wait_for_slow() { slow_.get_future().wait(); }

  private:
    std::promise<void> slow_;
};

}  // namespace

TEST_CASE("answers carry the client's request id if it is sane, else a new one") {
    Fixture server;
    CHECK(test::get(server.port(), "/open", {{"X-Request-Id", "abc-1"}}).header("X-Request-Id") == "abc-1");
    const auto id =
        test::get(server.port(), "/open", {{"X-Request-Id", std::string(129, 'a')}}).header("X-Request-Id");
    CHECK(id.size() == 22);
    CHECK(test::get(server.port(), "/open", {{"X-Request-Id", "a b"}}).header("X-Request-Id").size() == 22);
}

TEST_CASE("errors are problem+json with every member of the contract") {
    Fixture server;
    const auto reply = test::get(server.port(), "/nowhere?x=1");
    CHECK(reply.status == 404);
    CHECK(reply.header("Content-Type") == "application/problem+json");
    const auto body = reply.json();
    for (const char* member : {"type", "title", "status", "detail", "instance", "code", "request_id"})
        CHECK(body.HasMember(member));
    CHECK(reply.text("instance") == "/nowhere");
}

TEST_CASE("no token, a bad token, a wrong role and an outage are four different answers") {
    Fixture server;
    const auto none = test::get(server.port(), "/admin");
    CHECK(none.status == 401);
    CHECK(none.header("WWW-Authenticate") == "Bearer realm=\"test\"");
    const auto bad = test::get(server.port(), "/admin", {test::bearer("x")});
    CHECK(bad.status == 401);
    CHECK(bad.header("WWW-Authenticate") == "Bearer realm=\"test\", error=\"invalid_token\"");
    const auto role = test::get(server.port(), "/admin", {test::bearer("student")});
    CHECK(role.status == 403);
    CHECK(role.header("WWW-Authenticate") == "Bearer realm=\"test\", error=\"insufficient_scope\"");
    const auto down = test::get(server.port(), "/admin", {test::bearer("down")});
    CHECK(down.status == 503);
    CHECK(down.has_header("Retry-After"));
    CHECK(test::get(server.port(), "/admin", {{"authorization", "bEaReR admin"}}).status == 204);
}

TEST_CASE("405 and OPTIONS carry Allow, HEAD answers like GET without a body") {
    Fixture server;
    const auto wrong = test::request(server.port(), "DELETE", "/open");
    CHECK(wrong.status == 405);
    CHECK(wrong.header("Allow") == "GET, HEAD, OPTIONS");
    CHECK(test::request(server.port(), "OPTIONS", "/open").status == 204);
    const auto head = test::request(server.port(), "HEAD", "/open");
    CHECK(head.status == 200);
    CHECK(head.body.empty());
    CHECK(head.header("Content-Length") == std::to_string(test::get(server.port(), "/open").body.size()));
}

TEST_CASE("bodies that are no JSON objects are 400, other types 415, too long ones 413") {
    http::ServerOptions options;
    options.body_limit_bytes = 100;
    Fixture server(options);
    CHECK(test::post_json(server.port(), "/echo", "{\"a\":1}").status == 200);
    for (const char* bad : {"", "{", "[]", "null", "{\"a\":1,\"a\":2}"})
        CHECK(test::post_json(server.port(), "/echo", bad).status == 400);
    CHECK(test::request(server.port(), "POST", "/echo", {{"Content-Type", "text/plain"}}, "{}").status ==
          415);
    CHECK(test::request(server.port(), "POST", "/echo", {}, "{}").status == 415);
    const std::string filled = "{\"a\":\"" + std::string(92, 'x') + "\"}";
    REQUIRE(filled.size() == 100);
    CHECK(test::post_json(server.port(), "/echo", filled).status == 200);
    CHECK(test::post_json(server.port(), "/echo", filled + " ").status == 413);
    CHECK(test::post_json(server.port(), "/echo", std::string(101, ' ')).status == 413);
    const auto chunked =
        test::request(server.port(), "POST", "/echo",
                      {{"Transfer-Encoding", "chunked"}, {"Content-Type", "application/json"}},
                      "80\r\n" + std::string(128, ' ') + "\r\n0\r\n\r\n");
    CHECK(chunked.status == 413);
}

TEST_CASE("ambiguous framing is refused and the connection closes") {
    Fixture server;
    const char* heads[] = {
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\nContent-Length: 2\r\n\r\n{}",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /open HTTP/1.1\r\n\r\n",
        "GET /open HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /open HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin\r\nAuthorization: Bearer x\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Type: text/csv\r\n"
        "Content-Length: 2\r\n\r\n{}",
        "GET /open HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /\x80 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    };
    for (const char* head : heads) {
        INFO(head);
        test::RawConnection connection(server.port());
        connection.send(head);
        const auto answer = connection.read_to_end(5s);
        CHECK(answer.starts_with("HTTP/1.1 400 "));
        CHECK(connection.closed_by_peer());
    }
}

namespace {

std::size_t answers_in(const std::string& bytes) {
    std::size_t count = 0;
    for (auto at = bytes.find("HTTP/1.1 "); at != std::string::npos; at = bytes.find("HTTP/1.1 ", at + 1))
        ++count;
    return count;
}

}  // namespace

TEST_CASE("what follows a body that is not read is never taken for a request") {
    http::ServerOptions options;
    options.body_limit_bytes = 100;
    options.body_timeout = 1s;
    Fixture server(options);
    // Longer than the limit, so that it is refused by its length alone.
    const std::string inner =
        "GET /open HTTP/1.1\r\nHost: a\r\nX-Filler: " + std::string(100, 'x') + "\r\n\r\n";
    const std::string size = std::to_string(inner.size());
    const std::string in_chunk = [&] {
        std::ostringstream hex;
        hex << std::hex << inner.size();
        return hex.str() + "\r\n" + inner + "\r\n0\r\n\r\n";
    }();
    const std::string echo = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    struct Row {
        std::string sent;
        const char* status;
    };
    const Row rows[] = {
        {echo + "Content-Length: " + size + "\r\n\r\n" + inner, "413"},
        {echo + chunked + "\r\n" + in_chunk, "413"},
        {"POST /nowhere HTTP/1.1\r\nHost: a\r\n" + chunked + "\r\n" + in_chunk, "404"},
        {"DELETE /open HTTP/1.1\r\nHost: a\r\n" + chunked + "\r\n" + in_chunk, "405"},
        {"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n" + inner, "404"},
        {"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\nExpect: 100-continue\r\n\r\n" + inner,
         "404"},
        {echo + "Content-Length: 60\r\nExpect: x\r\n\r\n" + inner, "417"},
        {echo + chunked + "\r\nzz\r\n" + inner, "400"},
        {echo + "Content-Length: 60\r\n\r\n{", "408"},
    };
    for (const auto& row : rows) {
        INFO(row.sent);
        test::RawConnection connection(server.port());
        connection.send(row.sent);
        const auto all = connection.read_to_end(5s);
        CHECK(all.starts_with(std::string("HTTP/1.1 ") + row.status));
        CHECK(answers_in(all) == 1);
        CHECK(connection.closed_by_peer());
    }
}

TEST_CASE("a refused request whose body was read leaves the connection open") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send(
        "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nGET / H"
        "GET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const auto all = connection.read_to_end(5s);
    CHECK(all.starts_with("HTTP/1.1 404 "));
    CHECK(all.find("HTTP/1.1 200 ") != std::string::npos);
    CHECK(answers_in(all) == 2);
}

TEST_CASE("of a body that no route takes at most 64 KiB are read, whatever the server's limit is") {
    http::ServerOptions options;
    options.body_limit_bytes = 8 * 1024 * 1024;
    Fixture server(options);
    const auto send = [&](std::size_t length) {
        test::RawConnection connection(server.port());
        connection.send("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) +
                        "\r\n\r\n" + std::string(length, 'x') +
                        "GET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        return connection.read_to_end(5s);
    };
    CHECK(answers_in(send(64 * 1024)) == 2);
    const auto refused = send(64 * 1024 + 1);
    CHECK(refused.starts_with("HTTP/1.1 404 "));
    CHECK(answers_in(refused) == 1);
}

TEST_CASE("one connection too many is told so, and a place that is free again is given away") {
    http::ServerOptions options;
    options.max_connections = 2;
    options.head_timeout = 1s;
    Fixture server(options);
    const std::string ask = "GET /open HTTP/1.1\r\nHost: a\r\n\r\n";
    std::optional<test::RawConnection> first(std::in_place, server.port());
    first->send(ask);
    CHECK(first->read_until("}").starts_with("HTTP/1.1 200 "));
    test::RawConnection second(server.port());
    second.send(ask);
    CHECK(second.read_until("}").starts_with("HTTP/1.1 200 "));
    test::RawConnection third(server.port());
    third.send(ask + ask);
    const auto told = third.read_to_end(5s);
    CHECK(told.starts_with("HTTP/1.1 503 "));
    CHECK(told.find("X-Overloaded: 1\r\n") != std::string::npos);
    CHECK(told.find("Connection: close\r\n") != std::string::npos);
    CHECK(told.find("HTTP/1.1", 1) == std::string::npos);
    CHECK(third.closed_by_peer());
    test::RawConnection silent(server.port());
    CHECK(silent.read_to_end(5s).empty());
    CHECK(silent.closed_by_peer());
    std::vector<test::RawConnection> crowd;
    for (int i = 0; i < 80; ++i) crowd.emplace_back(server.port());
    CHECK(crowd.back().read_to_end(500ms).empty());
    CHECK(crowd.back().closed_by_peer());  // at once: not even told
    crowd.clear();
    first.reset();
    const auto free_again = [&] {
        test::RawConnection next(server.port());
        next.send(ask);
        return next.read_until("}", 1s).starts_with("HTTP/1.1 200 ");
    };
    bool served = false;
    for (int i = 0; i < 50 && !served; ++i) served = free_again();
    CHECK(served);
}

TEST_CASE("a drain ends with its grace, whatever a handler or a client still waits for") {
    http::ServerOptions options;
    Fixture server(options);
    SECTION("a handler that takes too long") {
        test::RawConnection connection(server.port());
        connection.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
        server.wait_for_slow();
        const auto before = std::chrono::steady_clock::now();
        CHECK(server.drain_and_wait(300ms, 2s));
        CHECK(std::chrono::steady_clock::now() - before > 250ms);
        connection.read_to_end(1s);
        CHECK(connection.closed_by_peer());
    }
    SECTION("a body that never comes") {
        test::RawConnection connection(server.port());
        connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n{");
        test::get(server.port(), "/open");  // what was sent before has been read
        const auto before = std::chrono::steady_clock::now();
        CHECK(server.drain_and_wait(300ms, 2s));
        CHECK(std::chrono::steady_clock::now() - before > 250ms);
    }
}

TEST_CASE("requests on one connection are answered in order, also pipelined and sent byte by byte") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send(
        "GET /open HTTP/1.1\r\nHost: a\r\nX-Request-Id: 1\r\n\r\n"
        "GET /nowhere HTTP/1.1\r\nHost: a\r\nX-Request-Id: 2\r\n\r\n");
    for (const char c :
         std::string("GET /open HTTP/1.1\r\nHost: a\r\nX-Request-Id: 3\r\nConnection: close\r\n\r\n"))
        connection.send(std::string(1, c));
    const auto all = connection.read_to_end();
    const auto first = all.find("X-Request-Id: 1");
    const auto second = all.find("X-Request-Id: 2");
    const auto third = all.find("X-Request-Id: 3");
    CHECK(first < second);
    CHECK(second < third);
    CHECK(third != std::string::npos);
}

TEST_CASE("a handler that throws gives a 500 without internals, and the connection lives on") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send(
        "GET /throws HTTP/1.1\r\nHost: a\r\n\r\nGET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const auto all = connection.read_to_end();
    CHECK(all.starts_with("HTTP/1.1 500 "));
    CHECK(all.find("SELECT") == std::string::npos);
    CHECK(all.find("HTTP/1.1 200 ") != std::string::npos);
}

TEST_CASE("a client that sends its head too slowly gets a 408") {
    http::ServerOptions options;
    options.head_timeout = 1s;
    Fixture server(options);
    test::RawConnection connection(server.port());
    connection.send("GET /open HT");
    CHECK(connection.read_to_end(5s).starts_with("HTTP/1.1 408 "));
    CHECK(connection.closed_by_peer());
}

TEST_CASE("Expect: 100-continue is answered before the body is read") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        "Expect: 100-continue\r\nConnection: close\r\n\r\n");
    CHECK(connection.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
    connection.send("{}");
    CHECK(connection.read_to_end().starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a drain closes idle connections at once") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send("GET /open HTTP/1.1\r\nHost: a\r\n\r\n");
    connection.read_until("}");
    server.drain(5s);
    connection.read_to_end(2s);
    CHECK(connection.closed_by_peer());
}

TEST_CASE("requests are counted by route pattern, never by path") {
    Fixture server;
    test::get(server.port(), "/open");
    test::get(server.port(), "/nowhere-17");
    const auto text = server.rendered_metrics();
    CHECK(text.find("http_requests_total{route=\"/open\",status=\"200\"} 1") != std::string::npos);
    CHECK(text.find("nowhere-17") == std::string::npos);
}
