// What looks at sixteen bytes at a time must say the same as what looks at one, for every length and place,
// and must not read beyond its text (each text is a heap block of its own, so that a sanitizer would see it).
#include "gateway/wire/chars.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "gateway/wire/header_name.hpp"
#include "gateway/wire/output.hpp"

namespace gateway::wire {

namespace {

constexpr std::size_t kLongest = 50;

class Block {
  public:
    Block(std::size_t size, char fill) : size_(size), bytes_(new char[size]) {
        std::fill_n(bytes_.get(), size, fill);
    }
    char& operator[](std::size_t i) { return bytes_[i]; }
    const char* begin() const { return bytes_.get(); }
    const char* end() const { return bytes_.get() + size_; }
    std::string_view view() const { return {bytes_.get(), size_}; }

  private:
    std::size_t size_;
    std::unique_ptr<char[]> bytes_;
};

// Calls check(block, place, byte) for every length, place and byte.
template <class Check>
void for_every_byte(char fill, Check check) {
    for (std::size_t size = 1; size <= kLongest; ++size) {
        for (std::size_t place = 0; place < size; ++place) {
            Block block(size, fill);
            for (int byte = 0; byte < 256; ++byte) {
                block[place] = static_cast<char>(byte);
                if (!check(block, place, static_cast<char>(byte))) {
                    CAPTURE(size, place, byte);
                    FAIL();
                }
            }
        }
    }
}

}  // namespace

TEST_CASE("control bytes are found wherever they stand") {
    for (const char fill : {'a', '\t', '\x80', '\xff'}) {
        for_every_byte(fill, [](const Block& block, std::size_t place, char byte) {
            const auto value = static_cast<unsigned char>(byte);
            const bool bad = (value < 0x20 && value != 0x09) || value == 0x7F;
            return chars::find_control(block.begin(), block.end()) ==
                       (bad ? block.begin() + place : block.end()) &&
                   chars::has_control(block.view()) == bad && valid_header_value(block.view()) == !bad;
        });
    }
    CHECK_FALSE(chars::has_control(""));
    // the first of several
    const std::string two = std::string(20, 'a') + "\n" + std::string(20, 'b') + "\r";
    CHECK(chars::find_control(two.data(), two.data() + two.size()) == two.data() + 20);
}

TEST_CASE("bytes that no target may hold are found wherever they stand") {
    for_every_byte('/', [](const Block& block, std::size_t place, char byte) {
        const auto value = static_cast<unsigned char>(byte);
        const bool visible = value >= 0x21 && value <= 0x7E;
        return chars::find_invisible(block.begin(), block.end()) ==
               (visible ? block.end() : block.begin() + place);
    });
}

TEST_CASE("the end of a token is found wherever it stands, and what it is made of") {
    for_every_byte('a', [](const Block& block, std::size_t place, char byte) {
        std::uint8_t seen = 0;
        const char* found = chars::find_other(block.begin(), block.end(), chars::kToken, seen);
        const bool token = chars::is(byte, chars::kToken);
        if (found != (token ? block.end() : block.begin() + place)) return false;
        // what comes behind the end has not been seen
        return ((seen & chars::kUnderscore) != 0) == (byte == '_') &&
               ((seen & chars::kDigit) != 0) == (byte >= '0' && byte <= '9');
    });
}

TEST_CASE("names are compared without regard to case, and to nothing else") {
    for_every_byte('k', [](const Block& block, std::size_t place, char byte) {
        std::string lower(block.view());
        lower[place] = 'k';
        const bool same = byte == 'k' || byte == 'K';
        if (equals_lower(block.view(), lower) != same) return false;
        // '-' and CR, digits and control bytes, '[' and '{' differ in the same bit as a letter's cases
        lower[place] = static_cast<char>(byte | 0x20);
        const bool letter = (byte >= 'A' && byte <= 'Z') || byte == lower[place];
        return equals_lower(block.view(), lower) == letter;
    });
    CHECK(equals_lower("", ""));
    CHECK_FALSE(equals_lower("a", "ab"));
    CHECK(classify("CONTENT-length") == Header::content_length);
    CHECK(classify("content\rlength") == Header::other);
    CHECK(classify("Access-Control-Request-Headers") == Header::access_control_request_headers);
    CHECK(classify("X-Forwarded-Anything-At-All-Of-Any-Length") == Header::x_forwarded_other);
    CHECK(classify("X-User-Id") == Header::x_user);
}

}  // namespace gateway::wire
