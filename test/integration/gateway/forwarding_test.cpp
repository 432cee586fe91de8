// HTTP/1.1 through the real gateway, byte by byte.
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <thread>

#include "test/integration/gateway/fake_upstream.hpp"
#include "test/integration/gateway/gateway_process.hpp"

namespace test {

using std::chrono::milliseconds;

namespace {

std::string body_of(const std::string& answer) {
    const std::size_t at = answer.find("\r\n\r\n");
    return at == std::string::npos ? "" : answer.substr(at + 4);
}

// Answers every request with these bytes.
FakeUpstream::Script always(const std::string& bytes, bool close_after = false) {
    return [bytes, close_after](UpstreamConnection& connection) {
        while (true) {
            const std::string head = connection.read_head();
            read_body_of(connection, head);
            connection.send(bytes);
            if (close_after) return;
        }
    };
}

}  // namespace

TEST_CASE("one client connection carries many requests, and so does one upstream connection") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    RawConnection client(gateway.port());
    for (int i = 0; i < 20; ++i) {
        client.send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a.test\r\n\r\n");
        const std::string answer = client.read_until("-00\r\n\r\n");
        CHECK(status_of(answer) == 200);
        CHECK(answer.find("\r\n\r\nGET /" + std::to_string(i) + " ") != std::string::npos);
    }
    CHECK(upstream.connections() == 1);
}

TEST_CASE("pipelined requests are answered in order, one at a time") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    std::string bytes;
    for (int i = 0; i < 10; ++i)
        bytes += "POST /n" + std::to_string(i) + " HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nab" +
                 std::to_string(10 + i);
    bytes += "GET /last HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
    const std::string answers = exchange(gateway.port(), bytes);
    std::size_t at = 0;
    for (int i = 0; i < 10; ++i) {
        at = answers.find("POST /n" + std::to_string(i) + " ", at);
        REQUIRE(at != std::string::npos);
        at = answers.find("ab" + std::to_string(10 + i), at);
        REQUIRE(at != std::string::npos);
    }
    CHECK(answers.find("GET /last ", at) != std::string::npos);
    CHECK(upstream.connections() == 1);
}

TEST_CASE("a request that comes byte by byte is understood") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    RawConnection client(gateway.port());
    const std::string bytes =
        "POST /slow HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    for (char c : bytes) {
        client.send(std::string(1, c));
        std::this_thread::sleep_for(milliseconds(1));
    }
    const std::string answer = client.read_to_end();
    CHECK(status_of(answer) == 200);
    CHECK(answer.ends_with("\r\n\r\nabcde"));
}

