#include "shared/json/json.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <random>

using namespace shared;

TEST_CASE("no spelling of a number crashes the reader or changes the number") {
    const auto value = [](const std::string& number) -> std::optional<double> {
        const auto document = shared::json::parse("[" + number + "]");
        if (!document) return std::nullopt;
        return (*document)[0].GetDouble();
    };
    // RapidJSON 1.1.0 made 7.66e53 and the like of some of these.
    for (const auto* zero :
         {"0", "-0", "0.0", "-0.00", "0e0", "0.000000e+00", "0e-22", "0e-23", "-0e-23", "0e23", "0e100",
          "0.00000000000000000000000", "0.0e-22", "0e-324", "0e-99999999999"}) {
        INFO(zero);
        REQUIRE(value(zero).has_value());
        CHECK(std::fpclassify(*value(zero)) == FP_ZERO);
    }
    // It read beyond its table of powers for the first and crashed.
    for (const auto* tiny : {"6262222.52424222222242453e-337", "1.5e-400", "123456789012345678901e-345",
                             "1e-99999999999", "-9999999999999999999999e-346"}) {
        INFO(tiny);
        REQUIRE(value(tiny).has_value());
        CHECK(std::abs(*value(tiny)) < 1e-300);
    }
    for (const auto& [text, expected] :
         std::vector<std::pair<std::string, double>>{{"3.50", 3.5},
                                                     {"0.1", 0.1},
                                                     {"3.67", 3.67},
                                                     {"-99.99", -99.99},
                                                     {"100", 100},
                                                     {"1700000600.25", 1700000600.25},
                                                     {"123456.789012345", 123456.789012345}}) {
        INFO(text);
        CHECK(value(text) == expected);
    }
    for (const auto& [text, expected] : std::vector<std::pair<std::string, double>>{
             {"1e-23", 1e-23},
             {"-0.00000000000000000000000000001", -1e-29},
             {"123456789012345678901234567890", 123456789012345678901234567890.0}}) {
        INFO(text);
        CHECK(*value(text) == Approx(expected).epsilon(1e-15));
    }
    for (const auto* huge : {"1e999", "1e309", "-1e400", "1e99999999999"})
        CHECK_FALSE(value(huge).has_value());
}

TEST_CASE("the JSON reader is strict") {
    struct Row {
        std::string text;
        json::Errc error;
    };
    const Row rows[] = {
        {"", json::Errc::malformed},
        {"{", json::Errc::malformed},
        {"{} x", json::Errc::malformed},
        {"{\"a\":1,}", json::Errc::malformed},
        {"{'a':1}", json::Errc::malformed},
        {"{\"a\":NaN}", json::Errc::malformed},
        {"{\"a\":1e999}", json::Errc::malformed},
        {"// c\n{}", json::Errc::malformed},
        {std::string("{}\0", 3), json::Errc::malformed},
        {"{\"a\":\"\xFF\"}", json::Errc::not_utf8},
        {"{\"a\":\"\xED\xA0\x80\"}", json::Errc::not_utf8},  // a surrogate
        {"{\"a\":\"\xC0\xAF\"}", json::Errc::not_utf8},      // overlong
        {"{\"a\":\"\\ud800\"}", json::Errc::malformed},
        {"{\"a\":\"\\udc00\"}", json::Errc::not_utf8},
        {"{\"a\":1,\"a\":2}", json::Errc::duplicate_member},
        {"{\"a\":1,\"\\u0061\":2}", json::Errc::duplicate_member},
        {"[{\"b\":{\"a\":1,\"a\":2}}]", json::Errc::duplicate_member},
        {std::string(17, '[') + std::string(17, ']'), json::Errc::too_deep},
        {std::string(1000000, '['), json::Errc::too_deep},
    };
    for (const auto& row : rows) {
        INFO(row.text.substr(0, 60));
        const auto parsed = json::parse(row.text);
        REQUIRE(parsed.has_error());
        CHECK(parsed.error() == row.error);
    }
    CHECK(json::parse(std::string(16, '[') + std::string(16, ']')).has_value());
    CHECK(json::parse(" {\"nama\":\"Siti Nurhaliza \xF0\x9F\x8E\x93\"} ").has_value());
}

