// What is written: byte-exact.
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "gateway/wire/head_writer.hpp"

using namespace gateway::wire;

namespace {

struct Buffer {
    explicit Buffer(std::size_t size = 16 * 1024) : bytes(size), out(bytes.data(), bytes.size()) {}
    std::vector<char> bytes;
    Output out;
};

}  // namespace

TEST_CASE("a request goes upstream in canonical form with nothing of the client's framing or identity") {
    const std::string text =
        "POST http://h:8081//api/./x?q=1 HTTP/1.1\r\n"
        "Host: h:8081\r\n"
        "accept:*/*\r\n"
        "User-Agent: curl\r\n"
        "X-Blank: behind \r\n"
        "Cookie: a=b\r\n"
        "Content-Length: 3\r\n"
        "X-User-Id: evil\r\n"
        "x_user_role: admin\r\n"
        "X-Forwarded-For: 6.6.6.6\r\n"
        "Connection: x-hop\r\n"
        "X-Hop: 1\r\n"
        "Transfer_Encoding: chunked\r\n"
        "Content-Type:  text/plain\t\r\n"
        "\r\n";
    RequestHead head;
    head.clear();
    REQUIRE(read_request_head(text, {}, head).status == ReadStatus::complete);
    const std::array<Addition, 3> additions{{{"X-User-Id", "7"}, {"X-User-Role", "dosen"}, {"Cookie", ""}}};
    UpstreamRequest add;
    add.path = head.path();
    add.query = head.query();
    add.has_query = head.has_query();
    add.host = "auth:3001";
    add.forwarded_for = "9.9.9.9";
    add.forwarded_proto = "https";
    add.forwarded_host = "h:8081";
    add.client_address = "9.9.9.9";
    add.request_id = "r1";
    add.traceparent = "tp";
    add.additions = additions;
    add.body = BodyKind::length;
    add.content_length = 3;
    Buffer buffer;
    REQUIRE(write_request_head(buffer.out, head, add));
    CHECK(buffer.out.view() ==
          "POST /api/x?q=1 HTTP/1.1\r\n"
          "Host: auth:3001\r\n"
          "accept: */*\r\n"
          "User-Agent: curl\r\n"
          "X-Blank: behind\r\n"
          "Content-Type: text/plain\r\n"
          "Via: 1.1 kampus-gateway\r\n"
          "X-Forwarded-For: 9.9.9.9\r\n"
          "X-Forwarded-Proto: https\r\n"
          "X-Forwarded-Host: h:8081\r\n"
          "X-Real-IP: 9.9.9.9\r\n"
          "X-Client-Address: 9.9.9.9\r\n"
          "X-Request-Id: r1\r\n"
          "traceparent: tp\r\n"
          "X-User-Id: 7\r\n"
          "X-User-Role: dosen\r\n"
          "Content-Length: 3\r\n"
          "\r\n");
}

