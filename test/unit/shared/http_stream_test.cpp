// Bodies in pieces, both ways, with clients that are slow, leave, or lie.
#include <sys/socket.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <cerrno>
#include <stdexcept>

#include "shared/http/body_stream.hpp"
#include "shared/http/body_writer.hpp"
#include "shared/http/query.hpp"
#include "test/support/http.hpp"
#include "test/unit/shared/running_server.hpp"

using namespace shared;
using namespace std::chrono_literals;
using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kMiB = 1024 * 1024;
constexpr std::size_t kLimit = 100'000;

http::ServerOptions quick() {
    http::ServerOptions options;
    options.body_timeout = 1s;
    options.write_timeout = 1s;
    options.body_limit_bytes = 64 * kMiB;
    return options;
}

class Fixture : public test::RunningServer {
  public:
    explicit Fixture(http::ServerOptions options = quick()) : RunningServer(std::move(options)) {
        http::Router router;
        http::RouteRules rules;
        rules.body = http::Body::streamed;
        rules.content_type = "text/csv";
        rules.body_limit_bytes = kLimit;
        const auto open = http::Access::open();
        router.add(
            "POST", "/upload", open, [this](http::Request& r) { return upload(r, 1'000'000); }, rules);
        router.add(
            "POST", "/first", open, [this](http::Request& r) { return upload(r, 1); }, rules);
        router.add(
            "POST", "/none", open, [this](http::Request& r) { return upload(r, 0); }, rules);
        router.add(
            "POST", "/secret", http::Access::any_token(),
            [this](http::Request& r) { return upload(r, 1'000'000); }, rules);
        rules.body_limit_bytes = http::kServerLimit;
        router.add(
            "POST", "/gated", open, [this](http::Request& r) { return gated(r); }, rules);
        router.add("GET", "/download", open, [this](http::Request& r) { return download(r); },
                   {.query = "size end"});
        router.add("GET", "/open", open, [](http::Request&) { return say(); });
        start(std::move(router));
    }
    ~Fixture() { gate_open = true; }

    std::atomic<int> calls{0};
    std::atomic<std::size_t> received{0};  // by the handlers of uploads
    std::atomic<std::size_t> largest_piece{0};
    std::atomic<bool> gate_open{false};    // /gated reads from then on
    std::atomic<std::size_t> produced{0};  // by /download
    std::atomic<int> producers{0};         // that run

  private:
    static awaitable<http::Response> say() { co_return http::json_response(200, "\"open\""); }

