// PROXY protocol headers, cut at every byte.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "gateway/http/proxy_header.hpp"

using gateway::http::kMaxProxyHeader;
using gateway::http::parse_proxy_header;
using Status = gateway::http::ProxyHeader::Status;
using namespace std::string_literals;

namespace {

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string v2(char version_command, char family, const std::string& payload) {
    std::string header = kSignature + version_command + family;
    header += static_cast<char>(payload.size() >> 8);
    header += static_cast<char>(payload.size() & 0xFF);
    return header + payload;
}

const std::string kFourPayload = "\x0a\x00\x00\x01\x0a\x00\x00\x02\x30\x39\x01\xbb"s;

void check_complete(const std::string& header, const char* address, unsigned port) {
    for (std::size_t n = 0; n < header.size(); ++n) {
        INFO("cut at " << n);
        CHECK(parse_proxy_header(header.substr(0, n)).status == Status::incomplete);
    }
    const auto got = parse_proxy_header(header + "GET / HTTP/1.1\r\n");
    REQUIRE(got.status == Status::complete);
    CHECK(got.consumed == header.size());
    CHECK(got.client.has_value() == (address != nullptr));
    if (address == nullptr || !got.client) return;
    CHECK(got.client->address.to_string() == address);
    CHECK(got.client->port == port);
}

}  // namespace

TEST_CASE("good PROXY headers of both versions tell the client and their own length") {
    check_complete("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1", 56324);
    check_complete("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "2001:db8::1", 1);
    check_complete("PROXY UNKNOWN\r\n", nullptr, 0);
    check_complete("PROXY UNKNOWN whatever it says\r\n", nullptr, 0);
    check_complete(v2('\x21', '\x11', kFourPayload), "10.0.0.1", 12345);
    check_complete(v2('\x21', '\x11', kFourPayload + "\x04\x00\x01x"s), "10.0.0.1", 12345);  // with a TLV
    check_complete(v2('\x21', '\x21',
                      "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s + std::string(16, '\0') +
                          "\x00\x50\x01\xbb"s),
                   "2001:db8::1", 80);
    check_complete(v2('\x20', '\x00', ""), nullptr, 0);                     // LOCAL
    check_complete(v2('\x21', '\x31', std::string(216, 'u')), nullptr, 0);  // a unix socket
}

TEST_CASE("anything else in place of a PROXY header is refused") {
    const std::vector<std::string> cases{
        "GET / HTTP/1.1\r\n",
        "PROXY",
        "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
        "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY \r\n",
        "PROXY " + std::string(120, 'x'),
        v2('\x11', '\x11', kFourPayload),
        v2('\x22', '\x11', kFourPayload),
        v2('\x21', '\x11', "\x0a\x00\x00\x01"s),
        v2('\x21', '\x21', kFourPayload),
        v2('\x21', '\x11', std::string(kMaxProxyHeader, 'x')),
        "\r\n\r\nGET",
    };
    for (const auto& text : cases) {
        INFO(text);
        const bool short_prefix = text == "PROXY";
        CHECK(parse_proxy_header(text).status == (short_prefix ? Status::incomplete : Status::refused));
    }
}
