// Small things done with text, once for all: blanks, letters, numbers, UTF-8, a hash that never changes.
//
// Three places keep versions of their own because they do less or see less than a whole text: the readers of
// gateway/wire look at sixteen bytes at a time, gateway/wire/path.cpp is fed UTF-8 byte by byte while it
// decodes, and shared/jwt/json_scan.cpp stops at a zero byte and knows no end.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shared {

// Without the blanks and tabs at both ends (OWS, RFC 9110 section 5.6.3).
constexpr std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// US-ASCII letters only, whatever the locale says; all other bytes stay.
constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
std::string lower_case(std::string text);
std::string upper_case(std::string text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

// C0 and DEL: what no text that is kept or shown may hold.
constexpr bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
}

// 0 to 15; -1: no hex digit.
constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The whole text as an integer that T can hold: no blanks, no '+', '-' only where T has a sign.
template <class T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
    T value{};
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value, base);
    if (error != std::errc() || rest != end) return std::nullopt;
    return value;
}

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF), 1 to 4; 0 if there is none. Inline: the access log asks for each
// character.
constexpr std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
    if (text.empty()) return 0;
    const unsigned char c = byte(0);
    if (c < 0x80) return 1;
    if (c >= 0xC2 && c <= 0xDF) return follows(1) ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        if (!follows(1) || !follows(2)) return 0;
        if ((c == 0xE0 && byte(1) < 0xA0) || (c == 0xED && byte(1) > 0x9F)) return 0;
        return 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (!follows(1) || !follows(2) || !follows(3)) return 0;
        if ((c == 0xF0 && byte(1) < 0x90) || (c == 0xF4 && byte(1) > 0x8F)) return 0;
        return 4;
    }
    return 0;
}
bool valid_utf8(std::string_view text);

// FNV-1a, 64 bits (Fowler, Noll, Vo). The same in every process and release, which std::hash does not
// promise, and no protection against texts that are made to collide.
inline constexpr std::uint64_t kFnvStart = 0xCBF29CE484222325;
constexpr std::uint64_t fnv1a_step(std::uint64_t hash, char c) {
    return (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
}
constexpr std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = kFnvStart;
    for (const char c : text) hash = fnv1a_step(hash, c);
    return hash;
}

}  // namespace shared
