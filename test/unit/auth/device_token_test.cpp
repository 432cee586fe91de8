#include <catch2/catch.hpp>

#include "services/auth/crypto/device_token.hpp"

using auth::crypto::DeviceTokens;

namespace {

const DeviceTokens kTokens(std::string(32, 'k'));

}  // namespace

TEST_CASE("a device token knows the accounts that signed in and no other") {
    const auto first = kTokens.remember("", "a1");
    const auto device = kTokens.device_of(first, "a1");
    REQUIRE(device);
    CHECK(first.starts_with(*device + "."));
    CHECK_FALSE(kTokens.device_of(first, "a2"));
    CHECK_FALSE(kTokens.device_of("", "a1"));
    CHECK(first.find("a1.") == std::string::npos);

    const auto second = kTokens.remember(first, "a2");
    CHECK(kTokens.device_of(second, "a1") == device);
    CHECK(kTokens.device_of(second, "a2") == device);
    CHECK(kTokens.remember(second, "a2") == second);
    CHECK(kTokens.remember("", "a1") != first);  // another device
}

TEST_CASE("a device token keeps the five accounts that signed in last") {
    std::string token;
    for (int i = 0; i < 7; ++i) token = kTokens.remember(token, "account" + std::to_string(i));
    CHECK(token.size() <= DeviceTokens::kMaxLength);
    for (int i = 0; i < 7; ++i)
        CHECK(kTokens.device_of(token, "account" + std::to_string(i)).has_value() == (i >= 2));
}

TEST_CASE("a device token of another key, another account's MAC or another form is nobody's") {
    const auto token = kTokens.remember("", "a1");
    CHECK_FALSE(DeviceTokens(std::string(32, 'x')).device_of(token, "a1"));
    const auto other = kTokens.remember("", "a1");
    const auto moved = token.substr(0, token.find('.')) + other.substr(other.find('.'));
    CHECK_FALSE(kTokens.device_of(moved, "a1"));
    for (const std::string& wrong :
         {token.substr(1), token + ".", token + "x", "." + token, token.substr(0, token.find('.')),
          token + token, std::string(1000, 'a'), std::string("a b")}) {
        CAPTURE(wrong);
        CHECK_FALSE(kTokens.device_of(wrong, "a1"));
        CHECK(kTokens.remember(wrong, "a1").find(wrong) == std::string::npos);
    }
}