TEST_CASE("framing and upgrade of requests are written by the gateway") {
    const std::string text = "GET / HTTP/1.0\r\nX: 1\r\n\r\n";
    RequestHead head;
    head.clear();
    REQUIRE(read_request_head(text, {}, head).status == ReadStatus::complete);
    UpstreamRequest add;
    add.path = "/";
    add.host = "u";
    const std::string start = "GET / HTTP/1.1\r\nHost: u\r\nX: 1\r\nVia: 1.1 kampus-gateway\r\n";
    {
        Buffer buffer;
        add.body = BodyKind::chunked;
        add.expect_continue = true;
        REQUIRE(write_request_head(buffer.out, head, add));
        CHECK(buffer.out.view() == start + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    {
        Buffer buffer;
        add.body = BodyKind::none;
        add.expect_continue = false;
        add.send_zero_length = true;
        REQUIRE(write_request_head(buffer.out, head, add));
        CHECK(buffer.out.view() == start + "Content-Length: 0\r\n\r\n");
    }
    {
        Buffer buffer;
        add.send_zero_length = false;
        add.upgrade_websocket = true;
        REQUIRE(write_request_head(buffer.out, head, add));
        CHECK(buffer.out.view() == start + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    }
}

TEST_CASE("values that would break a head are refused in one place") {
    const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    RequestHead head;
    head.clear();
    REQUIRE(read_request_head(text, {}, head).status == ReadStatus::complete);
    UpstreamRequest add;
    add.path = "/";
    add.host = "u";
    using namespace std::string_literals;
    for (const auto& value : {"a\r\nX: y"s, "a\rb"s, "a\nb"s, "a\0b"s, "\x1b"s, "\x7f"s}) {
        const std::array<Addition, 1> additions{{{"X-User-Id", value}}};
        add.additions = additions;
        Buffer buffer;
        CHECK_FALSE(write_request_head(buffer.out, head, add));
        CHECK(buffer.out.rejected());
        CHECK(buffer.out.view().find("X-User-Id") == std::string_view::npos);
    }
    const std::array<Addition, 1> bad_name{{{"X User", "a"}}};
    add.additions = bad_name;
    Buffer buffer;
    CHECK_FALSE(write_request_head(buffer.out, head, add));
}

TEST_CASE("a head that does not fit is reported and nothing is written past the end") {
    const std::string text = "GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(100, 'x') + "\r\n\r\n";
    RequestHead head;
    head.clear();
    REQUIRE(read_request_head(text, {}, head).status == ReadStatus::complete);
    UpstreamRequest add;
    add.path = "/";
    add.host = "u";
    Buffer enough;
    REQUIRE(write_request_head(enough.out, head, add));
    for (std::size_t room = 0; room < enough.out.size(); ++room) {
        Buffer buffer(room + 1);
        buffer.bytes.back() = '#';
        Output out(buffer.bytes.data(), room);
        CHECK_FALSE(write_request_head(out, head, add));
        CHECK(out.overflow());
        CHECK(buffer.bytes.back() == '#');
    }
    Buffer exact(enough.out.size());
    CHECK(write_request_head(exact.out, head, add));
}

TEST_CASE("an answer goes to the client with our framing and additions") {
    const std::string text =
        "HTTP/1.0 200 Fine\r\nContent-Type: a/b\r\nContent-Length: 5\r\nServer: s\r\nX-Frame-Options: "
        "ALLOW\r\n"
        "Cache-Control: no-store\r\n\r\n";
    ResponseHead head;
    head.clear();
    REQUIRE(read_response_head(text, Method::get, {}, head).status == ReadStatus::complete);
    const std::array<Addition, 4> additions{{{"X-Frame-Options", "DENY"},
                                             {"Cache-Control", "public", Addition::Mode::if_absent},
                                             {"Vary", "Origin", Addition::Mode::append},
                                             {"Server", ""}}};
    ClientResponse add;
    add.request_id = "r";
    add.additions = additions;
    add.body = BodyKind::length;
    add.content_length = 5;
    Buffer buffer;
    REQUIRE(write_response_head(buffer.out, head, add));
    CHECK(buffer.out.view() ==
          "HTTP/1.1 200 OK\r\n"
          "Content-Type: a/b\r\n"
          "Cache-Control: no-store\r\n"
          "X-Request-Id: r\r\n"
          "X-Frame-Options: DENY\r\n"
          "Vary: Origin\r\n"
          "Content-Length: 5\r\n"
          "\r\n");
}

TEST_CASE("connection headers towards the client") {
    struct Case {
        ClientResponse add;
        const char* tail;
    };
    std::vector<Case> cases(6);
    cases[0].add.body = BodyKind::chunked;
    cases[0].tail = "Transfer-Encoding: chunked\r\n\r\n";
    cases[1].add.body = BodyKind::until_close;
    cases[1].tail = "Connection: close\r\n\r\n";
    cases[2].add.client_version_minor = 0;
    cases[2].tail = "Connection: keep-alive\r\n\r\n";
    cases[3].add.keep_alive = false;
    cases[3].add.write_content_length = true;
    cases[3].add.content_length = 12;
    cases[3].tail = "Content-Length: 12\r\nConnection: close\r\n\r\n";
    cases[4].add.upgrade_websocket = true;
    cases[4].tail = "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    cases[5].tail = "\r\n";
    for (const auto& c : cases) {
        Buffer buffer;
        REQUIRE(write_own_response_head(buffer.out, 404, c.add));
        CHECK(buffer.out.view() == std::string("HTTP/1.1 404 Not Found\r\n") + c.tail);
    }
}

TEST_CASE("a status that RFC 9110 does not know keeps the upstream's reason") {
    const std::string text = "HTTP/1.1 299 Odd one\r\nContent-Length: 0\r\n\r\n";
    ResponseHead head;
    head.clear();
    REQUIRE(read_response_head(text, Method::get, {}, head).status == ReadStatus::complete);
    Buffer buffer;
    REQUIRE(write_response_head(buffer.out, head, {}));
    CHECK(buffer.out.view().starts_with("HTTP/1.1 299 Odd one\r\n"));
}

TEST_CASE("a request's header changes stand in place of what the gateway says itself") {
    const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    RequestHead head;
    head.clear();
    REQUIRE(read_request_head(text, {}, head).status == ReadStatus::complete);
    UpstreamRequest add;
    add.path = "/";
    add.host = "u";
    add.forwarded_for = add.client_address = "9.9.9.9";
    add.forwarded_proto = "http";
    add.forwarded_host = "h";
    add.request_id = "r1";
    add.traceparent = "tp";
    add.forwarded = "for=9.9.9.9";
    using Mode = Addition::Mode;
    const std::array<Addition, 6> additions{{{"x-forwarded-proto", "https"},
                                             {"X-Real-IP", ""},
                                             {"Traceparent", "mine"},
                                             {"forwarded", "by=me"},
                                             {"X-Request-Id", "other", Mode::if_absent},
                                             {"X-New", "1", Mode::if_absent}}};
    add.additions = additions;
    Buffer buffer;
    REQUIRE(write_request_head(buffer.out, head, add));
    CHECK(buffer.out.view() ==
          "GET / HTTP/1.1\r\nHost: u\r\nVia: 1.1 kampus-gateway\r\nX-Forwarded-For: 9.9.9.9\r\n"
          "X-Forwarded-Host: h\r\n"
          "X-Client-Address: 9.9.9.9\r\nX-Request-Id: r1\r\nx-forwarded-proto: https\r\nTraceparent: mine\r\n"
          "forwarded: by=me\r\nX-New: 1\r\n\r\n");
}

TEST_CASE("an answer's header changes stand in place of our own lines, too") {
    using Mode = Addition::Mode;
    const std::array<Addition, 6> additions{{{"cache-control", "public"},
                                             {"ETAG", ""},
                                             {"x-request-id", "mine"},
                                             {"Location", "/other", Mode::if_absent},
                                             {"X-New", "1", Mode::if_absent},
                                             {"Content-Type", "text/x"}}};
    const std::array<Addition, 5> own{{{"Cache-Control", "no-cache", Mode::if_absent},
                                       {"ETag", "\"1\""},
                                       {"Content-Type", "text/html"},
                                       {"Location", "/own"},
                                       {"Accept-Ranges", "bytes"}}};
    ClientResponse add;
    add.request_id = "r1";
    add.additions = additions;
    add.own = own;
    Buffer buffer;
    REQUIRE(write_own_response_head(buffer.out, 200, add));
    CHECK(buffer.out.view() ==
          "HTTP/1.1 200 OK\r\ncache-control: public\r\nx-request-id: mine\r\nX-New: 1\r\nContent-Type: "
          "text/x\r\n"
          "Location: /own\r\nAccept-Ranges: bytes\r\n\r\n");
    // And of what an upstream has answered, its id included.
    const std::string text =
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Request-Id: theirs\r\nETag: \"2\"\r\n\r\n";
    ResponseHead head;
    head.clear();
    REQUIRE(read_response_head(text, Method::get, {}, head).status == ReadStatus::complete);
    add.own = {};
    Buffer other;
    REQUIRE(write_response_head(other.out, head, add));
    CHECK(other.out.view() ==
          "HTTP/1.1 200 OK\r\ncache-control: public\r\nx-request-id: mine\r\nLocation: /other\r\nX-New: 1\r\n"
          "Content-Type: text/x\r\n\r\n");
}

TEST_CASE("header changes apply to the lines that early hints have") {
    const std::string text =
        "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nServer: x\r\nX-A: 1\r\n\r\n";
    ResponseHead head;
    head.clear();
    REQUIRE(read_response_head(text, Method::get, {}, head).status == ReadStatus::complete);
    const std::array<Addition, 4> overrides{
        {{"link", "</b>"}, {"Server", ""}, {"X-New", "1"}, {"X-A", "2", Addition::Mode::if_absent}}};
    Buffer buffer;
    REQUIRE(write_informational_head(buffer.out, head, overrides));
    CHECK(buffer.out.view() == "HTTP/1.1 103 Early Hints\r\nX-A: 1\r\nlink: </b>\r\n\r\n");
}

TEST_CASE("who may read an answer is not for the service to say") {
    const std::string text =
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\naccess-control-allow-origin: *\r\n"
        "Access-Control-Allow-Credentials: true\r\nAccess-Control-Allow-Private-Network: true\r\nX: "
        "1\r\n\r\n";
    ResponseHead head;
    head.clear();
    REQUIRE(read_response_head(text, Method::get, {}, head).status == ReadStatus::complete);
    Buffer buffer;
    REQUIRE(write_response_head(buffer.out, head, {}));
    CHECK(buffer.out.view() == "HTTP/1.1 200 OK\r\nX: 1\r\n\r\n");
}

TEST_CASE("early hints are passed on without framing") {
    const std::string text =
        "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nConnection: close\r\n\r\n";
    ResponseHead head;
    head.clear();
    REQUIRE(read_response_head(text, Method::get, {}, head).status == ReadStatus::complete);
    Buffer buffer;
    REQUIRE(write_informational_head(buffer.out, head, {}));
    CHECK(buffer.out.view() == "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n");
}

TEST_CASE("request ids and trace parents of clients are taken only when they are sane") {
    CHECK(sane_request_id("abc-123,\"x\""));
    CHECK(sane_request_id(std::string(128, 'a')));
    for (const auto& bad : {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a\tb"),
                            std::string("\xc3\xa9"), std::string("a\x7f")})
        CHECK_FALSE(sane_request_id(bad));
    const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    CHECK(valid_traceparent(good));
    for (const auto& bad : {good.substr(1), good + "0", "01" + good.substr(2),
                            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01" + std::string(),
                            "00-00000000000000000000000000000000-b7ad6b7169203331-01" + std::string(),
                            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01" + std::string()})
        CHECK_FALSE(valid_traceparent(bad));
}
