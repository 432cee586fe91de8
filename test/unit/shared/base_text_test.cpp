#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "shared/base/http_text.hpp"
#include "shared/base/text.hpp"

using namespace shared;

TEST_CASE("blanks and tabs go at both ends, and nothing else goes") {
    CHECK(trim(" \t a b\t ") == "a b");
    CHECK(trim("a") == "a");
    CHECK(trim(" \t ").empty());
    CHECK(trim("").empty());
    CHECK(trim("\na\r") == "\na\r");
}

TEST_CASE("letters change case in US-ASCII only") {
    CHECK(lower_case("@AMZ[`az{\xC3\x84") == "@amz[`az{\xC3\x84");
    CHECK(upper_case("@AZ[`amz{\xC3\xA4") == "@AZ[`AMZ{\xC3\xA4");
    CHECK(equals_ignoring_case("Text/CSV", "tEXT/csv"));
    CHECK(equals_ignoring_case("", ""));
    CHECK_FALSE(equals_ignoring_case("text", "texts"));
    CHECK_FALSE(equals_ignoring_case("texts", "text"));
    CHECK_FALSE(equals_ignoring_case("[", "{"));
    CHECK_FALSE(equals_ignoring_case("@", "`"));
}

TEST_CASE("control characters are C0 and DEL") {
    for (int value = 0; value < 256; ++value) {
        INFO(value);
        CHECK(is_control(static_cast<char>(value)) == (value < 0x20 || value == 0x7F));
    }
}

TEST_CASE("each hex digit has its value, and no other byte has one") {
    static constexpr std::string_view kLower = "0123456789abcdef";
    static constexpr std::string_view kUpper = "0123456789ABCDEF";
    for (int value = 0; value < 256; ++value) {
        const auto c = static_cast<char>(value);
        const auto at = std::min(kLower.find(c), kUpper.find(c));
        INFO(value);
        CHECK(hex_value(c) == (at == std::string_view::npos ? -1 : static_cast<int>(at)));
    }
}

TEST_CASE("a number is the whole text and fits its type") {
    CHECK(parse_number<int>("0") == 0);
    CHECK(parse_number<int>("-12") == -12);
    CHECK(parse_number<std::uint16_t>("65535") == 65535);
    CHECK(parse_number<std::int64_t>("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
    CHECK(parse_number<std::uint64_t>("ff", 16) == 255U);
    for (const char* bad : {"", " 1", "1 ", "+1", "1x", "0x1", "1.0", "-", "65536"}) {
        INFO(bad);
        CHECK_FALSE(parse_number<std::uint16_t>(bad).has_value());
    }
    CHECK_FALSE(parse_number<std::uint16_t>("-1").has_value());
    CHECK_FALSE(parse_number<std::int64_t>("9223372036854775808").has_value());
}

TEST_CASE("UTF-8 is well formed at the edges of each row of Unicode's table 3-7") {
    const std::string_view good[] = {"",
                                     "a",
                                     "\x7F",
                                     "\xC2\x80",
                                     "\xDF\xBF",
                                     "\xE0\xA0\x80",
                                     "\xEC\xBF\xBF",
                                     "\xED\x9F\xBF",
                                     "\xEE\x80\x80",
                                     "\xEF\xBF\xBF",
                                     "\xF0\x90\x80\x80",
                                     "\xF3\xBF\xBF\xBF",
                                     "\xF4\x8F\xBF\xBF"};
    for (const auto text : good) {
        INFO(text);
        CHECK(utf8_length(text) == text.size());
        CHECK(valid_utf8(text));
        // A sequence that is cut short is none.
        if (text.size() > 1) CHECK(utf8_length(text.substr(0, text.size() - 1)) == 0);
        if (text.size() > 1) CHECK_FALSE(valid_utf8("a" + std::string(text.substr(0, text.size() - 1))));
    }
    for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2\x7F", "\xC2\xC0", "\xE0\x9F\xBF",
                            "\xE1\x80\xC0", "\xED\xA0\x80", "\xEF\xBF\x7F", "\xF0\x8F\xBF\xBF",
                            "\xF1\x80\x80\x7F", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
        INFO(bad);
        CHECK(utf8_length(bad) == 0);
        CHECK_FALSE(valid_utf8(bad));
    }
    CHECK(utf8_length("\xC3\xA4xyz") == 2);
}

TEST_CASE("FNV-1a gives its authors' values") {
    CHECK(fnv1a("") == 0xCBF29CE484222325);
    CHECK(fnv1a("a") == 0xAF63DC4C8601EC8C);
    CHECK(fnv1a("foobar") == 0x85944171F73967E8);
}

TEST_CASE("a status has RFC 9110's phrase, an unknown one none") {
    CHECK(reason_phrase(200) == "OK");
    CHECK(reason_phrase(412) == "Precondition Failed");
    CHECK(reason_phrase(413) == "Content Too Large");
    CHECK(reason_phrase(422) == "Unprocessable Content");
    CHECK(reason_phrase(299).empty());
}

TEST_CASE("a date of HTTP is an IMF-fixdate, and the string it goes into is used again") {
    std::string date = "something longer than a date, which has to go without a trace";
    set_http_date(date, 784111777);
    CHECK(date == "Sun, 06 Nov 1994 08:49:37 GMT");
    set_http_date(date, 0);
    CHECK(date == "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST_CASE("percent encoding leaves the unreserved characters and no others") {
    CHECK(percent_encode("azAZ09-._~") == "azAZ09-._~");
    CHECK(percent_encode(std::string_view("\0 /?&=+%\xFF", 9)) == "%00%20%2F%3F%26%3D%2B%25%FF");
}
