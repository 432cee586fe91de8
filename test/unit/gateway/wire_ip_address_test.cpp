// Addresses and networks.
#include <catch2/catch.hpp>

#include "gateway/wire/ip_address.hpp"

using gateway::wire::IpAddress;
using gateway::wire::Network;

TEST_CASE("addresses parse strictly and come back in their usual form") {
    for (const char* text : {"127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "2001:db8::1", "::"})
        CHECK(IpAddress::parse(text)->to_string() == text);
    CHECK(IpAddress::parse("::ffff:1.2.3.4")->to_string() == "1.2.3.4");
    for (const char* text : {"", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1.2.3.4:80", "[::1]",
                             "::1%eth0", "a", "1.2.3.4/8", ":::", "2001:db8::1::2"}) {
        INFO(text);
        CHECK_FALSE(IpAddress::parse(text));
    }
}

TEST_CASE("networks contain what their prefix says") {
    const auto in = [](const char* network, const char* address) {
        return Network::parse(network)->contains(*IpAddress::parse(address));
    };
    CHECK(in("10.0.0.0/8", "10.255.0.1"));
    CHECK_FALSE(in("10.0.0.0/8", "11.0.0.1"));
    CHECK(in("172.16.0.0/28", "172.16.0.15"));
    CHECK_FALSE(in("172.16.0.0/28", "172.16.0.16"));
    CHECK(in("127.0.0.1", "127.0.0.1"));
    CHECK_FALSE(in("127.0.0.1", "127.0.0.2"));
    CHECK(in("0.0.0.0/0", "8.8.8.8"));
    CHECK_FALSE(in("0.0.0.0/0", "2001:db8::1"));
    CHECK(in("2001:db8::/32", "2001:db8:ffff::1"));
    CHECK_FALSE(in("2001:db8::/33", "2001:db8:ffff::1"));
    CHECK(in("::/0", "1.2.3.4"));
    for (const char* text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::/129", "x/8", ""}) {
        INFO(text);
        CHECK_FALSE(Network::parse(text));
    }
    CHECK(Network::parse("10.0.0.0/8")->to_string() == "10.0.0.0/8");
    CHECK(Network::parse("::1")->to_string() == "::1/128");
}
