// Every rule for request heads, each read in one piece, split at every byte, and byte by byte in memory that
// moves.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "gateway/wire/request_head.hpp"

using namespace gateway::wire;

namespace {

struct Outcome {
    ReadStatus status;
    Refusal refusal;
    std::size_t consumed;
    bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& o) {
    return out << static_cast<int>(o.status) << '/' << describe(o.refusal).code << '/' << o.consumed;
}

Outcome outcome_of(const ReadResult& r) {
    return {r.status, r.refusal, r.consumed};
}

// Heads are views: what was read last stays here, so that tests may look at it.
Outcome read_whole(std::string text, const ReaderRules& rules, RequestHead& head) {
    static std::string kept;
    kept = std::move(text);
    head.clear();
    return outcome_of(read_request_head(kept, rules, head));
}

// Feeds prefixes of the given lengths; each time the bytes are somewhere else.
Outcome read_in_steps(const std::string& text, const std::vector<std::size_t>& lengths,
                      const ReaderRules& rules) {
    RequestHead head;
    head.clear();
    ReadResult result;
    for (const auto length : lengths) {
        const std::string elsewhere(text, 0, length);
        result = read_request_head(elsewhere, rules, head);
        if (result.status != ReadStatus::incomplete) break;
    }
    return outcome_of(result);
}

void check_all_splits(const std::string& text, const ReaderRules& rules, const Outcome& expected) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        INFO("split at " << at);
        CHECK(read_in_steps(text, {at, text.size()}, rules) == expected);
    }
    std::vector<std::size_t> every_byte;
    for (std::size_t n = 0; n <= text.size(); ++n) every_byte.push_back(n);
    CHECK(read_in_steps(text, every_byte, rules) == expected);
}

struct Case {
    const char* what;
    std::string text;
    Refusal refusal;
};

