// Rules for the heads of upstream answers.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "gateway/wire/response_head.hpp"
#include "gateway/wire/websocket.hpp"

using namespace gateway::wire;
using namespace std::string_literals;

namespace {

std::string kept;  // heads are views

ReadResult read(std::string text, ResponseHead& head, Method asked = Method::get,
                const ReaderRules& rules = {}) {
    kept = std::move(text);
    head.clear();
    return read_response_head(kept, asked, rules, head);
}

std::string ok(const std::string& lines) {
    return "HTTP/1.1 200 OK\r\n" + lines + "\r\n";
}

struct Step {
    ReadStatus status;
    Refusal refusal;
    std::size_t consumed;
    bool operator==(const Step&) const = default;
};

Step in_pieces(const std::string& text, std::size_t at, std::size_t step) {
    ResponseHead head;
    head.clear();
    ReadResult result;
    for (std::size_t n = at; result.status == ReadStatus::incomplete; n = std::min(n + step, text.size())) {
        const std::string elsewhere(text, 0, n);
        result = read_response_head(elsewhere, Method::get, {}, head);
        if (n == text.size()) break;
    }
    return {result.status, result.refusal, result.consumed};
}

}  // namespace

TEST_CASE("malformed answer heads are refused, however they are split") {
    struct Case {
        const char* what;
        std::string text;
        Refusal refusal;
    };
    const std::vector<Case> cases{
        {"not HTTP", "ICY 200 OK\r\n\r\n", Refusal::bad_status_line},
        {"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", Refusal::bad_status_line},
        {"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", Refusal::bad_status_line},
        {"two-digit status", "HTTP/1.1 20 OK\r\n\r\n", Refusal::bad_status_line},
        {"four-digit status", "HTTP/1.1 2000 OK\r\n\r\n", Refusal::bad_status_line},
        {"status 099", "HTTP/1.1 099 OK\r\n\r\n", Refusal::bad_status_line},
        {"status 600", "HTTP/1.1 600 OK\r\n\r\n", Refusal::bad_status_line},
        {"bare LF", "HTTP/1.1 200 OK\n\r\n", Refusal::bad_status_line},
        {"NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"s, Refusal::bad_status_line},
        {"length and encoding", ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
         Refusal::bad_upstream_head},
        {"unknown coding", ok("Transfer-Encoding: gzip\r\n"), Refusal::bad_upstream_head},
        {"coding list", ok("Transfer-Encoding: gzip, chunked\r\n"), Refusal::bad_upstream_head},
        {"chunked twice", ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
         Refusal::bad_upstream_head},
        {"chunked on 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
         Refusal::bad_upstream_head},
        {"length twice", ok("Content-Length: 5\r\nContent-Length: 5\r\n"), Refusal::bad_upstream_head},
        {"length list", ok("Content-Length: 5, 5\r\n"), Refusal::bad_upstream_head},
        {"length that is none", ok("Content-Length: x\r\n"), Refusal::bad_upstream_head},
        {"folded header", ok("A: b\r\n c\r\n"), Refusal::bad_upstream_head},
        {"bare CR", ok("A: b\rc\r\n"), Refusal::bad_upstream_head},
        {"bare LF in headers", ok("A: b\nC: d\r\n"), Refusal::bad_upstream_head},
        {"NUL", ok("A: b\0\r\n"s), Refusal::bad_upstream_head},
        {"space before the colon", ok("A : b\r\n"), Refusal::bad_upstream_head},
        {"no colon", ok("A\r\n"), Refusal::bad_upstream_head},
        {"100 with a body", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n", Refusal::bad_upstream_head},
        {"101 with a body", "HTTP/1.1 101 X\r\nTransfer-Encoding: chunked\r\n\r\n",
         Refusal::bad_upstream_head},
        {"Content-Type twice", ok("Content-Type: text/plain\r\nContent-Type: text/html\r\n"),
         Refusal::bad_upstream_head},
        {"Sec-WebSocket-Accept twice", ok("Sec-WebSocket-Accept: a\r\nSec-WebSocket-Accept: b\r\n"),
         Refusal::bad_upstream_head},
        {"Location twice", ok("Location: /a\r\nLocation: /b\r\n"), Refusal::bad_upstream_head},
        {"Connection that is no list", ok("Connection: a b\r\n"), Refusal::bad_upstream_head},
    };
    ResponseHead head;
    for (const auto& c : cases) {
        INFO(c.what);
        const auto whole = read(c.text, head);
        CHECK(whole.status == ReadStatus::refused);
        CHECK(describe(whole.refusal).code == describe(c.refusal).code);
        const Step expected{ReadStatus::refused, c.refusal, 0};
        for (std::size_t at = 0; at < c.text.size(); ++at)
            CHECK(in_pieces(c.text, at, c.text.size()) == expected);
        CHECK(in_pieces(c.text, 0, 1) == expected);
    }
}

TEST_CASE("how the body of an answer is framed") {
    struct Case {
        std::string text;
        Method asked;
        BodyKind body;
        bool keep_alive;
    };
    const std::vector<Case> cases{
        {ok("Content-Length: 5\r\n"), Method::get, BodyKind::length, true},
        {ok("Content-Length: 0\r\n"), Method::get, BodyKind::none, true},
        {ok("Transfer-Encoding: chunked\r\n"), Method::get, BodyKind::chunked, true},
        {ok(""), Method::get, BodyKind::until_close, false},
        {ok("Connection: close\r\nContent-Length: 5\r\n"), Method::get, BodyKind::length, false},
        {ok("Content-Length: 5\r\n"), Method::head, BodyKind::none, true},
        {ok("Transfer-Encoding: chunked\r\n"), Method::head, BodyKind::none, true},
        {ok(""), Method::head, BodyKind::none, true},
        {"HTTP/1.1 204 No Content\r\n\r\n", Method::get, BodyKind::none, true},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", Method::get, BodyKind::none, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Method::get, BodyKind::none, true},
        {"HTTP/1.1 100 Continue\r\n\r\n", Method::get, BodyKind::none, true},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", Method::get, BodyKind::length, false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", Method::get,
         BodyKind::length, true},
        {"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", Method::get, BodyKind::length, true},
    };
    ResponseHead head;
    for (const auto& c : cases) {
        INFO(c.text);
        const auto result = read(c.text + "rest", head, c.asked);
        REQUIRE(result.status == ReadStatus::complete);
        CHECK(result.consumed == c.text.size());
        CHECK(head.body() == c.body);
        CHECK(head.keep_alive() == c.keep_alive);
    }
}

