// Who is answered while others ask for more than there is.
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "shared/http/body_writer.hpp"
#include "shared/http/networks.hpp"
#include "test/support/http.hpp"
#include "test/unit/shared/running_server.hpp"

using namespace shared;
using namespace std::chrono_literals;
using boost::asio::awaitable;

namespace {

class Fixture : public test::RunningServer {
  public:
    explicit Fixture(http::ServerOptions options) : RunningServer(std::move(options)) {
        http::Router router;
        const auto token = http::Access::any_token();
        const auto open = http::Access::open();
        router.add("GET", "/hold", token, [this](http::Request&) { return hold(); });
        router.add("GET", "/quick", token, [](http::Request&) { return say(); });
        router.add("GET", "/guess", open, [this](http::Request&) { return hold(); },
                   {.rate = http::Rate::sign_in});
        router.add("GET", "/public", open, [](http::Request&) { return say(); });
        router.add("GET", "/export", token, [this](http::Request&) { return stream(); },
                   {.rate = http::Rate::costly});
        router.add("GET", "/livez", open, [](http::Request&) { return say(); }, {.at_once = true});
        start(std::move(router));
    }
    ~Fixture() { released = true; }

    std::atomic<int> inside{0};
    std::atomic<bool> released{false};

  private:
    static awaitable<http::Response> say() { co_return http::json_response(200, "{}"); }
    awaitable<http::Response> hold() {
        ++inside;
        while (!released) {
            boost::asio::steady_timer timer(context(), 2ms);
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
        --inside;
        co_return http::json_response(200, "{}");
    }
    awaitable<http::Response> stream() {
        co_return http::streamed(200, "text/csv", [this](http::BodyWriter& out) { return produce(out); });
    }
    awaitable<bool> produce(http::BodyWriter&) {
        auto holding = hold();
        co_await std::move(holding);
        co_return true;
    }
};

test::RawConnection ask(const Fixture& server, const std::string& path, const std::string& token = "") {
    test::RawConnection connection(server.port());
    const auto credentials = token.empty() ? "" : "Authorization: Bearer " + token + "\r\n";
    connection.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n" + credentials + "\r\n");
    return connection;
}

std::string status(test::RawConnection& connection, std::chrono::milliseconds time = 5s) {
    return connection.read_until("\r\n\r\n", time).substr(0, 12);
}

template <class Condition>
bool soon(Condition condition) {
    for (int i = 0; i < 2500 && !condition(); ++i) std::this_thread::sleep_for(2ms);
    return condition();
}

bool waiting(const Fixture& server, const std::string& rate, int count) {
    const auto line = "http_requests_waiting{rate=\"" + rate + "\"} " + std::to_string(count) + "\n";
    return soon([&] { return server.rendered_metrics().find(line) != std::string::npos; });
}

http::ServerOptions options() {
    http::ServerOptions options;
    options.ordinary = {4, 2};
    options.sign_in = {2, 1};
    options.costly = {1, 1};
    return options;
}

}  // namespace

TEST_CASE("who asks for much at once waits behind their own requests, not in front of others") {
    Fixture server(options());
    std::vector<test::RawConnection> greedy;
    for (int i = 0; i < 20; ++i) greedy.push_back(ask(server, "/hold", "student-a"));
    CHECK(waiting(server, "ordinary", 18));
    CHECK(server.inside == 2);
    CHECK(test::get(server.port(), "/quick", {test::bearer("student-b")}).status == 200);
    CHECK(test::get(server.port(), "/public").status == 200);
    server.released = true;
    for (auto& connection : greedy) CHECK(status(connection) == "HTTP/1.1 200");
}

TEST_CASE("where all places are taken the next one is of who has fewest, and a probe needs none") {
    Fixture server(options());
    std::vector<test::RawConnection> greedy;
    for (int i = 0; i < 10; ++i) greedy.push_back(ask(server, "/hold", "student-a"));
    for (int i = 0; i < 10; ++i) greedy.push_back(ask(server, "/hold", "student-b"));
    CHECK(waiting(server, "ordinary", 16));
    auto other = ask(server, "/quick", "student-c");
    CHECK(waiting(server, "ordinary", 17));
    CHECK(test::get(server.port(), "/livez").status == 200);
    CHECK(test::request(server.port(), "OPTIONS", "/quick").status == 204);
    CHECK(test::get(server.port(), "/quick", {test::bearer("forged")}).status == 401);
    server.released = true;
    CHECK(status(other) == "HTTP/1.1 200");
}

TEST_CASE("too many that wait are shed with 503, those of whom most wait first") {
    auto small = options();
    small.max_waiting = 6;
    Fixture server(small);
    std::vector<test::RawConnection> first;
    for (int i = 0; i < 8; ++i) first.push_back(ask(server, "/hold", "student-a"));
    CHECK(waiting(server, "ordinary", 6));
    auto ninth = ask(server, "/hold", "student-a");
    const auto answer = ninth.read_until("}");
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(answer.find("X-Overloaded: 1\r\n") != std::string::npos);
    CHECK(answer.find("Retry-After: ") != std::string::npos);
    CHECK(answer.find("\"overloaded\"") != std::string::npos);
    CHECK(answer.find("Connection: close") == std::string::npos);
    auto second = ask(server, "/hold", "student-b");
    auto third = ask(server, "/hold", "student-b");
    CHECK(soon([&] { return server.inside == 4; }));
    auto fourth = ask(server, "/quick", "student-c");
    // Which of them was the last to be read nobody knows.
    CHECK(soon([&] {
        return server.rendered_metrics().find("http_requests_total{route=\"/hold\",status=\"503\"} 2") !=
               std::string::npos;
    }));
    server.released = true;
    CHECK(status(fourth) == "HTTP/1.1 200");
    int served = 0;
    for (auto& connection : first) served += status(connection) == "HTTP/1.1 200" ? 1 : 0;
    CHECK(served == 7);
}

TEST_CASE("who has waited too long is told so, and the connection goes on") {
    auto impatient = options();
    impatient.patience = 100ms;
    Fixture server(impatient);
    auto one = ask(server, "/hold", "student-a");
    auto two = ask(server, "/hold", "student-a");
    CHECK(soon([&] { return server.inside == 2; }));
    auto late = ask(server, "/hold", "student-a");
    CHECK(late.read_until("}").starts_with("HTTP/1.1 503 "));
    late.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(status(late) == "HTTP/1.1 200");
}

TEST_CASE("guesses, exports and the rest do not wait for one another") {
    Fixture server(options());
    auto guess = ask(server, "/guess");
    auto next_guess = ask(server, "/guess");
    CHECK(waiting(server, "sign_in", 1));
    auto csv = ask(server, "/export", "student-a");
    CHECK(soon([&] { return server.inside == 2; }));
    auto next_csv = ask(server, "/export", "student-b");
    CHECK(waiting(server, "costly", 1));  // the first one is still being sent
    CHECK(test::get(server.port(), "/public").status == 200);
    CHECK(test::get(server.port(), "/quick", {test::bearer("student-a")}).status == 200);
    server.released = true;
    CHECK(next_csv.read_until("\r\n0\r\n\r\n").starts_with("HTTP/1.1 200"));
    CHECK(status(next_guess) == "HTTP/1.1 200");
}

TEST_CASE("an IPv6 client is counted by its network, any other by its address") {
    CHECK(http::counted_as("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    CHECK(http::counted_as("2001:db8:1:2::9") == http::counted_as("2001:DB8:1:2:ffff::"));
    CHECK(http::counted_as("2001:db8:1:3::9") != http::counted_as("2001:db8:1:2::9"));
    CHECK(http::counted_as("::ffff:203.0.113.7") == "203.0.113.7");
    CHECK(http::counted_as("203.0.113.7") == "203.0.113.7");
    CHECK(http::counted_as("fe80::1%eth0") == "fe80::/64");
    CHECK(http::counted_as("a:b") == "a:b");
    CHECK(http::counted_as("unknown") == "unknown");
    CHECK(http::counted_as("").empty());
}
