// Nothing ambiguous reaches the upstream: each row of the hardening rules against the real gateway and an
// upstream that records raw bytes. The status says who refused; the silent upstream proves it.
#include <catch2/catch.hpp>

#include "test/integration/gateway/fake_upstream.hpp"
#include "test/integration/gateway/gateway_process.hpp"

namespace test {
namespace {

struct Row {
    const char* name;
    std::string bytes;
    unsigned status;
};

std::string with_headers(const std::string& headers, const std::string& body = "",
                         const std::string& method = "POST") {
    return method + " /x HTTP/1.1\r\nHost: a.test\r\n" + headers + "\r\n" + body;
}

std::string with_target(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: a.test\r\n\r\n";
}

std::vector<Row> refused_requests() {
    std::string many;
    for (int i = 0; i < 101; ++i) many += "X-H" + std::to_string(i) + ": v\r\n";
    return {
        // Content-Length with Transfer-Encoding, either order
        {"CL then TE", with_headers("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {"TE then CL", with_headers("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
        {"unknown TE then CL", with_headers("Transfer-Encoding: x\r\nContent-Length: 5\r\n", "hello"), 400},
        // Transfer-Encoding
        {"TE chunked, gzip", with_headers("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 400},
        {"TE gzip", with_headers("Transfer-Encoding: gzip\r\n"), 501},
        {"TE ,chunked", with_headers("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n"), 400},
        {"TE chunked;q=1", with_headers("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), 400},
        {"TE chunked foo", with_headers("Transfer-Encoding: chunked foo\r\n", "0\r\n\r\n"), 400},
        {"TE twice",
         with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {"TE on 1.0", "POST /x HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        // Content-Length
        {"CL list", with_headers("Content-Length: 5, 5\r\n", "hello"), 400},
        {"CL twice", with_headers("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400},
        {"CL plus", with_headers("Content-Length: +5\r\n", "hello"), 400},
        {"CL leading zeros", with_headers("Content-Length: 005\r\n", "hello"), 400},
        {"CL overflow", with_headers("Content-Length: 99999999999999999999\r\n", "hello"), 400},
        {"CL hex", with_headers("Content-Length: 0x5\r\n", "hello"), 400},
        {"CL empty", with_headers("Content-Length:\r\n", "hello"), 400},
        // line endings and header syntax
        {"folded header", with_headers("X-A: b\r\n c\r\n"), 400},
        {"space before the first header", "GET /x HTTP/1.1\r\n Host: a.test\r\n\r\n", 400},
        {"bare LF", "GET /x HTTP/1.1\nHost: a.test\n\n", 400},
        {"bare CR in a value", with_headers("X-A: b\rc\r\n"), 400},
        {"NUL in a value", with_headers(std::string("X-A: b\0c\r\n", 10)), 400},
        {"space before the colon", with_headers("X-A : b\r\n"), 400},
        {"no colon", with_headers("X-A\r\n"), 400},
        {"empty name", with_headers(": b\r\n"), 400},
        {"name that is no token", with_headers("X(A): b\r\n"), 400},
        // request line
        {"no version", "GET /x\r\nHost: a.test\r\n\r\n", 400},
        {"HTTP/2.0", "GET /x HTTP/2.0\r\nHost: a.test\r\n\r\n", 505},
        {"HTTP/0.9", "GET /x HTTP/0.9\r\nHost: a.test\r\n\r\n", 505},
        {"two spaces", "GET  /x HTTP/1.1\r\nHost: a.test\r\n\r\n", 400},
        {"CONNECT", "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", 405},
        {"TRACE", "TRACE /x HTTP/1.1\r\nHost: a.test\r\n\r\n", 405},
        {"unknown method", "BREW /x HTTP/1.1\r\nHost: a.test\r\n\r\n", 501},
        {"lower-case method", "get /x HTTP/1.1\r\nHost: a.test\r\n\r\n", 501},
        // target and path
        {"authority form", with_target("a.test:80"), 400},
        {"asterisk for GET", with_target("*"), 400},
        {"absolute form against Host", with_target("http://b.test/x"), 400},
        {"byte above 0x7f", with_target("/\xC3\xA4"), 400},
        {"double quote", with_target("/a\"b"), 400},
        {"backslash", with_target("/a\\b"), 400},
        {"%00", with_target("/a%00b"), 400},
        {"encoded slash", with_target("/a%2fb"), 400},
        {"encoded backslash", with_target("/a%5cb"), 400},
        {"double encoding", with_target("/a%252e%252e/b"), 400},
        {"..; parameters", with_target("/a/..;x/b"), 400},
        {"out of the root", with_target("/../etc/passwd"), 400},
        {"out of the root, encoded", with_target("/%2e%2e/etc/passwd"), 400},
        {"bad escape", with_target("/a%zz"), 400},
        {"escapes that are no UTF-8", with_target("/a%ff"), 400},
        {"fragment", with_target("/a#b"), 400},
        {"target too long", with_target("/" + std::string(9000, 'a')), 414},
        // Host
        {"no Host", "GET /x HTTP/1.1\r\n\r\n", 400},
        {"two Hosts", "GET /x HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n", 400},
        {"empty Host", "GET /x HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"Host with user info", "GET /x HTTP/1.1\r\nHost: u@a.test\r\n\r\n", 400},
        {"Host with a path", "GET /x HTTP/1.1\r\nHost: a.test/x\r\n\r\n", 400},
        // counts and sizes
        {"101 headers", with_headers(many, "", "GET"), 431},
        {"head over 32 KiB", with_headers("X-Big: " + std::string(33000, 'a') + "\r\n", "", "GET"), 431},
        // single headers
        {"two Authorizations",
         with_headers("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", "", "GET"), 400},
        {"two Content-Types", with_headers("Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\n"),
         400},
        // hop-by-hop
        {"Connection names Host", with_headers("Connection: Host\r\n", "", "GET"), 400},
        {"Connection names Authorization", with_headers("Connection: close, Authorization\r\n", "", "GET"),
         400},
        {"Connection names X-Forwarded-For", with_headers("Connection: x-forwarded-for\r\n", "", "GET"), 400},
        {"Connection names X-User-Id", with_headers("Connection: x-user-id\r\n", "", "GET"), 400},
        // Expect
        {"other expectation", with_headers("Expect: 200-ok\r\nContent-Length: 5\r\n", "hello"), 417},
    };
}

}  // namespace

TEST_CASE("an ambiguous request is refused, the connection closes, and the upstream never hears of it") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    for (const Row& row : refused_requests()) {
        INFO(row.name);
        // A second request behind the first would show a smuggled or kept connection.
        const std::string answer =
            exchange(gateway.port(), row.bytes + "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n");
        CHECK(status_of(answer) == row.status);
        CHECK(answer.find("Connection: close\r\n") != std::string::npos);
        CHECK(answer.find("application/problem+json") != std::string::npos);
        CHECK(answer.find("X-Request-Id: ") != std::string::npos);
        CHECK(answer.find("HTTP/1.1", 10) == std::string::npos);
        CHECK((row.status == 405) == (answer.find("\r\nAllow: GET, HEAD, POST") != std::string::npos));
    }
    CHECK(upstream.received().empty());
    CHECK(upstream.connections() == 0);
}

TEST_CASE("a bad chunked body is cut off and never completed towards the upstream") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    const std::string head = "POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::vector<std::pair<const char*, std::string>> bodies{
        {"size is no number", "zz\r\nhello\r\n0\r\n\r\n"},
        {"size with a sign", "+5\r\nhello\r\n0\r\n\r\n"},
        {"size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"},
        {"17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n"},
        {"bare LF after the size", "5\nhello\r\n0\r\n\r\n"},
        {"data longer than its size", "3\r\nhello\r\n0\r\n\r\n"},
        {"endless extension", "5;" + std::string(20000, 'a') + "\r\nhello\r\n0\r\n\r\n"},
        {"endless trailers", "0\r\nX: " + std::string(40000, 'a') + "\r\n\r\n"},
    };
    for (const auto& [name, body] : bodies) {
        INFO(name);
        const std::string answer =
            exchange(gateway.port(), head + body + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK((status_of(answer) == 400 || status_of(answer) == 431));
        CHECK(answer.find("HTTP/1.1", 10) == std::string::npos);
    }
    CHECK(upstream.received().find("0\r\n\r\n") == std::string::npos);
    CHECK(upstream.received().find("smuggled") == std::string::npos);
}

TEST_CASE("a bad chunk behind an answer that has begun cuts it off: no second head in its middle") {
    FakeUpstream upstream([](UpstreamConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
        connection.read_to_end();
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), R"("limits":{"buffer_request_bytes":0})"));
    RawConnection client(gateway.port());
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    CHECK(client.read_until("half").starts_with("HTTP/1.1 200 OK\r\n"));
    client.send("zz\r\n");
    CHECK(client.read_to_end(std::chrono::milliseconds(5000)).empty());
    CHECK(client.closed_by_peer());
    CHECK(gateway.metric("gateway_refusals_total{reason=\"bad_chunk\"}") == 1);
}

TEST_CASE("what is forwarded is canonical: one path, no hop-by-hop headers, no extensions, no trailers") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    const std::string answer = exchange(
        gateway.port(),
        "POST http://A.test/a/./b/../%7ec//d%2dx?q=1%20 HTTP/1.1\r\nhost: A.test\r\nCONNECTION: close, "
        "X-Drop\r\n"
        "x-drop: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: secret\r\nTE: trailers\r\n"
        "Upgrade: h2c\r\nHTTP2-Settings: AAA\r\nX_User_Id: 7\r\nX-User-Id: 7\r\nx-USER-role: admin\r\n"
        "X-Session-Id: 9\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Host: evil\r\n"
        "Trailer: X-T\r\nX-Keep:   spaces   \r\nTransfer-Encoding: Chunked\r\n\r\n"
        "5;ext=1\r\nhello\r\n0;x\r\nX-T: 1\r\nX-User-Id: 8\r\n\r\n");
    REQUIRE(status_of(answer) == 200);
    const std::string seen = upstream.received();
    CHECK(seen.starts_with("POST /a/~c/d-x?q=1%20 HTTP/1.1\r\nHost: A.test\r\n"));
    for (const char* gone :
         {"x-drop", "Keep-Alive", "Proxy-", "TE:", "Upgrade", "h2c", "HTTP2", "X_User_Id", "X-User-Id",
          "x-USER-role", "X-Session-Id", "6.6.6.6", "evil", "Trailer", "ext=1", "X-T", "Connection"}) {
        INFO(gone);
        CHECK(seen.find(gone) == std::string::npos);
    }
    CHECK(seen.find("X-Keep: spaces\r\n") != std::string::npos);
    CHECK(seen.find("X-Forwarded-For: 127.0.0.1\r\n") != std::string::npos);
    CHECK(seen.find("X-Forwarded-Proto: http\r\n") != std::string::npos);
    CHECK(seen.find("Transfer-Encoding: chunked\r\n\r\n") != std::string::npos);
    CHECK(seen.ends_with("0\r\n\r\n"));
}

TEST_CASE("an answer that could be read in two ways becomes a 502, and its connection is not used again") {
    const std::vector<std::pair<const char*, std::string>> answers{
        {"CL with TE", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello"},
        {"two CLs", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
        {"TE gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello"},
        {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
        {"bad status", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"},
        {"header with a bare CR", "HTTP/1.1 200 OK\r\nX-A: b\rc\r\nContent-Length: 0\r\n\r\n"},
        {"folded header", "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"},
        {"half a head", "HTTP/1.1 200 OK\r\nContent-"},
        {"101 that nobody asked for",
         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"},
    };
    for (const auto& [name, bytes] : answers) {
        INFO(name);
        FakeUpstream upstream([bytes = bytes](UpstreamConnection& connection) {
            connection.read_head();
            connection.send(bytes);
            connection.shutdown_send();
            connection.read_to_end();
        });
        Gateway gateway(Gateway::in_front_of(upstream.endpoint(), "", R"("retry":{"attempts":0})"));
        const Reply reply = get(gateway.port(), "/x");
        CHECK(reply.status == 502);
        CHECK(reply.header("Content-Type") == "application/problem+json");
        CHECK(get(gateway.port(), "/x").status == 502);
        CHECK(upstream.connections() >= 2);
    }
}

TEST_CASE("bytes behind an answer are thrown away with their connection") {
    FakeUpstream upstream([](UpstreamConnection& connection) {
        while (true) {
            connection.read_head();
            connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: "
                "5\r\n\r\nwrong");
        }
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    for (int i = 0; i < 5; ++i) CHECK(get(gateway.port(), "/x").body == "ok");
    CHECK(upstream.connections() == 5);
}

TEST_CASE("a client cannot put its own identity beside a verified one") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config;
    config.clusters = cluster_of(upstream.endpoint());
    config.routes =
        R"({"name":"api","match":{"prefix":"/"},"auth":{"issuer":"kampus"},"target":{"cluster":"up"}})";
    Gateway gateway(config);
    TokenClaims claims;
    claims.sub = "real";
    claims.nim = "22001";
    const Reply reply = get(
        gateway.port(), "/x",
        {bearer(mint_token(claims)), {"X-User-Id", "evil"}, {"x_user_id", "evil"}, {"X-User-Nim", "evil"}});
    REQUIRE(reply.status == 200);
    CHECK(reply.body.find("evil") == std::string::npos);
    CHECK(reply.body.find("X-User-Id: real\r\n") != std::string::npos);
    CHECK(reply.body.find("X-User-Role: mahasiswa\r\n") != std::string::npos);
    CHECK(reply.body.find("X-User-Nim: 22001\r\n") != std::string::npos);
    CHECK(reply.body.find("X-Session-Id: s-1\r\n") != std::string::npos);
    const Reply none = get(gateway.port(), "/x");
    CHECK(none.status == 401);
    CHECK(none.header("WWW-Authenticate") == "Bearer realm=\"kampus\"");
    const Reply bad = get(gateway.port(), "/x", {bearer(mint_token(claims) + "x")});
    CHECK(bad.status == 401);
    CHECK(bad.header("WWW-Authenticate").find("error=\"invalid_token\"") != std::string::npos);
}

}  // namespace test