TEST_CASE("a 101 is a tunnel only as a complete WebSocket answer") {
    ResponseHead head;
    REQUIRE(read("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                 head)
                .status == ReadStatus::complete);
    CHECK(head.upgrade_websocket());
    CHECK_FALSE(head.informational());
    CHECK(head.value(Header::sec_websocket_accept) ==
          websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="));  // RFC 6455, 1.3
    REQUIRE(read("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", head)
                .status == ReadStatus::complete);
    CHECK_FALSE(head.upgrade_websocket());
    REQUIRE(read("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", head).status == ReadStatus::complete);
    CHECK(head.informational());
}

TEST_CASE("hop-by-hop headers of answers are dropped, others stay") {
    ResponseHead head;
    REQUIRE(
        read(
            ok("Connection: x-a\r\nX-A: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: x\r\nTrailer: t\r\n"
               "Upgrade: h2c\r\nContent-Length: 0\r\nX-Request-Id: u\r\nContent-Type: a/b\r\nSet-Cookie: "
               "a\r\n"
               "Set-Cookie: b\r\nX-User-Id: 1\r\n"),
            head)
            .status == ReadStatus::complete);
    for (const char* name : {"connection", "x-a", "keep-alive", "proxy-authenticate", "trailer", "upgrade",
                             "content-length", "x-request-id"}) {
        INFO(name);
        CHECK(head.find(name)->drop);
    }
    for (const char* name : {"content-type", "set-cookie", "x-user-id"}) {
        INFO(name);
        CHECK_FALSE(head.find(name)->drop);
    }
    CHECK(head.count(Header::set_cookie) == 2);
}

TEST_CASE("an endless answer head is refused at its limit") {
    ResponseHead head;
    CHECK(read("HTTP/1.1 200 " + std::string(40'000, 'x'), head).refusal == Refusal::bad_upstream_head);
    CHECK(read(ok("A: " + std::string(40'000, 'x') + "\r\n"), head).refusal == Refusal::bad_upstream_head);
}
