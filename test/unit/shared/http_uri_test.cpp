#include <catch2/catch.hpp>

#include "shared/http/client.hpp"
#include "shared/http/networks.hpp"
#include "shared/http/uri.hpp"

using namespace shared::http;

TEST_CASE("percent decoding refuses broken escapes, controls and bad UTF-8") {
    CHECK(percent_decode("a%20b") == std::string("a b"));
    CHECK(percent_decode("a+b") == std::string("a+b"));
    CHECK(percent_decode("a+b", true) == std::string("a b"));
    for (const char* bad : {"%", "%2", "%zz", "%00", "%0a", "%7F", "%ff", "%ed%a0%80"}) {
        INFO(bad);
        CHECK_FALSE(percent_decode(bad).has_value());
    }
}

TEST_CASE("a query is split before it is decoded") {
    const auto query = parse_query("q=a%26b&x&y=&&z=1=2");
    REQUIRE(query.has_value());
    CHECK(*query ==
          std::vector<std::pair<std::string, std::string>>{{"q", "a&b"}, {"x", ""}, {"y", ""}, {"z", "1=2"}});
    CHECK_FALSE(parse_query("a=%GG").has_value());
}

TEST_CASE("percent encoding round-trips") {
    const std::string text = "IF 101/\xC3\xA9?&=%";
    CHECK(percent_decode(percent_encode(text)) == text);
}

TEST_CASE("URLs are parsed strictly") {
    const auto url = parse_url("http://auth-service:3001/internal/x?a=1");
    REQUIRE(url.has_value());
    CHECK(url->host == "auth-service");
    CHECK(url->port == "3001");
    CHECK(url->target == "/internal/x?a=1");
    CHECK(parse_url("https://[::1]/")->port == "443");
    CHECK(parse_url("http://h?x")->target == "/?x");
    for (const char* bad : {"", "ftp://x/", "http://", "http://h:0/", "http://h:99999/", "http://h:x/",
                            "http://u@h/", "http://h/a b", "http://[::1/"}) {
        INFO(bad);
        CHECK(parse_url(bad).has_error());
    }
}

TEST_CASE("only what trusted proxies appended decides the client's address") {
    const Networks trusted({"127.0.0.0/8", "10.0.0.0/8", "::1"});
    const auto address = [](const char* text) { return boost::asio::ip::make_address(text); };
    CHECK(client_address(address("203.0.113.9"), "1.2.3.4", trusted) == "203.0.113.9");
    CHECK(client_address(address("127.0.0.1"), "1.2.3.4", trusted) == "1.2.3.4");
    CHECK(client_address(address("127.0.0.1"), "6.6.6.6, 1.2.3.4", trusted) == "127.0.0.1");
    CHECK(client_address(address("127.0.0.1"), "", trusted) == "127.0.0.1");
    CHECK(client_address(address("127.0.0.1"), "unknown", trusted) == "127.0.0.1");
    CHECK(client_address(address("::ffff:10.1.2.3"), "2001:db8::1", trusted) == "2001:db8::1");
    CHECK_THROWS_WITH(Networks({"10.0.0.0/99"}), Catch::Contains("10.0.0.0/99"));
}
