// The pure parts of the session: PROXY headers, body framing, problem bodies, log lines.
#include <catch2/catch.hpp>
#include <string>

#include "gateway/exchange/error_body.hpp"
#include "gateway/http/proxy_header.hpp"
#include "gateway/observe/access_log.hpp"
#include "gateway/observe/ids.hpp"
#include "gateway/pipeline/pipeline.hpp"
#include "gateway/wire/body_reader.hpp"
#include "shared/json/json.hpp"

namespace gateway::http {

using exchange::Answer;
using exchange::answer_for;
using exchange::append_problem;
using exchange::Failed;
using Status = ProxyHeader::Status;

TEST_CASE("a PROXY header is complete, incomplete, or refused, wherever it is cut") {
    const std::string v1 = "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n";
    for (std::size_t cut = 0; cut < v1.size(); ++cut)
        CHECK(parse_proxy_header(v1.substr(0, cut)).status == Status::incomplete);
    const ProxyHeader done = parse_proxy_header(v1 + "GET /");
    REQUIRE(done.status == Status::complete);
    CHECK(done.consumed == v1.size());
    REQUIRE(done.client);
    CHECK(done.client->address.to_string() == "203.0.113.7");
    CHECK(done.client->port == 5000);
    for (const char* bad :
         {"PROXY TCP4 203.0.113.7 192.0.2.1 5000\r\n", "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443 x\r\n",
          "PROXY TCP4 2001:db8::1 2001:db8::2 5000 443\r\n", "PROXY TCP4 a b 1 2\r\n",
          "PROXY TCP4 203.0.113.7 192.0.2.1 70000 443\r\n", "PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n",
          "proxy TCP4 203.0.113.7 192.0.2.1 5000 443\r\n", "GET / HTTP/1.1\r\n"})
        CHECK(parse_proxy_header(bad).status == Status::refused);
    CHECK(parse_proxy_header("PROXY " + std::string(200, 'x')).status == Status::refused);
    CHECK(parse_proxy_header("PROXY UNKNOWN ffff::1\r\n").status == Status::complete);

    const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);
    const std::string local = signature + std::string("\x20\0\0\0", 4);
    CHECK(parse_proxy_header(local).status == Status::complete);
    CHECK_FALSE(parse_proxy_header(local).client);
    CHECK(parse_proxy_header(signature + std::string("\x31\x11\0\x0C", 4)).status == Status::refused);
    CHECK(parse_proxy_header(signature + std::string("\x21\x11\xFF\xFF", 4)).status == Status::refused);
    CHECK(parse_proxy_header(signature + std::string("\x21\x11\0\x04", 4) + "abcd").status ==
          Status::refused);
}

TEST_CASE("chunks are moved together, and bytes behind the body stay where they are") {
    wire::BodyReader reader;
    reader.start(wire::BodyKind::chunked, 0);
    std::string bytes = "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: 1\r\n\r\nGET /next";
    const wire::BodyReader::Step step = reader.read(bytes.data(), bytes.size());
    CHECK(step.data == "abcdefg");
    CHECK(reader.done());
    CHECK(bytes.substr(step.consumed) == "GET /next");
}

TEST_CASE("a body reads the same however it is cut") {
    const std::string whole = "3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n";
    for (std::size_t piece = 1; piece < whole.size(); ++piece) {
        wire::BodyReader reader;
        reader.start(wire::BodyKind::chunked, 0);
        std::string data;
        for (std::size_t at = 0; at < whole.size(); at += piece) {
            std::string part = whole.substr(at, piece);
            std::size_t used = 0;
            while (used < part.size() && !reader.done()) {
                const wire::BodyReader::Step step = reader.read(part.data() + used, part.size() - used);
                REQUIRE(step.refusal == wire::Refusal::none);
                data += step.data;
                used += step.consumed;
            }
        }
        CHECK(reader.done());
        CHECK(data == "abc0123456789");
    }
}

TEST_CASE("a problem body has all its members, whatever the request put into them") {
    std::string body;
    append_problem(body, 404, "route_not_found", "Alamat \"x\" tidak ditemukan.", "/a\n\xFF\"b", "id-1");
    const auto document = shared::json::parse(body);
    REQUIRE(document.has_value());
    for (const char* member : {"type", "title", "detail", "instance", "code", "request_id"})
        CHECK((*document)[member].IsString());
    CHECK((*document)["status"].GetInt() == 404);
    CHECK(std::string((*document)["title"].GetString()) == "Not Found");
    CHECK(std::string((*document)["instance"].GetString()) == "/a\n\xEF\xBF\xBD\"b");
}

TEST_CASE("every failure of the table has a status, a code and a sentence") {
    for (int i = 0; i <= static_cast<int>(Failed::internal); ++i) {
        const Answer answer = answer_for(static_cast<Failed>(i));
        CHECK(answer.status >= 400);
        CHECK(answer.status <= 599);
        CHECK_FALSE(answer.code.empty());
        CHECK(answer.detail.ends_with("."));
        if (answer.status == 503) CHECK(answer.retry_after_s > 0);
    }
}

TEST_CASE("log text is JSON whatever bytes it holds") {
    std::string bytes;
    for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
    bytes += "\xED\xA0\x80 \xF4\x90\x80\x80 \xC0\xAF \xE2\x82\xAC \xF0\x9F\x99\x82";
    std::string out = "[";
    observe::append_json_string(out, bytes);
    const auto document = shared::json::parse(out + "]");
    REQUIRE(document.has_value());
    CHECK(std::string((*document)[0].GetString() + 1).find("\xE2\x82\xAC \xF0\x9F\x99\x82") !=
          std::string::npos);
}

TEST_CASE("request ids do not repeat, a trace goes on under a new parent") {
    observe::IdSource ids;
    observe::IdSource::RequestId a;
    observe::IdSource::RequestId b;
    ids.request_id(a);
    ids.request_id(b);
    CHECK(a != b);
    CHECK(wire::sane_request_id({a.data(), a.size()}));
    const std::string incoming = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    observe::IdSource::Traceparent out;
    ids.traceparent(incoming, out);
    const std::string text(out.data(), out.size());
    CHECK(wire::valid_traceparent(text));
    CHECK(text.substr(0, 36) == incoming.substr(0, 36));
    CHECK(text.substr(36, 16) != incoming.substr(36, 16));
    CHECK(text.ends_with("-01"));
    ids.traceparent("00-nonsense", out);
    CHECK(wire::valid_traceparent({out.data(), out.size()}));
}

TEST_CASE("the filters run in the order that security needs") {
    std::string order;
    for (const pipeline::Filter& filter : pipeline::filters()) order += std::string(filter.name) + " ";
    CHECK(order ==
          "client_address names route cors body_limit early_rate_limits auth "
          "claim_rate_limits ");
}

}  // namespace gateway::http