namespace {

constexpr std::uint64_t kMul = 0xC6A4A7935BD1E995;  // MurmurHash2, which std::hash of libstdc++ is made of
std::uint64_t mix(std::uint64_t value) {
    return value ^ (value >> 47);
}

// Names of 16 US-ASCII characters; `alike`: all with the same std::hash, since the last eight take back what
// comes out of the first eight.
std::vector<std::string> names(std::size_t count, bool alike) {
    std::uint64_t inverse = 1;
    for (int i = 0; i < 6; ++i) inverse *= 2 - kMul * inverse;
    const std::uint64_t start = 0xC70F6907 ^ (16 * kMul);
    std::mt19937_64 random(1);
    std::vector<std::string> all;
    while (all.size() < count) {
        const auto first = random() & 0x7F7F7F7F7F7F7F7F;
        const auto other = random() & 0x7F7F7F7F7F7F7F7F;
        const auto last = alike ? mix(start ^ (mix(first * kMul) * kMul)) * inverse : other;
        if ((last & 0x8080808080808080) != 0) continue;
        std::string name(16, '\0');
        std::memcpy(name.data(), &first, 8);
        std::memcpy(name.data() + 8, &last, 8);
        all.push_back(std::move(name));
    }
    return all;
}

// Seconds that it takes to read an object with these members.
double time_to_read(const std::vector<std::string>& members) {
    json::Writer writer;
    writer.object([&] {
        for (const auto& name : members) writer.member(name, 1);
    });
    const auto text = writer.str();
    std::chrono::duration<double> least(1e9);
    for (int i = 0; i < 3; ++i) {
        const auto begun = std::chrono::steady_clock::now();
        REQUIRE(json::parse(text).has_value());
        least = std::min<std::chrono::duration<double>>(least, std::chrono::steady_clock::now() - begun);
    }
    return least.count();
}

}  // namespace

TEST_CASE("members whose names have one hash cost no more than others") {
    const auto alike = names(8000, true);
    CHECK(std::hash<std::string>{}(alike.front()) == std::hash<std::string>{}(alike.back()));
    CHECK(time_to_read(alike) < 5 * time_to_read(names(8000, false)));
}

TEST_CASE("an object reader collects every problem with its pointer") {
    const auto document = json::parse(R"({"username":5,"email":"","extra":1,"a/b":"x","n":"7"})");
    REQUIRE(document.has_value());
    std::vector<json::FieldError> errors;
    json::ObjectReader in(*document, errors);
    in.required_text("username");
    in.required_text("email");
    in.required_text("password");
    in.required_integer("n", 0, 9);
    in.finish();
    std::vector<std::string> pointers;
    for (const auto& error : errors) pointers.push_back(error.pointer);
    CHECK(pointers == std::vector<std::string>{"/username", "/email", "/password", "/n", "/extra", "/a~1b"});
}

TEST_CASE("text lengths count code points and control characters are refused") {
    const auto document =
        json::parse("{\"a\":\"\xC3\xA9\xC3\xA9\xC3\xA9\",\"b\":\"x\\u0000y\",\"c\":\"toolong\"}");
    std::vector<json::FieldError> errors;
    json::ObjectReader in(*document, errors);
    CHECK(in.required_text("a", {.max_length = 3}) == "\xC3\xA9\xC3\xA9\xC3\xA9");
    CHECK(in.required_text("b").empty());
    CHECK(in.required_text("c", {.max_length = 3}).empty());
    CHECK(errors.size() == 2);
}

TEST_CASE("text is refused below its least length and with DEL in it") {
    const auto document = json::parse(
        "{\"two\":\"\xC3\xA9\xC3\xA9\",\"three\":\"abc\",\"del\":\"a\x7F\",\"unit\":\"a\\u001f\"}");
    REQUIRE(document.has_value());
    const json::TextRule rule{.min_length = 3};
    const auto read = [&](const char* key, json::TextRule with) {
        std::vector<json::FieldError> errors;
        json::ObjectReader in(*document, errors);
        const auto text = in.optional_text(key, with);
        CHECK(errors.size() == (text ? 0U : 1U));
        return text;
    };
    CHECK(read("two", rule) == std::nullopt);
    CHECK(read("three", rule) == "abc");
    CHECK(read("del", {}) == std::nullopt);
    CHECK(read("unit", {}) == std::nullopt);
    json::TextRule free_text;
    free_text.allow_control = true;
    CHECK(read("del", free_text) == "a\x7F");
}

