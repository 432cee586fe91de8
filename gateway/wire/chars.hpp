// Character classes of RFC 9110 and RFC 3986 as one table: a bit for each class.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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

// First byte that may not stand in a header value: 0x00..0x1F except tab, 0x7F. Returns `end` if there is
// none. Sixteen bytes a step where the machine has SSE2 (all x86-64): values are most of a head.
inline const char* find_control(const char* p, const char* end) {
#if defined(__SSE2__)
    const __m128i limit = _mm_set1_epi8(0x1F);
    const __m128i tab = _mm_set1_epi8('\t');
    const __m128i del = _mm_set1_epi8(0x7F);
    while (end - p >= 16) {
        const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, limit), block);  // unsigned block <= 0x1F
        const __m128i bad =
            _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(block, tab), low), _mm_cmpeq_epi8(block, del));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(bad));
        if (mask != 0) return p + __builtin_ctz(mask);
        p += 16;
    }
#endif
    for (; p != end; ++p) {
        const auto byte = static_cast<unsigned char>(*p);
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F) return p;
    }
    return end;
}

}  // namespace gateway::wire::chars