    awaitable<http::Response> upload(http::Request& request, int pieces) {
        ++calls;
        std::size_t size = 0;
        for (int i = 0; i < pieces; ++i) {
            auto reading = request.body_stream->read();
            auto piece = co_await std::move(reading);
            if (!piece) co_return piece.error();
            if (piece->empty()) break;
            size += piece->size();
            received += piece->size();
            if (piece->size() > largest_piece) largest_piece = piece->size();
        }
        co_return http::json_response(200, std::to_string(size));
    }
    awaitable<http::Response> gated(http::Request& request) {
        while (!gate_open) {
            boost::asio::steady_timer timer(context(), 5ms);
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
        auto uploading = upload(request, 1'000'000'000);
        co_return co_await std::move(uploading);
    }
    awaitable<http::Response> download(http::Request& request) {
        http::Query query(request);
        const auto size = static_cast<std::size_t>(query.integer("size", 0, 100'000'000).value_or(0));
        const auto end = query.text("end", 9).value_or("good");
        co_return http::streamed(
            200, "text/csv", [this, size, end](http::BodyWriter& out) { return produce(out, size, end); });
    }
    awaitable<bool> produce(http::BodyWriter& out, std::size_t size, std::string end) {
        struct Counted {
            std::atomic<int>& count;
            explicit Counted(std::atomic<int>& c) : count(c) { ++count; }
            ~Counted() { --count; }
        } counted(producers);
        const std::string piece(1000, 'x');
        for (std::size_t made = 0; made < size; made += piece.size()) {
            const auto now = std::min(piece.size(), size - made);
            produced += now;
            auto writing = out.write(std::string_view(piece).substr(0, now));
            const bool taken = co_await std::move(writing);
            if (!taken) co_return false;
        }
        if (end == "throw") throw std::runtime_error("SELECT secret");
        co_return end == "good";
    }
};

std::string post(const std::string& path, const std::string& fields, const std::string& body = "") {
    return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n" + fields + "\r\n" + body;
}

std::string with_length(const std::string& path, const std::string& body) {
    return post(path, "Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}

std::string hex(std::size_t number) {
    char text[20];
    return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%zx", number))};
}

std::string in_chunks(const std::string& path, const std::string& body, std::size_t size) {
    std::string chunks;
    for (std::size_t i = 0; i < body.size(); i += size) {
        const auto chunk = body.substr(i, size);
        chunks += hex(chunk.size()) + "\r\n" + chunk + "\r\n";
    }
    return post(path, "Transfer-Encoding: chunked\r\n", chunks + "0\r\n\r\n");
}

std::string body_of(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

// The bytes in the chunks of a body; nullopt: it does not end as it should.
std::optional<std::size_t> size_of_chunks(std::string_view body) {
    std::size_t size = 0;
    while (true) {
        const auto line = body.find("\r\n");
        if (line == std::string_view::npos) return std::nullopt;
        const auto chunk = std::stoul(std::string(body.substr(0, line)), nullptr, 16);
        body.remove_prefix(line + 2);
        if (body.size() < chunk + 2 || body.substr(chunk, 2) != "\r\n") return std::nullopt;
        body.remove_prefix(chunk + 2);
        if (chunk == 0) return body.empty() ? std::optional(size) : std::nullopt;
        size += chunk;
    }
}

template <class Condition>
bool soon(Condition condition, std::chrono::milliseconds time = 5s) {
    const auto end = Clock::now() + time;
    while (!condition() && Clock::now() < end) std::this_thread::sleep_for(2ms);
    return condition();
}

// The value of a counter that has stood still for a while.
std::size_t at_rest(const std::atomic<std::size_t>& counter) {
    auto last = counter.load();
    for (auto since = Clock::now(); Clock::now() - since < 300ms; std::this_thread::sleep_for(5ms)) {
        if (counter == last) continue;
        last = counter;
        since = Clock::now();
    }
    return last;
}

constexpr const char* kClose = "Connection: close\r\n";

}  // namespace

TEST_CASE("a body comes in pieces that are never large, by length and in chunks") {
    Fixture server;
    const std::string body(kLimit, 'x');
    for (const auto& sent :
         {with_length("/upload", body), in_chunks("/upload", body, 7), in_chunks("/upload", body, kLimit),
          with_length("/upload", ""), in_chunks("/upload", "", 1), post("/upload", "")}) {
        INFO(sent.substr(0, 120));
        test::RawConnection connection(server.port());
        // What follows a body that was read is the next request.
        connection.send(sent + "GET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        const auto answers = connection.read_to_end();
        CHECK(answers.starts_with("HTTP/1.1 200 "));
        CHECK(body_of(answers).starts_with(sent.size() > kLimit ? "100000HTTP/1.1 200 " : "0HTTP/1.1 200 "));
    }
    CHECK(server.largest_piece > 0);
    CHECK(server.largest_piece <= 16 * 1024);
    CHECK(server.received == 3 * kLimit);
}

TEST_CASE("a piece is handed on as it comes, not when it is full") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send(post("/upload", "Content-Length: 6\r\n", "abc"));
    CHECK(soon([&] { return server.received == 3; }));
    connection.send("def");
    CHECK(connection.read_until("\r\n\r\n6").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a streamed body beyond its limit is a 413 and nothing after it is a request") {
    Fixture server;
    const std::string body(kLimit + 1, 'x');
    SECTION("by its length: the handler never hears of it") {
        test::RawConnection connection(server.port());
        connection.send(post("/upload", "Content-Length: 100001\r\n"));
        CHECK(connection.read_to_end(5s).starts_with("HTTP/1.1 413 "));
        CHECK(server.calls == 0);
    }
    SECTION("in chunks") {
        test::RawConnection connection(server.port());
        connection.send(in_chunks("/upload", body, 1000) + "GET /open HTTP/1.1\r\nHost: a\r\n\r\n");
        const auto answers = connection.read_to_end(5s);
        CHECK(answers.starts_with("HTTP/1.1 413 "));
        CHECK(count(answers, "HTTP/1.1 ") == 1);
        CHECK(connection.closed_by_peer());
        CHECK(server.received <= kLimit);
    }
}

TEST_CASE("a streamed body is refused at the head, before any of it has come") {
    Fixture server;
    struct Row {
        std::string sent;
        const char* status;
    };
    const Row rows[] = {
        {post("/secret", "Content-Length: 1000\r\n"), "401"},
        {"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n",
         "415"},
        {"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "415"},
        {post("/upload", "Content-Length: 10\r\nExpect: x\r\n"), "417"},
    };
    for (const auto& row : rows) {
        INFO(row.sent);
        test::RawConnection connection(server.port());
        connection.send(row.sent);
        CHECK(connection.read_to_end(5s).starts_with(std::string("HTTP/1.1 ") + row.status));
        CHECK(connection.closed_by_peer());
    }
    CHECK(server.calls == 0);
}

TEST_CASE("a body that the handler leaves unread ends the connection") {
    Fixture server;
    const std::string inner = "GET /open HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const auto& sent : {with_length("/none", inner), in_chunks("/none", inner, 1000),
                             in_chunks("/first", inner + inner, inner.size())}) {
        INFO(sent);
        test::RawConnection connection(server.port());
        connection.send(sent);
        const auto answers = connection.read_to_end(5s);
        CHECK(answers.starts_with("HTTP/1.1 200 "));
        CHECK(answers.find("Connection: close") != std::string::npos);
        CHECK(count(answers, "HTTP/1.1 ") == 1);
        CHECK(connection.closed_by_peer());
    }
}

TEST_CASE("who sends on after the answer still gets to read it") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send(post("/none", "Content-Length: 50000\r\n", std::string(20000, 'x')));
    CHECK(body_of(connection.read_until("\r\n\r\n0")) == "0");
    connection.send(std::string(20000, 'x'));
    CHECK(connection.read_to_end(5s).empty());
    CHECK(connection.closed_by_peer());
    // The second piece has been heard out: no reset.
    char byte = 0;
    CHECK(::recv(connection.fd(), &byte, 1, 0) == 0);
}

TEST_CASE("100 Continue is sent when the handler reads, not before and not otherwise") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send(post("/upload", "Content-Length: 2\r\nExpect: 100-continue\r\n"));
    CHECK(connection.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    connection.send("ab");
    CHECK(body_of(connection.read_until("\r\n\r\n2")) == "2");

    test::RawConnection refused(server.port());
    refused.send(post("/none", "Content-Length: 2\r\nExpect: 100-continue\r\n"));
    CHECK(refused.read_to_end(5s).starts_with("HTTP/1.1 200 "));
    CHECK(refused.closed_by_peer());
}

TEST_CASE("a body that comes too slowly is a 408, one that keeps coming is not") {
    Fixture server;
    SECTION("nothing comes") {
        test::RawConnection connection(server.port());
        connection.send(post("/upload", "Content-Length: 9\r\n", "abc"));
        const auto begun = Clock::now();
        CHECK(connection.read_to_end(5s).starts_with("HTTP/1.1 408 "));
        CHECK(Clock::now() - begun > 800ms);
        CHECK(connection.closed_by_peer());
    }
    SECTION("a byte at a time does not renew the deadline") {
        test::RawConnection connection(server.port());
        connection.send(post("/upload", "Content-Length: 100\r\n"));
        const auto begun = Clock::now();
        std::string answer;
        while (answer.empty() && Clock::now() - begun < 5s) {
            connection.send("x");
            answer = connection.read_some(100ms);
        }
        CHECK(answer.starts_with("HTTP/1.1 408 "));
        CHECK(Clock::now() - begun < 3s);
    }
    SECTION("what has come buys time") {
        test::RawConnection connection(server.port());
        connection.send(post("/upload", "Content-Length: 20001\r\n", std::string(20000, 'x')));
        CHECK(soon([&] { return server.received == 20000; }));
        CHECK(connection.read_some(1600ms).empty());
        CHECK_FALSE(connection.closed_by_peer());
        connection.send("x");
        CHECK(connection.read_until("20001").starts_with("HTTP/1.1 200 "));
    }
    SECTION("the handler's own time does not count") {
        test::RawConnection connection(server.port());
        connection.send(post("/gated", "Content-Length: 3\r\n"));
        CHECK(connection.read_some(1600ms).empty());
        server.gate_open = true;
        connection.send("abc");
        CHECK(connection.read_until("\r\n\r\n3").starts_with("HTTP/1.1 200 "));
    }
}

TEST_CASE("a broken body is a 400, a client that leaves in the middle gets nothing") {
    Fixture server;
    test::RawConnection broken(server.port());
    broken.send(post("/upload", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\nzz\r\n"));
    CHECK(broken.read_to_end(5s).starts_with("HTTP/1.1 400 "));
    CHECK(broken.closed_by_peer());
    test::RawConnection gone(server.port());
    gone.send(post("/upload", "Content-Length: 9\r\n", "abc"));
    gone.shutdown_send();
    CHECK(gone.read_to_end(5s).empty());
    CHECK(gone.closed_by_peer());
}

TEST_CASE("a handler that does not read holds up the client, not memory") {
    Fixture server;
    test::RawConnection connection(server.port());
    constexpr std::size_t kSize = 48 * kMiB;
    connection.send(post("/gated", "Content-Length: " + std::to_string(kSize) + "\r\n"));
    const std::string piece(64 * 1024, 'x');
    std::size_t sent = 0;
    const auto send_some = [&] {
        const auto now = ::send(connection.fd(), piece.data(), std::min(piece.size(), kSize - sent),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
        if (now > 0) sent += static_cast<std::size_t>(now);
        return now > 0;
    };
    for (auto since = Clock::now(); Clock::now() - since < 300ms;)
        if (send_some()) since = Clock::now();
    // All of it is in the kernel's buffers.
    CHECK(sent < kSize / 2);
    CHECK(server.received == 0);
    server.gate_open = true;
    CHECK(soon([&] { return !send_some() && sent == kSize; }, 30s));
    CHECK(connection.read_until(std::to_string(kSize)).starts_with("HTTP/1.1 200 "));
    CHECK(server.received == kSize);
    CHECK(server.largest_piece <= 16 * 1024);
}

TEST_CASE("an answer in pieces is chunked and leaves the connection open") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send("GET /download?size=100001 HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = connection.read_until("\r\n0\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    CHECK(answer.find("Content-Length") == std::string::npos);
    CHECK(answer.find("Content-Type: text/csv\r\n") != std::string::npos);
    CHECK(size_of_chunks(body_of(answer)) == 100001);
    connection.send(
        "GET /download?size=0 HTTP/1.1\r\nHost: a\r\n\r\nGET /download?size=5 HTTP/1.1\r\nHost: "
        "a\r\nConnection: close\r\n\r\n");
    const auto more = connection.read_to_end();
    CHECK(count(more, "HTTP/1.1 200 OK") == 2);
    CHECK(more.ends_with("\r\n\r\n5\r\nxxxxx\r\n0\r\n\r\n"));
    CHECK(more.find("\r\n\r\n0\r\n\r\nHTTP/1.1 ") != std::string::npos);
    CHECK(server.rendered_metrics().find("http_requests_total{route=\"/download\",status=\"200\"} 3") !=
          std::string::npos);
}

TEST_CASE("a client of HTTP/1.0 gets no chunks: the end of the connection is the end") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send("GET /download?size=50000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto answer = connection.read_to_end();
    CHECK(answer.find("Transfer-Encoding") == std::string::npos);
    CHECK(answer.find("Connection: close") != std::string::npos);
    CHECK(body_of(answer) == std::string(50000, 'x'));
    CHECK(connection.closed_by_peer());
}

TEST_CASE("HEAD gets the head of an answer in pieces and nothing is produced") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send(
        "HEAD /download?size=100 HTTP/1.1\r\nHost: a\r\n\r\nGET /open HTTP/1.1\r\nHost: a\r\nConnection: "
        "close\r\n\r\n");
    const auto answers = connection.read_to_end();
    CHECK(answers.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(body_of(answers).starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answers.substr(0, answers.find("\r\n\r\n")).find("Content-Length") == std::string::npos);
    CHECK(server.produced == 0);
}

TEST_CASE("an answer that fails in the middle never looks complete") {
    Fixture server;
    for (const char* end : {"bad", "throw"}) {
        INFO(end);
        test::RawConnection connection(server.port());
        connection.send("GET /download?size=50000&end=" + std::string(end) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        const auto answer = connection.read_to_end(5s);
        CHECK_FALSE(answer.ends_with("\r\n0\r\n\r\n"));
        CHECK(answer.find("SELECT") == std::string::npos);
        CHECK(connection.closed_by_peer());
        // Without chunks only a reset tells it from the end.
        test::RawConnection old(server.port());
        old.send("GET /download?size=50000&end=" + std::string(end) + " HTTP/1.0\r\n\r\n");
        char bytes[4096];
        ssize_t got = 0;
        do got = ::recv(old.fd(), bytes, sizeof bytes, 0);
        while (got > 0);
        CHECK(got == -1);
        CHECK(errno == ECONNRESET);
    }
}

TEST_CASE("an answer that fails before its first piece is a 500") {
    Fixture server;
    for (const char* end : {"bad", "throw"}) {
        const auto reply = test::get(server.port(), "/download?size=100&end=" + std::string(end));
        CHECK(reply.status == 500);
        CHECK(reply.text("code") == "internal_error");
    }
    CHECK(server.rendered_metrics().find("http_requests_total{route=\"/download\",status=\"500\"} 2") !=
          std::string::npos);
}

TEST_CASE("what makes an answer is not ahead of a client that does not read") {
    auto options = quick();
    options.write_timeout = 30s;
    Fixture server(options);
    test::RawConnection connection(server.port());
    constexpr std::size_t kSize = 48 * kMiB;
    connection.send("GET /download?size=" + std::to_string(kSize) +
                    " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK(soon([&] { return server.produced > 0; }));
    CHECK(at_rest(server.produced) < kSize / 2);
    CHECK(server.producers == 1);
    const auto answer = connection.read_to_end(30s);
    CHECK(size_of_chunks(body_of(answer)) == kSize);
    CHECK(server.produced == kSize);
}

TEST_CASE("a client that leaves, or takes nothing, ends what makes its answer") {
    Fixture server;
    const std::string ask = "GET /download?size=50000000 HTTP/1.1\r\nHost: a\r\n\r\n";
    SECTION("it leaves") {
        std::optional<test::RawConnection> connection(std::in_place, server.port());
        connection->send(ask);
        CHECK(soon([&] { return server.producers == 1; }));
        connection.reset();
        CHECK(soon([&] { return server.producers == 0; }));
    }
    SECTION("it takes nothing") {
        test::RawConnection connection(server.port());
        connection.send(ask);
        CHECK(soon([&] { return server.producers == 1; }));
        const auto begun = Clock::now();
        CHECK(soon([&] { return server.producers == 0; }));
        CHECK(Clock::now() - begun > 500ms);
        CHECK(test::get(server.port(), "/open").status == 200);
    }
    CHECK(server.produced < 50'000'000);
}

TEST_CASE("a connection that has streamed before is closed by a drain like any other") {
    Fixture server;
    test::RawConnection connection(server.port());
    connection.send("GET /download?size=5 HTTP/1.1\r\nHost: a\r\n\r\n");
    connection.read_until("\r\n0\r\n\r\n");
    connection.send(post("/gated", "Content-Length: 3\r\n", "abc"));
    test::get(server.port(), "/open");
    CHECK(server.drain_and_wait(200ms, 3s));
    CHECK(connection.read_to_end(1s).empty());
    CHECK(connection.closed_by_peer());
}

TEST_CASE("a drain cuts an answer that does not end, with a reset") {
    auto options = quick();
    options.write_timeout = 30s;
    Fixture server(options);
    test::RawConnection connection(server.port());
    connection.send("GET /download?size=50000000 HTTP/1.0\r\n\r\n");
    CHECK(soon([&] { return server.producers == 1; }));
    at_rest(server.produced);
    CHECK(server.drain_and_wait(200ms, 3s));
    char bytes[65536];
    ssize_t got = 0;
    do got = ::recv(connection.fd(), bytes, sizeof bytes, 0);
    while (got > 0);
    CHECK(got == -1);
}
