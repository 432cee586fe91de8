// Character classes of RFC 9110 and RFC 3986 as one table: a bit for each class.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gateway::wire::chars {

inline constexpr std::uint8_t kToken = 1;  // tchar
inline constexpr std::uint8_t kPath = 2;   // pchar without '%', and '/'
inline constexpr std::uint8_t kQuery = 4;  // pchar without '%', '/', '?', '[' and ']'
inline constexpr std::uint8_t kUnreserved = 8;
inline constexpr std::uint8_t kHost = 16;  // letters, digits, '.', '-', '_'
inline constexpr std::uint8_t kDigit = 32;
inline constexpr std::uint8_t kHex = 64;
inline constexpr std::uint8_t kUnderscore = 128;

inline constexpr std::array<std::uint8_t, 256> kClasses = [] {
    std::array<std::uint8_t, 256> table{};
    const auto set = [&table](std::string_view members, std::uint8_t bit) {
        for (const char c : members) {
            auto& entry = table[static_cast<unsigned char>(c)];
            entry = static_cast<std::uint8_t>(entry | bit);
        }
    };
    constexpr std::string_view kAlnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    set(kAlnum, kToken | kPath | kQuery | kUnreserved | kHost);
    set("!#$%&'*+-.^_`|~", kToken);
    set("-._~!$&'()*+,;=:@/", kPath | kQuery);
    set("?[]", kQuery);
    set("-._~", kUnreserved);
    set(".-_", kHost);
    set("0123456789", kDigit | kHex);
    set("abcdefABCDEF", kHex);
    set("_", kUnderscore);
    return table;
}();

inline bool is(char c, std::uint8_t classes) {
    return (kClasses[static_cast<unsigned char>(c)] & classes) != 0;
}

inline int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

inline char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// May not stand in a header value: 0x00..0x1F except tab, 0x7F.
inline bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7F;
}

// Visible US-ASCII: 0x21..0x7E.
inline bool is_visible(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7F;
}

// Where the machine has SSE2 (all x86-64) sixteen bytes are looked at in one step: most of a head is values.
#if defined(__SSE2__)

inline __m128i load(const char* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

// `size` bytes, 4 to 16, in one register. Those in the middle may come twice and then at the same places for
// all texts of this size; nothing beyond the text is read.
inline __m128i load_short(const char* p, std::size_t size) {
    if (size >= 8) {
        long long first = 0;
        long long last = 0;
        std::memcpy(&first, p, 8);
        std::memcpy(&last, p + size - 8, 8);
        return _mm_set_epi64x(last, first);
    }
    int first = 0;
    int last = 0;
    std::memcpy(&first, p, 4);
    std::memcpy(&last, p + size - 4, 4);
    return _mm_set_epi32(last, first, last, first);
}

// A bit for each control byte.
inline unsigned control_mask(__m128i block) {
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);  // <= 0x1F
    const __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7F));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del)));
}

// Bytes from 0x80 on are negative here, and below both limits.
inline __m128i between(__m128i block, char above, char below) {
    return _mm_and_si128(_mm_cmpgt_epi8(block, _mm_set1_epi8(above)),
                         _mm_cmplt_epi8(block, _mm_set1_epi8(below)));
}

inline __m128i lowered(__m128i block) {
    return _mm_or_si128(block, _mm_and_si128(between(block, 'A' - 1, 'Z' + 1), _mm_set1_epi8(0x20)));
}

inline bool same(__m128i a, __m128i b) {
    return _mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) == 0xFFFF;
}

#endif

// First control byte; `end` if there is none.
inline const char* find_control(const char* p, const char* end) {
#if defined(__SSE2__)
    for (; end - p >= 16; p += 16)
        if (const unsigned mask = control_mask(load(p)); mask != 0) return p + __builtin_ctz(mask);
#endif
    while (p != end && !is_control(*p)) ++p;
    return p;
}

// The same as a question, for texts that end where they are checked.
inline bool has_control(std::string_view text) {
#if defined(__SSE2__)
    const char* p = text.data();
    std::size_t left = text.size();
    for (; left > 16; p += 16, left -= 16)
        if (control_mask(load(p)) != 0) return true;
    if (left >= 4) return control_mask(load_short(p, left)) != 0;
    for (; left != 0; ++p, --left)
        if (is_control(*p)) return true;
    return false;
#else
    return find_control(text.data(), text.data() + text.size()) != text.data() + text.size();
#endif
}

// First byte that is not visible US-ASCII; `end` if there is none.
inline const char* find_invisible(const char* p, const char* end) {
#if defined(__SSE2__)
    for (; end - p >= 16; p += 16) {
        const int visible = _mm_movemask_epi8(between(load(p), 0x20, 0x7F));
        if (visible != 0xFFFF) return p + __builtin_ctz(~static_cast<unsigned>(visible));
    }
#endif
    while (p != end && is_visible(*p)) ++p;
    return p;
}

// First byte that is not of this one class; `end` if there is none. `seen`: all classes of those before it.
inline const char* find_other(const char* p, const char* end, std::uint8_t one_class, std::uint8_t& seen) {
    const auto classes = [](char c) { return kClasses[static_cast<unsigned char>(c)]; };
    unsigned found = 0;
    for (; end - p >= 4; p += 4) {
        const unsigned a = classes(p[0]);
        const unsigned b = classes(p[1]);
        const unsigned c = classes(p[2]);
        const unsigned d = classes(p[3]);
        if ((a & b & c & d & one_class) == 0) break;
        found |= a | b | c | d;
    }
    for (; p != end && is(*p, one_class); ++p) found |= classes(*p);
    seen = static_cast<std::uint8_t>(found);
    return p;
}

}  // namespace gateway::wire::chars