TEST_CASE("the limits of an integer belong to it") {
    const auto document = json::parse(R"({"low":-3,"high":7,"below":-4,"above":8})");
    REQUIRE(document.has_value());
    const auto read = [&](const char* key) {
        std::vector<json::FieldError> errors;
        json::ObjectReader in(*document, errors);
        const auto number = in.optional_integer(key, -3, 7);
        CHECK(errors.size() == (number ? 0U : 1U));
        CHECK(in.required_integer(key, -3, 7) == number.value_or(0));
        return number;
    };
    CHECK(read("low") == -3);
    CHECK(read("high") == 7);
    CHECK(read("below") == std::nullopt);
    CHECK(read("above") == std::nullopt);
}

TEST_CASE("hundredths have at most two decimals and keep to their limits") {
    const auto read = [](const std::string& number) {
        const auto document = json::parse("{\"n\":" + number + "}");
        REQUIRE(document.has_value());
        std::vector<json::FieldError> errors;
        json::ObjectReader in(*document, errors);
        const auto value = in.optional_hundredths("n", -100, 400);
        INFO(number);
        CHECK(errors.size() == (value ? 0U : 1U));
        return value;
    };
    CHECK(read("3.75") == 375);
    CHECK(read("0.07") == 7);
    CHECK(read("0.29") == 29);  // 28.999999999999996 in doubles
    CHECK(read("4") == 400);
    CHECK(read("4.00") == 400);
    CHECK(read("-1") == -100);
    for (const char* wrong :
         {"4.01", "-1.01", "3.001", "3.999", "0.005", "3.0001", "1e300", "\"3\"", "null", "true"})
        CHECK(read(wrong) == std::nullopt);
}

TEST_CASE("what is no object is one error, not a crash") {
    for (const char* text : {"[]", "null", "5", "\"x\"", "true"}) {
        const auto document = json::parse(text);
        std::vector<json::FieldError> errors;
        json::ObjectReader in(*document, errors);
        CHECK(in.required_text("username").empty());
        CHECK(in.optional_integer("n", 0, 1) == std::nullopt);
        in.finish();
        CHECK(errors.size() == 1);
    }
}

TEST_CASE("null, absent and present are told apart") {
    const auto document = json::parse(R"({"a":null,"b":"x"})");
    std::vector<json::FieldError> errors;
    json::ObjectReader in(*document, errors);
    const auto a = in.nullable_text("a");
    REQUIRE(a.has_value());
    CHECK_FALSE(a->has_value());
    CHECK(in.nullable_text("b") == std::optional<std::optional<std::string>>("x"));
    CHECK_FALSE(in.nullable_text("c").has_value());
}

TEST_CASE("integers refuse fractions, text and what is out of range") {
    const auto document =
        json::parse(R"({"a":1.5,"b":"1","c":1e2,"d":99999999999999999999,"e":-1,"f":true})");
    for (const char* key : {"a", "b", "c", "d", "e", "f"}) {
        std::vector<json::FieldError> errors;
        json::ObjectReader in(*document, errors);
        in.optional_integer(key, 0, 100);
        INFO(key);
        CHECK(errors.size() == 1);
    }
}

TEST_CASE("the writer escapes and keeps exact decimals") {
    json::Writer writer;
    writer.object([&] {
        writer.member("a", "x\"\n");
        writer.key("b");
        writer.raw_number("3.50");
        writer.member("c", std::optional<std::string>{});
        writer.member_array("d", [&] { writer.value(1); });
    });
    CHECK(writer.str() == "{\"a\":\"x\\\"\\n\",\"b\":3.50,\"c\":null,\"d\":[1]}");
}