std::string get(const std::string& headers) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}
std::string post(const std::string& headers) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}
std::string target(const std::string& t) {
    return "GET " + t + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
std::string host(const std::string& value) {
    return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n";
}

// So many options of a Connection line, with empty elements between them, which are none.
std::string list_of(int options) {
    std::string list = "x-0";
    for (int i = 1; i < options; ++i) list += ",, x-" + std::to_string(i);
    return list;
}

using namespace std::string_literals;

const std::vector<Case> kRefused{
    // framing
    {"Content-Length, then Transfer-Encoding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
     Refusal::length_with_encoding},
    {"Transfer-Encoding, then Content-Length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
     Refusal::length_with_encoding},
    {"unknown coding, then Content-Length", post("Transfer-Encoding: x\r\nContent-Length: 5\r\n"),
     Refusal::length_with_encoding},
    {"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     Refusal::bad_transfer_encoding},
    {"chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n"), Refusal::bad_transfer_encoding},
    {"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n"), Refusal::bad_transfer_encoding},
    {",chunked", post("Transfer-Encoding: ,chunked\r\n"), Refusal::bad_transfer_encoding},
    {"chunked;q=1", post("Transfer-Encoding: chunked;q=1\r\n"), Refusal::bad_transfer_encoding},
    {"chunked foo", post("Transfer-Encoding: chunked foo\r\n"), Refusal::bad_transfer_encoding},
    {"quoted chunked", post("Transfer-Encoding: \"chunked\"\r\n"), Refusal::bad_transfer_encoding},
    {"empty coding", post("Transfer-Encoding:\r\n"), Refusal::bad_transfer_encoding},
    {"coding with a vertical tab", post("Transfer-Encoding: \vchunked\r\n"), Refusal::bad_header_value},
    {"gzip alone", post("Transfer-Encoding: gzip\r\n"), Refusal::encoding_not_implemented},
    {"identity", post("Transfer-Encoding: identity\r\n"), Refusal::encoding_not_implemented},
    {"xchunked", post("Transfer-Encoding: xchunked\r\n"), Refusal::encoding_not_implemented},
    {"chunked on 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::encoding_on_http10},
    {"length list", post("Content-Length: 5, 5\r\n"), Refusal::bad_content_length},
    {"length twice, equal", post("Content-Length: 5\r\nContent-Length: 5\r\n"), Refusal::bad_content_length},
    {"length twice, different", post("Content-Length: 5\r\nContent-Length: 6\r\n"),
     Refusal::bad_content_length},
    {"plus sign", post("Content-Length: +5\r\n"), Refusal::bad_content_length},
    {"minus sign", post("Content-Length: -5\r\n"), Refusal::bad_content_length},
    {"leading zeros", post("Content-Length: 005\r\n"), Refusal::bad_content_length},
    {"hexadecimal", post("Content-Length: 0x5\r\n"), Refusal::bad_content_length},
    {"inner space", post("Content-Length: 1 0\r\n"), Refusal::bad_content_length},
    {"empty length", post("Content-Length: \r\n"), Refusal::bad_content_length},
    {"2^64", post("Content-Length: 18446744073709551616\r\n"), Refusal::bad_content_length},
    {"decimal point", post("Content-Length: 5.0\r\n"), Refusal::bad_content_length},
    // lines
    {"folded header", get("A: b\r\n c\r\n"), Refusal::folded_header},
    {"folded with a tab", get("A: b\r\n\tc\r\n"), Refusal::folded_header},
    {"space before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", Refusal::folded_header},
    {"bare LF after a header", "GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n", Refusal::bad_line_ending},
    {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", Refusal::bad_line_ending},
    {"bare LF as the last line", "GET / HTTP/1.1\r\nHost: a\r\n\n", Refusal::bad_line_ending},
    {"bare CR in a value", get("A: b\rc\r\n"), Refusal::bad_line_ending},
    {"bare CR as a line", get("\rA: b\r\n"), Refusal::bad_line_ending},
    {"NUL in a value", get("A: b\0c\r\n"s), Refusal::bad_header_value},
    {"DEL in a value", get("A: b\x7f\r\n"), Refusal::bad_header_value},
    {"escape in a value", get("A: \x1b[0m\r\n"), Refusal::bad_header_value},
    {"NUL in a name", get("A\0: b\r\n"s), Refusal::bad_header_name},
    {"space before the colon", get("A : b\r\n"), Refusal::bad_header_name},
    {"tab before the colon", get("A\t: b\r\n"), Refusal::bad_header_name},
    {"space in a name", get("A B: c\r\n"), Refusal::bad_header_name},
    {"no name", get(": b\r\n"), Refusal::bad_header_name},
    {"no colon", get("AB\r\n"), Refusal::bad_header_name},
    {"slash in a name", get("A/B: c\r\n"), Refusal::bad_header_name},
    {"byte above 127 in a name", get("A\xc3\xa9: c\r\n"), Refusal::bad_header_name},
    {"two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::bad_request_line},
    {"bare CR first", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::bad_line_ending},
    {"LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::bad_request_line},
    {"space first", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::bad_request_line},
    // request line
    {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::bad_target},
    {"two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::bad_version},
    {"tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::bad_method},
    {"HTTP/0.9", "GET /\r\n\r\n", Refusal::bad_request_line},
    {"method alone", "GET\r\n\r\n", Refusal::bad_request_line},
    {"space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Refusal::bad_version},
    {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", Refusal::bad_version},
    {"cut version", "GET / HTT\r\n\r\n", Refusal::bad_version},
    {"long minor version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", Refusal::bad_version},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", Refusal::version_not_supported},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", Refusal::version_not_supported},
    {"HTTP/0.9 spelled out", "GET / HTTP/0.9\r\n\r\n", Refusal::version_not_supported},
    {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::method_not_allowed},
    {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::method_not_allowed},
    {"unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::method_unknown},
    {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::method_unknown},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::method_unknown},
    {"very long method", std::string(200, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::method_unknown},
    {"method that is no token", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::bad_method},
    {"TLS on the plain port", "\x16\x03\x01\x02\x00\x01"s, Refusal::bad_request_line},
    // target
    {"no slash", target("a/b"), Refusal::bad_target},
    {"asterisk with GET", target("*"), Refusal::bad_target},
    {"authority form", target("a:80"), Refusal::bad_target},
    {"another scheme", target("ftp://a/"), Refusal::bad_target},
    {"user info in the absolute form", target("http://u@a/"), Refusal::bad_target},
    {"absolute form without a host", target("http:///x"), Refusal::bad_target},
    {"fragment", target("/a#b"), Refusal::bad_path},
    {"raw byte above 127", target("/\xc3\xa9"), Refusal::bad_target},
    {"control byte", target("/a\x01"), Refusal::bad_target},
    {"quote", target("/a\"b"), Refusal::bad_path},
    {"angle bracket", target("/<a>"), Refusal::bad_path},
    {"backslash", target("/a\\b"), Refusal::bad_path},
    {"pipe in the query", target("/?a|b"), Refusal::bad_target},
    {"fragment in the query", target("/?a#b"), Refusal::bad_target},
    {"bad escape in the query", target("/?a=%2"), Refusal::bad_target},
    {"%00", target("/a%00b"), Refusal::bad_path},
    {"%0a", target("/a%0ab"), Refusal::bad_path},
    {"%7f", target("/a%7fb"), Refusal::bad_path},
    {"%2f", target("/a%2fb"), Refusal::bad_path},
    {"%5c", target("/a%5Cb"), Refusal::bad_path},
    {"..;", target("/a/..;/b"), Refusal::bad_path},
    {"..;x", target("/a/..;x=1/b"), Refusal::bad_path},
    {".;", target("/a/.;/b"), Refusal::bad_path},
    {"%2e%2e;", target("/a/%2e%2e;/b"), Refusal::bad_path},
    {"..%3b", target("/a/..%3b/b"), Refusal::bad_path},
    {"double encoding", target("/a%252fb"), Refusal::bad_path},
    {"double encoding at the very end", target("/a%2541"), Refusal::bad_path},
    {"double encoding in two steps", target("/a%25%32%66b"), Refusal::bad_path},
    {"overlong UTF-8", target("/%c0%af"), Refusal::bad_path},
    {"cut UTF-8", target("/%c3/x"), Refusal::bad_path},
    {"surrogate", target("/%ed%a0%80"), Refusal::bad_path},
    {"above U+10FFFF", target("/%f4%90%80%80"), Refusal::bad_path},
    {"lone continuation", target("/%80"), Refusal::bad_path},
    {"above the root", target("/../a"), Refusal::bad_path},
    {"above the root, encoded", target("/a/%2e%2E/../b"), Refusal::bad_path},
    {"bad escape", target("/%zz"), Refusal::bad_path},
    {"cut escape", target("/a%2"), Refusal::bad_path},
    {"IIS escape", target("/%u002f"), Refusal::bad_path},
    // Host
    {"no Host on 1.1", "GET / HTTP/1.1\r\nA: b\r\n\r\n", Refusal::host_missing},
    {"absolute form without Host", "GET http://a/ HTTP/1.1\r\n\r\n", Refusal::host_missing},
    {"empty Host", host(""), Refusal::bad_host},
    {"Host twice", get("Host: a\r\n"), Refusal::duplicate_header},
    {"Host twice in another case", get("hOST: b\r\n"), Refusal::duplicate_header},
    {"user info", host("u@a"), Refusal::bad_host},
    {"path in Host", host("a/b"), Refusal::bad_host},
    {"scheme in Host", host("http://a"), Refusal::bad_host},
    {"space in Host", host("a b"), Refusal::bad_host},
    {"comma in Host", host("a,b"), Refusal::bad_host},
    {"port that is none", host("a:b"), Refusal::bad_host},
    {"empty port", host("a:"), Refusal::bad_host},
    {"port 0", host("a:0"), Refusal::bad_host},
    {"port 65536", host("a:65536"), Refusal::bad_host},
    {"port alone", host(":80"), Refusal::bad_host},
    {"open bracket", host("[::1"), Refusal::bad_host},
    {"bracket without an address", host("[a]"), Refusal::bad_host},
    {"IPv6 without brackets", host("::1"), Refusal::bad_host},
    {"escape in Host", host("a%2eb"), Refusal::bad_host},
    {"query in Host", host("a?b"), Refusal::bad_host},
    {"long Host", host(std::string(256, 'a')), Refusal::bad_host},
    {"empty label", host("a..b"), Refusal::bad_host},
    {"two dots of the root", host("a.."), Refusal::bad_host},
    {"empty first label", host(".a"), Refusal::bad_host},
    {"the root alone", host("."), Refusal::bad_host},
    {"empty label in the absolute form", "GET http://a../ HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::bad_target},
    {"absolute form against Host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::host_mismatch},
    {"absolute form against Host's port", "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n",
     Refusal::host_mismatch},
    // once only
    {"Authorization twice", get("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"),
     Refusal::duplicate_header},
    {"Content-Type twice", post("Content-Type: a/b\r\ncontent-type: a/b\r\n"), Refusal::duplicate_header},
    // Connection
    {"Connection names Host", get("Connection: host\r\n"), Refusal::bad_connection_header},
    {"Connection names Authorization", get("Connection: close, Authorization\r\n"),
     Refusal::bad_connection_header},
    {"Connection names X-Forwarded-For", get("Connection: X-Forwarded-For\r\n"),
     Refusal::bad_connection_header},
    {"Connection names X-Forwarded-Prefix", get("Connection: X-Forwarded-Prefix\r\n"),
     Refusal::bad_connection_header},
    {"Connection names X-User-Id", get("Connection: x-user-id\r\n"), Refusal::bad_connection_header},
    {"Connection names an identity header", get("Connection: X-Kampus\r\n"), Refusal::bad_connection_header},
    {"Connection names Content-Length", post("Content-Length: 0\r\nConnection: content-length\r\n"),
     Refusal::bad_connection_header},
    {"Connection names Cookie", get("Connection: cookie\r\n"), Refusal::bad_connection_header},
    {"Connection names X-Client-Address", get("Connection: x-client-address\r\n"),
     Refusal::bad_connection_header},
    {"Connection names If-None-Match", get("Connection: if-none-match\r\n"), Refusal::bad_connection_header},
    {"Connection names Range", get("Range: bytes=0-1\r\nConnection: Range\r\n"),
     Refusal::bad_connection_header},
    {"Connection holds no token", get("Connection: a b\r\n"), Refusal::bad_connection_header},
    {"33 options in Connection", get("Connection: " + list_of(33) + "\r\n"), Refusal::bad_connection_header},
    {"33 options in two Connection lines",
     get("Connection: " + list_of(16) + "\r\nConnection: " + list_of(17) + "\r\n"),
     Refusal::bad_connection_header},
    {"second Connection line names Host", get("Connection: close\r\nConnection: Host\r\n"),
     Refusal::bad_connection_header},
    // Expect and Upgrade
    {"unknown expectation", post("Content-Length: 1\r\nExpect: 200-ok\r\n"), Refusal::bad_expect},
    {"two expectations", post("Content-Length: 1\r\nExpect: 100-continue, x\r\n"), Refusal::bad_expect},
    {"WebSocket without a key",
     get("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
     Refusal::bad_websocket_handshake},
    {"WebSocket with POST",
     post("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
     Refusal::bad_websocket_handshake},
    {"WebSocket with a body",
     get("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 5\r\n"),
     Refusal::bad_websocket_handshake},
    {"WebSocket version 8",
     get("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
     Refusal::websocket_version},
};

ReaderRules test_rules() {
    ReaderRules rules;
    rules.add_identity_header("X-Kampus");
    return rules;
}

}  // namespace

TEST_CASE("each malformed or ambiguous request head is refused with its own reason, however it is split") {
    const auto rules = test_rules();
    RequestHead head;
    for (const auto& c : kRefused) {
        INFO(c.what << ": " << c.text);
        const Outcome expected{ReadStatus::refused, c.refusal, 0};
        CHECK(read_whole(c.text, rules, head) == expected);
        check_all_splits(c.text, rules, expected);
    }
}

TEST_CASE("the statuses of refusals are those of the hardening table") {
    CHECK(describe(Refusal::method_not_allowed).status == 405);
    CHECK(describe(Refusal::method_unknown).status == 501);
    CHECK(describe(Refusal::encoding_not_implemented).status == 501);
    CHECK(describe(Refusal::target_too_long).status == 414);
    CHECK(describe(Refusal::too_many_headers).status == 431);
    CHECK(describe(Refusal::head_too_large).status == 431);
    CHECK(describe(Refusal::bad_expect).status == 417);
    CHECK(describe(Refusal::version_not_supported).status == 505);
    CHECK(describe(Refusal::websocket_version).status == 426);
    CHECK(describe(Refusal::bad_upstream_head).status == 502);
    for (const auto r :
         {Refusal::duplicate_header, Refusal::bad_host, Refusal::bad_path, Refusal::bad_connection_header,
          Refusal::length_with_encoding, Refusal::folded_header, Refusal::bad_content_length})
        CHECK(describe(r).status == 400);
}

TEST_CASE("an ordinary request is read completely and nothing behind it is touched") {
    const std::string text =
        "GET /api/acad/ips?nim=22001 HTTP/1.1\r\n"
        "Host: Kampus.example:8081\r\n"
        "User-Agent: curl/7.88\r\n"
        "accept:*/*\r\n"
        "Authorization:  Bearer a.b.c \t\r\n"
        "X-Request-Id: r-1\r\n"
        "\r\n";
    const auto rules = test_rules();
    RequestHead head;
    const Outcome expected{ReadStatus::complete, Refusal::none, text.size()};
    CHECK(read_whole(text + "GET /next", rules, head) == expected);
    check_all_splits(text, rules, expected);

    CHECK(read_whole(text, rules, head) == expected);
    CHECK(head.method() == Method::get);
    CHECK(head.version_minor() == 1);
    CHECK(head.keep_alive());
    CHECK(head.body() == BodyKind::none);
    CHECK(head.path() == "/api/acad/ips");
    CHECK(head.has_query());
    CHECK(head.query() == "nim=22001");
    CHECK(head.authority() == "Kampus.example:8081");
    CHECK(head.host() == "Kampus.example");
    CHECK(head.value(Header::authorization) == "Bearer a.b.c");
    CHECK(head.value(Header::x_request_id) == "r-1");
    CHECK(head.value(Header::content_type).empty());
    REQUIRE(head.find("ACCEPT") != nullptr);
    CHECK(head.value(*head.find("ACCEPT")) == "*/*");
    CHECK(head.find("accept")->canonical == false);
    CHECK(head.find("user-agent")->canonical == true);
    CHECK(head.lines().size() == 5);
}

TEST_CASE("one empty line in front of the request line is skipped and counted") {
    const std::string text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    check_all_splits(text, {}, {ReadStatus::complete, Refusal::none, text.size()});
}

TEST_CASE("the path has one canonical form") {
    struct Form {
        const char* target;
        const char* path;
    };
    const std::vector<Form> forms{
        {"/", "/"},
        {"/a/b", "/a/b"},
        {"/a/b/", "/a/b/"},
        {"//a///b", "/a/b"},
        {"/a/./b", "/a/b"},
        {"/a/.", "/a/"},
        {"/a/b/..", "/a/"},
        {"/a/../b", "/b"},
        {"/a/..", "/"},
        {"/a/b/../../c", "/c"},
        {"/%61%2Db%7e", "/a-b~"},
        {"/a%2e%2E/b", "/a../b"},
        {"/x/%2e%2e/b", "/b"},
        {"/a%20b", "/a%20b"},
        {"/a%c3%a9", "/a%C3%A9"},
        {"/a%3bb", "/a%3Bb"},
        {"/100%25", "/100%25"},
        {"/100%25zz", "/100%25zz"},
        {"/.well-known/jwks.json", "/.well-known/jwks.json"},
        {"/...", "/..."},
        {"/a;v=1/b", "/a;v=1/b"},
        {"/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"},
        {"http://a", "/"},
        {"http://a?x=1", "/"},
        {"http://a/b/../c", "/c"},
        {"HTTP://A:80/x", "/x"},
    };
    RequestHead head;
    for (const auto& form : forms) {
        INFO(form.target);
        const auto text = target(form.target);
        REQUIRE(read_whole(text, {}, head).status == ReadStatus::complete);
        CHECK(head.path() == form.path);
        check_all_splits(text, {}, {ReadStatus::complete, Refusal::none, text.size()});
        // canonical form of the canonical form
        const auto again = target(std::string(head.path()));
        RequestHead second;
        REQUIRE(read_whole(again, {}, second).status == ReadStatus::complete);
        CHECK(second.path() == form.path);
    }
}

TEST_CASE("doubled slashes can be refused instead of merged") {
    ReaderRules rules;
    rules.merge_slashes = false;
    RequestHead head;
    CHECK(read_whole(target("//a"), rules, head).refusal == Refusal::bad_path);
    CHECK(read_whole(target("/a//"), rules, head).refusal == Refusal::bad_path);
    CHECK(read_whole(target("/a/"), rules, head).status == ReadStatus::complete);
}

TEST_CASE("asterisk form belongs to OPTIONS") {
    RequestHead head;
    REQUIRE(read_whole("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {}, head).status == ReadStatus::complete);
    CHECK(head.path() == "*");
}

TEST_CASE("the absolute form agrees with Host where the default port is left out") {
    RequestHead head;
    CHECK(read_whole("GET http://A.b:80/ HTTP/1.1\r\nHost: a.B\r\n\r\n", {}, head).status ==
          ReadStatus::complete);
    CHECK(read_whole("GET https://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n", {}, head).status ==
          ReadStatus::complete);
    CHECK(read_whole("GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n", {}, head).refusal ==
          Refusal::host_mismatch);
}

TEST_CASE("valid authorities are accepted") {
    RequestHead head;
    for (const char* value :
         {"a", "a.b-c_d", "127.0.0.1", "127.0.0.1:1", "[::1]", "[2001:db8::1]:65535", "A:8081"}) {
        INFO(value);
        REQUIRE(read_whole(host(value), {}, head).status == ReadStatus::complete);
        CHECK(head.authority() == value);
    }
    CHECK(head.host() == "A");
    REQUIRE(read_whole(host("[::1]:80"), {}, head).status == ReadStatus::complete);
    CHECK(head.host() == "[::1]");
}

TEST_CASE("a Connection line names up to 32 others, each of which is dropped") {
    RequestHead head;
    REQUIRE(read_whole(get("X-31: a\r\nConnection: " + list_of(32) + "\r\nX-0: b\r\nX-32: c\r\n"), {}, head)
                .status == ReadStatus::complete);
    CHECK(head.find("x-31")->drop);
    CHECK(head.find("x-0")->drop);
    CHECK_FALSE(head.find("x-32")->drop);
}

TEST_CASE("trace state goes on under exactly one valid parent") {
    const std::string parent = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
    const std::string state = "tracestate: a=1\r\n";
    RequestHead head;
    struct Row {
        std::string lines;
        bool kept;
    };
    for (const auto& row : {Row{parent + state, true}, Row{state + parent, true},
                            Row{parent + parent + state, false}, Row{parent + state + parent, false},
                            Row{state, false}, Row{"traceparent: 00-x\r\n" + state, false}}) {
        INFO(row.lines);
        REQUIRE(read_whole(get(row.lines), {}, head).status == ReadStatus::complete);
        CHECK(head.find("tracestate")->drop != row.kept);
    }
}

TEST_CASE("a line is copied as it came only if it came as it is written") {
    RequestHead head;
    for (const char* line : {"A:b", "A:  b", "A:\tb", "A: b ", "A: b\t", "A: b  ", "A: "}) {
        INFO(line);
        REQUIRE(read_whole(get(line + "\r\n"s), {}, head).status == ReadStatus::complete);
        CHECK(head.find("a")->canonical == (line == "A: "s));
    }
    REQUIRE(read_whole(get("A: b c\r\n"), {}, head).status == ReadStatus::complete);
    CHECK(head.find("a")->canonical);
}

TEST_CASE("HTTP/1.0 needs no Host, closes by default and may ask to stay") {
    RequestHead head;
    REQUIRE(read_whole("GET / HTTP/1.0\r\n\r\n", {}, head).status == ReadStatus::complete);
    CHECK(head.version_minor() == 0);
    CHECK_FALSE(head.keep_alive());
    CHECK(head.authority().empty());
    REQUIRE(read_whole("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", {}, head).status ==
            ReadStatus::complete);
    CHECK(head.keep_alive());
    REQUIRE(read_whole("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", {}, head).status ==
            ReadStatus::complete);
    CHECK_FALSE(head.keep_alive());
    REQUIRE(read_whole("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: x\r\n\r\n", {}, head).status ==
            ReadStatus::complete);
    CHECK_FALSE(head.expect_continue());
}

TEST_CASE("close wins on HTTP/1.1, wherever it stands") {
    RequestHead head;
    for (const char* lines :
         {"Connection: close\r\n", "Connection: Close\r\n", "Connection: keep-alive, close\r\n",
          "Connection: keep-alive\r\nConnection: ,close,\r\n"}) {
        INFO(lines);
        REQUIRE(read_whole(get(lines), {}, head).status == ReadStatus::complete);
        CHECK_FALSE(head.keep_alive());
    }
}

TEST_CASE("framing of good requests") {
    RequestHead head;
    REQUIRE(read_whole(post("Content-Length: 0\r\n"), {}, head).status == ReadStatus::complete);
    CHECK(head.body() == BodyKind::none);
    REQUIRE(read_whole(post("Content-Length: 123456789012345678\r\n"), {}, head).status ==
            ReadStatus::complete);
    CHECK(head.body() == BodyKind::length);
    CHECK(head.content_length() == 123456789012345678U);
    REQUIRE(read_whole(post("Transfer-Encoding: Chunked \r\n"), {}, head).status == ReadStatus::complete);
    CHECK(head.body() == BodyKind::chunked);
    REQUIRE(read_whole(post("Content-Length: 3\r\nExpect: 100-Continue\r\n"), {}, head).status ==
            ReadStatus::complete);
    CHECK(head.expect_continue());
    REQUIRE(read_whole(post("Expect: 100-continue\r\n"), {}, head).status == ReadStatus::complete);
    CHECK_FALSE(head.expect_continue());  // nothing to wait for
}

TEST_CASE("a WebSocket handshake is recognized, any other upgrade is ignored") {
    const std::string rest = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    RequestHead head;
    REQUIRE(read_whole(get("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" + rest), {}, head)
                .status == ReadStatus::complete);
    CHECK(head.upgrade_websocket());
    for (const char* lines :
         {"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
          "Upgrade: websocket\r\n", "Connection: upgrade\r\nUpgrade: h2c, websocket\r\n",
          "Connection: upgrade\r\n"}) {
        INFO(lines);
        REQUIRE(read_whole(get(lines + rest), {}, head).status == ReadStatus::complete);
        CHECK_FALSE(head.upgrade_websocket());
        for (const auto& line : head.lines())
            if (line.id == Header::upgrade || line.id == Header::http2_settings ||
                line.id == Header::connection)
                CHECK(line.drop);
    }
}

TEST_CASE("what must not reach the upstream as it came is marked for dropping") {
    const auto rules = test_rules();
    RequestHead head;
    for (const char* line : {"Connection: x-a",
                             "Keep-Alive: timeout=5",
                             "Proxy-Connection: keep-alive",
                             "Proxy-Authorization: Basic x",
                             "TE: trailers",
                             "Trailer: x",
                             "Upgrade: h2c",
                             "Expect: 100-continue",
                             "X-Forwarded-For: 1.2.3.4",
                             "X-Forwarded-Proto: https",
                             "X-Forwarded-Host: h",
                             "X-Forwarded-Port: 1",
                             "X-Forwarded-Prefix: /x",
                             "Forwarded: for=1.2.3.4",
                             "X-Real-IP: 1.2.3.4",
                             "x-client-address: 1.2.3.4",
                             "X-User-Id: 1",
                             "x-user-role: admin",
                             "X-USER-NIM: 22001",
                             "X-User-Anything: 1",
                             "X-Session-Id: s",
                             "X_User_Id: 1",
                             "X-User_Id: 1",
                             "x_session_id: 1",
                             "X_Forwarded_For: 1.2.3.4",
                             "Under_Score: 1",
                             "X-Kampus: 1",
                             "x-kampus: 1",
                             "X_Kampus: 1",
                             "Proxy: x",
                             "X-Request-Id: a",
                             "traceparent: x",
                             "HTTP2-Settings: x",
                             "Content_Length: 5"}) {
        INFO(line);
        REQUIRE(read_whole(get(std::string(line) + "\r\n"), rules, head).status == ReadStatus::complete);
        CHECK(head.lines().back().drop);
    }
    for (const char* line :
         {"Accept: */*", "Cookie: a=b", "Authorization: Bearer x", "X-Userid: 1", "X-Kampus2: x",
          "Content-Type: a/b", "Origin: http://a", "If-Match: \"1\"", "Range: bytes=0-1"}) {
        INFO(line);
        REQUIRE(read_whole(get(std::string(line) + "\r\n"), rules, head).status == ReadStatus::complete);
        CHECK_FALSE(head.lines().back().drop);
    }
}

TEST_CASE("headers that Connection names are dropped") {
    RequestHead head;
    REQUIRE(read_whole(get("X-A: 1\r\nConnection: x-a , X-B\r\nx-B: 2\r\nX-C: 3\r\n"), {}, head).status ==
            ReadStatus::complete);
    CHECK(head.find("x-a")->drop);
    CHECK(head.find("x-b")->drop);
    CHECK_FALSE(head.find("x-c")->drop);
    std::string long_list = "Connection: a";
    for (int i = 0; i < 40; ++i) long_list += ",a";
    CHECK(read_whole(get(long_list + "\r\n"), {}, head).refusal == Refusal::bad_connection_header);
}

TEST_CASE("a header that something is decided by may not be named in Connection") {
    ReaderRules rules;
    rules.add_decisive_header("x-key");
    RequestHead head;
    CHECK(read_whole(get("X-Key: 1\r\nConnection: X-KEY\r\n"), rules, head).refusal ==
          Refusal::bad_connection_header);
    CHECK(read_whole(get("X-Key: 1\r\nConnection: x-keys\r\n"), rules, head).status == ReadStatus::complete);
    CHECK(read_whole(get("X-Key: 1\r\nConnection: x-key\r\n"), {}, head).status == ReadStatus::complete);
}

TEST_CASE("several lines are one list, what is dropped is not there") {
    RequestHead head;
    std::string joined;
    REQUIRE(read_whole(get("X-A: 1\r\nX-B: b\r\nx-a: 2\r\nConnection: x-c\r\nX-C: 3\r\nX-A:\r\n"), {}, head)
                .status == ReadStatus::complete);
    CHECK(head.combined("x-a", joined) == "1, 2, ");
    CHECK(head.combined("x-b", joined) == "b");
    CHECK_FALSE(head.combined("x-c", joined));
    CHECK_FALSE(head.combined("x-d", joined));
    REQUIRE(read_whole(get("X-A:\r\nX-A: 2\r\n"), {}, head).status == ReadStatus::complete);
    CHECK(head.combined("x-a", joined) == ", 2");
}

TEST_CASE("a host has one name: the dot of the root makes no other") {
    RequestHead head;
    for (const char* name : {"a.test", "a.test."}) {
        for (const char* port : {"", ":8081"}) {
            const std::string text = "GET / HTTP/1.1\r\nHost: " + std::string(name) + port + "\r\n\r\n";
            REQUIRE(read_whole(text, {}, head).status == ReadStatus::complete);
            CHECK(head.host() == "a.test");
            CHECK(head.authority() == std::string(name) + port);
        }
        const std::string text = "GET http://a.test:80/ HTTP/1.1\r\nHost: " + std::string(name) + "\r\n\r\n";
        CHECK(read_whole(text, {}, head).status == ReadStatus::complete);
    }
    REQUIRE(read_whole("GET http://a.test./ HTTP/1.0\r\n\r\n", {}, head).status == ReadStatus::complete);
    CHECK(head.host() == "a.test");
}

TEST_CASE("tracestate goes only with a valid traceparent") {
    RequestHead head;
    const std::string state = "tracestate: a=1\r\n";
    REQUIRE(read_whole(get(state), {}, head).status == ReadStatus::complete);
    CHECK(head.find("tracestate")->drop);
    REQUIRE(
        read_whole(get(state + "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"),
                   {}, head)
            .status == ReadStatus::complete);
    CHECK_FALSE(head.find("tracestate")->drop);
}

TEST_CASE("limits: target, header count, size of the head") {
    ReaderRules rules;
    rules.max_target_bytes = 300;
    rules.max_head_bytes = 2000;
    rules.max_headers = 10;
    RequestHead head;

    const auto good = target("/" + std::string(299, 'a'));
    CHECK(read_whole(good, rules, head).status == ReadStatus::complete);
    const auto too_long = target("/" + std::string(300, 'a'));
    check_all_splits(too_long, rules, {ReadStatus::refused, Refusal::target_too_long, 0});

    std::string nine;
    for (int i = 0; i < 9; ++i) nine += "A: b\r\n";
    CHECK(read_whole(get(nine), rules, head).status == ReadStatus::complete);
    check_all_splits(get(nine + "A: b\r\n"), rules, {ReadStatus::refused, Refusal::too_many_headers, 0});

    const auto frame = get("A: \r\n").size();
    CHECK(read_whole(get("A: " + std::string(2000 - frame, 'x') + "\r\n"), rules, head).status ==
          ReadStatus::complete);
    const auto too_large = get("A: " + std::string(2001 - frame, 'x') + "\r\n");
    check_all_splits(too_large, rules, {ReadStatus::refused, Refusal::head_too_large, 0});

    // an endless target is refused long before the head's own limit
    CHECK(read_whole("GET /" + std::string(400, 'a'), rules, head).refusal == Refusal::target_too_long);
    // a head that never ends
    CHECK(read_whole("GET / HTTP/1.1\r\nA: " + std::string(3000, 'x'), rules, head).refusal ==
          Refusal::head_too_large);
}

TEST_CASE("the reader's limits hold at the largest head that offsets can address") {
    ReaderRules rules;
    rules.max_head_bytes = 1 << 20;  // more than the reader can address: it keeps to kMaxHeadBytes
    RequestHead head;
    CHECK(read_whole(get("A: " + std::string(70'000, 'x') + "\r\n"), rules, head).refusal ==
          Refusal::head_too_large);
}

TEST_CASE("a line that comes byte by byte is not read again for each byte") {
    // the cost of a 30 KB header value in single bytes stays linear: a quadratic reader looks at 450 MB here
    ReaderRules rules;
    const auto text = get("A: " + std::string(30'000, 'x') + "\r\n");
    for (int round = 0; round < 20; ++round) {
        RequestHead head;
        head.clear();
        for (std::size_t n = 1; n < text.size(); ++n)
            REQUIRE(read_request_head(std::string_view(text).substr(0, n), rules, head).status ==
                    ReadStatus::incomplete);
        CHECK(read_request_head(text, rules, head).status == ReadStatus::complete);
    }
}
