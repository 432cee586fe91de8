#include <catch2/catch.hpp>
#include <set>

#include "shared/base/encoding.hpp"
#include "shared/base/random.hpp"

using namespace shared;

TEST_CASE("base64url encodes and decodes RFC 4648's examples without padding") {
    const std::pair<const char*, const char*> rows[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},      {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"\xFB\xFF", "-_8"}};
    for (const auto& [bytes, text] : rows) {
        CHECK(base64url_encode(bytes) == text);
        CHECK(base64url_decode(text) == std::string(bytes));
    }
}

TEST_CASE("base64url refuses every second spelling of a value") {
    for (const char* text : {"Zg==", "Zh", "Zm9", "Z", "Zm9vY", "Zm 9v", "Zm9v\n", "+/8", "Zm8="}) {
        INFO(text);
        CHECK_FALSE(base64url_decode(text).has_value());
    }
}

TEST_CASE("hex is lower case and two digits a byte") {
    CHECK(to_hex(std::string("\x00\xAB\x7F", 3)) == "00ab7f");
}

TEST_CASE("random ids have 128 bits and do not repeat") {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto id = random_id();
        CHECK(id.size() == 22);
        seen.insert(id);
    }
    CHECK(seen.size() == 1000);
}