TEST_CASE("large bodies stream both ways without growing the gateway") {
    static constexpr std::size_t kSize = 50 * 1024 * 1024;
    FakeUpstream upstream([](UpstreamConnection& connection) {
        const std::string head = connection.read_head();
        const std::size_t length = std::stoul(header_of(head, "Content-Length"));
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n");
        // Slower than the client sends: back-pressure has to reach the client.
        for (std::size_t done = 0; done < length;) {
            const std::size_t part = std::min<std::size_t>(256 * 1024, length - done);
            connection.send(connection.read_exactly(part));
            done += part;
        }
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), R"("limits":{"body_bytes":100000000})"));
    RawConnection client(gateway.port());
    std::thread sender([&] {
        client.send("PUT /big HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: " +
                    std::to_string(kSize) + "\r\n\r\n");
        const std::string block(1024 * 1024, 'x');
        for (std::size_t done = 0; done < kSize; done += block.size()) client.send(block);
    });
    const std::string answer = client.read_to_end(milliseconds(60'000));
    sender.join();
    CHECK(body_of(answer).size() == kSize);
    std::ifstream file("/proc/" + std::to_string(gateway.process().pid()) + "/status");
    const std::string status((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::size_t at = status.find("VmHWM:");
    REQUIRE(at != std::string::npos);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(std::stoul(status.substr(at + 6)) < 40'000);  // kB
#endif
}

TEST_CASE("a client that does not read holds its upstream back") {
    std::atomic<std::size_t> sent{0};
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
        const std::string block(64 * 1024, 'x');
        for (int i = 0; i < 1600; ++i) {
            connection.send(block);
            sent += block.size();
        }
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    RawConnection client(gateway.port());
    client.send("GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n");
    client.read_until("\r\n\r\n");
    std::size_t before = 1;
    // Kernel buffers fill up, then nothing moves any more.
    for (int i = 0; i < 100 && sent != before; ++i) {
        before = sent;
        std::this_thread::sleep_for(milliseconds(100));
    }
    CHECK(sent == before);
    CHECK(sent < 50u * 1024 * 1024);
}

TEST_CASE("answers keep their meaning whatever their framing") {
    SECTION("chunked is chunked anew") {
        FakeUpstream upstream(
            always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n"
                   "6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"));
        Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
        const std::string answer =
            exchange(gateway.port(), "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
        CHECK(answer.ends_with("\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"));
        CHECK(answer.find("Trailer") == std::string::npos);
        CHECK(get(gateway.port(), "/").body == "hello world");
        CHECK(upstream.connections() == 1);
    }
    SECTION("an end by close becomes chunked for 1.1") {
        FakeUpstream upstream(always("HTTP/1.1 200 OK\r\n\r\nuntil the end", true));
        Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
        const std::string answer =
            exchange(gateway.port(), "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
        CHECK(answer.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
        CHECK(answer.ends_with("d\r\nuntil the end\r\n0\r\n\r\n"));
    }
    SECTION("HTTP/1.0 gets no chunks") {
        FakeUpstream upstream(
            always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
        Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
        const std::string answer =
            exchange(gateway.port(), "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        CHECK(answer.find("Transfer-Encoding") == std::string::npos);
        CHECK(answer.find("Connection: close\r\n") != std::string::npos);
        CHECK(answer.ends_with("\r\n\r\nhello"));
    }
    SECTION("HTTP/1.0 keeps its connection where the length is known and it asks for it") {
        FakeUpstream upstream(always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
        Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
        RawConnection client(gateway.port());
        for (int i = 0; i < 3; ++i) {
            client.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
            CHECK(client.read_until("\r\n\r\nok").find("Connection: keep-alive\r\n") != std::string::npos);
        }
        client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
        CHECK(client.read_to_end().ends_with("\r\n\r\nok"));
    }
    SECTION("HEAD, 204 and 304 have no body whatever they announce") {
        FakeUpstream upstream([](UpstreamConnection& connection) {
            while (true) {
                const std::string head = connection.read_head();
                if (head.starts_with("HEAD"))
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
                else if (head.starts_with("GET /204"))
                    connection.send("HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n");
                else if (head.starts_with("GET /304"))
                    connection.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: \"a\"\r\n\r\n");
                else
                    connection.answer("end");
            }
        });
        Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
        const std::string answers = exchange(gateway.port(),
                                             "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: "
                                             "a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n"
                                             "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        CHECK(answers.find("Content-Length: 1234\r\n") != std::string::npos);
        CHECK(answers.find("204 No Content") != std::string::npos);
        CHECK(answers.find("ETag: \"a\"\r\n") != std::string::npos);
        CHECK(answers.ends_with("\r\n\r\nend"));
        CHECK(upstream.connections() == 1);
    }
    SECTION("headers that both write are there once") {
        FakeUpstream upstream(
            always("HTTP/1.1 200 OK\r\nX-Request-Id: other\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\n"
                   "Connection: x-hop\r\nx-hop: 1\r\nKeep-Alive: 5\r\nContent-Length: 2\r\n\r\nok"));
        Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
        const std::string answer = exchange(
            gateway.port(), "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n");
        CHECK(answer.find("X-Request-Id: mine\r\n") != std::string::npos);
        CHECK(answer.find("other") == std::string::npos);
        CHECK(answer.find("Date: Tue, 15 Nov 1994") != std::string::npos);
        CHECK(answer.find("Date: ", answer.find("Date: ") + 1) == std::string::npos);
        CHECK(answer.find("x-hop") == std::string::npos);
        CHECK(answer.find("Keep-Alive") == std::string::npos);
    }
    SECTION("early hints go on, 100 stays behind") {
        FakeUpstream upstream(
            always("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
                   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
        Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
        const std::string answer =
            exchange(gateway.port(), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        CHECK(answer.starts_with("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n"));
        CHECK(answer.find("100 Continue") == std::string::npos);
        const std::string old = exchange(gateway.port(), "GET / HTTP/1.0\r\nHost: a\r\n\r\n");
        CHECK(old.starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

TEST_CASE("an answer that is cut off is cut off for the client too") {
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        const std::string head = connection.read_head();
        if (head.starts_with("GET /length"))
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
        else
            connection.send(chunked);
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    const std::string by_length = exchange(gateway.port(), "GET /length HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(body_of(by_length).size() < 100);
    const std::string by_chunks = exchange(gateway.port(), "GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_FALSE(by_chunks.ends_with("0\r\n\r\n"));
}

TEST_CASE("Expect: 100-continue is answered when the body is wanted, and not before") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.routes =
        R"({"name":"api","match":{"prefix":"/api"},"auth":{"issuer":"kampus"},"target":{"cluster":"up"}},)" +
        config.routes;
    Gateway gateway(config);
    RawConnection client(gateway.port());
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    CHECK(client.read_until("\r\n\r\nhello").starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(upstream.received().find("Expect") == std::string::npos);

    RawConnection refused(gateway.port());
    refused.send("POST /api/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    const std::string answer = refused.read_to_end();
    CHECK(status_of(answer) == 401);
    CHECK(answer.find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE("an early answer reaches the client, and a short unread body is read away") {
    FakeUpstream upstream([](UpstreamConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
        connection.read_to_end();
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), R"("limits":{"buffer_request_bytes":0})"));
    RawConnection client(gateway.port());
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + std::string(500, 'x'));
    CHECK(status_of(client.read_until("big")) == 413);
    client.send(std::string(500, 'x') + "GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(status_of(client.read_until("big")) == 413);
    // The upstream's connection was not used again: it may still be waiting for that body.
    CHECK(upstream.connections() == 2);
}

TEST_CASE("a refused request with a long body closes the connection after the answer") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), R"("limits":{"body_bytes":1000})"));
    const std::string announced =
        exchange(gateway.port(),
                 "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'));
    CHECK(status_of(announced) == 413);
    CHECK(upstream.connections() == 0);
    const std::string counted =
        exchange(gateway.port(), "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                                     std::string(2000, 'x') + "\r\n0\r\n\r\n");
    CHECK(status_of(counted) == 413);
    const std::string just = exchange(
        gateway.port(), "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n" +
                            std::string(1000, 'x'));
    CHECK(status_of(just) == 200);
}

TEST_CASE("a client that has closed its sending side still gets its answer") {
    FakeUpstream upstream([](UpstreamConnection& connection) {
        connection.read_head();
        std::this_thread::sleep_for(milliseconds(100));
        connection.answer("late");
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    RawConnection client(gateway.port());
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    client.shutdown_send();
    CHECK(client.read_to_end().ends_with("\r\n\r\nlate"));
}

TEST_CASE("a client that goes away frees the upstream") {
    std::atomic<bool> ended{false};
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        connection.read_to_end();
        ended = true;
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    {
        RawConnection client(gateway.port());
        client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        client.read_until("\r\n\r\n");
        client.reset();
    }
    for (int i = 0; i < 500 && !ended; ++i) std::this_thread::sleep_for(milliseconds(10));
    CHECK(ended);
    CHECK(gateway.wait_metric("gateway_requests_active", 0));
}

TEST_CASE("server-sent events are flushed as they come") {
    std::atomic<int> allowed{1};
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        for (int i = 1; i <= 5; ++i) {
            while (allowed < i) std::this_thread::sleep_for(milliseconds(1));
            connection.send("data: " + std::to_string(i) + "\n\n");
        }
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    RawConnection client(gateway.port());
    client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    // Each event is sent only after the one before has arrived.
    for (int i = 1; i <= 5; ++i) {
        const std::string wanted = "data: " + std::to_string(i) + "\n\n";
        REQUIRE(client.read_until(wanted).find(wanted) != std::string::npos);
        allowed = i + 1;
    }
}

TEST_CASE("a POST without a body says so to the upstream") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    CHECK(request(gateway.port(), "POST", "/x").body.find("Content-Length: 0\r\n") != std::string::npos);
    CHECK(get(gateway.port(), "/x").body.find("Content-Length") == std::string::npos);
}

}  // namespace test
