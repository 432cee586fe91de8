#include "shared/jwt/json_scan.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "shared/base/text.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace shared::jwt {
namespace {

#ifndef __SSE2__
constexpr std::uint8_t kPlain = 0;
constexpr std::uint8_t kSpecial = 1;  // quote, backslash, control byte (the final zero too), start of UTF-8

constexpr auto kStringClass = [] {
    std::array<std::uint8_t, 256> table{};
    for (std::size_t i = 0; i < 256; ++i)
        table[i] = (i < 0x20 || i >= 0x80 || i == '"' || i == '\\') ? kSpecial : kPlain;
    return table;
}();
#endif

// First byte from `p` on that is special in a string. There always is one: the final zero.
inline char* skip_plain(char* p) {
#ifdef __SSE2__
    for (;; p += 16) {
        const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        // As signed bytes everything from 0x80 on is below 0x20 too.
        const __m128i special = _mm_or_si128(_mm_cmplt_epi8(chunk, _mm_set1_epi8(0x20)),
                                             _mm_or_si128(_mm_cmpeq_epi8(chunk, _mm_set1_epi8('"')),
                                                          _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\'))));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
        if (mask != 0) return p + std::countr_zero(mask);
    }
#else
    while (kStringClass[static_cast<unsigned char>(*p)] == kPlain) ++p;
    return p;
#endif
}

unsigned char byte(const char* p) {
    return static_cast<unsigned char>(*p);
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_continuation(const char* p) {
    return (byte(p) & 0xC0) == 0x80;
}

char* put_utf8(char* out, std::uint32_t code) {
    if (code < 0x80) {
        *out++ = static_cast<char>(code);
    } else if (code < 0x800) {
        *out++ = static_cast<char>(0xC0 | (code >> 6));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = static_cast<char>(0xE0 | (code >> 12));
        *out++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    } else {
        *out++ = static_cast<char>(0xF0 | (code >> 18));
        *out++ = static_cast<char>(0x80 | ((code >> 12) & 0x3F));
        *out++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    }
    return out;
}

// The zero byte behind the text ends every loop, so no step needs a bounds check of its own.
//
// Each step takes the place to read at and returns the place behind what it read, nullptr if that is not
// there. A member instead would be stored and loaded again at every step, because what is unescaped is
// written through a char*, which may point anywhere: that was half of the scanner's time.
class Scanner {
  public:
    explicit Scanner(std::span<JsonNode> nodes) : nodes_(nodes) {}

    std::size_t run(char* p, const char* end) {
        p = skip_space(p);
        if (*p != '{') return 0;
        p = value(p, {}, 0, 1);
        return p != nullptr && skip_space(p) == end ? used_ : 0;
    }

  private:
    static char* skip_space(char* p) {
        while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r') ++p;
        return p;
    }

    // `name_head` is pack_name(name).
    char* value(char* p, std::string_view name, std::uint32_t name_head, int depth) {
        if (used_ == nodes_.size()) return nullptr;
        const auto index = used_++;
        auto& node = nodes_[index];
        node.name_data = name.data();
        node.name_size = static_cast<std::uint32_t>(name.size());
        node.name_head = name_head;
        node.text_data = nullptr;
        node.text_size = 0;
        node.end = static_cast<std::uint32_t>(used_);
        switch (*p) {
            case '"': {
                std::string_view text;
                node.kind = JsonKind::string;
                p = string(p, text);
                set_text(node, text);
                return p;
            }
            case '{':
                node.kind = JsonKind::object;
                p = depth <= kMaxDepth ? object(p, index, depth) : nullptr;
                break;
            case '[':
                node.kind = JsonKind::array;
                p = depth <= kMaxDepth ? array(p, depth) : nullptr;
                break;
            case 't':
                node.kind = JsonKind::boolean;
                return word(p, node, "true");
            case 'f':
                node.kind = JsonKind::boolean;
                return word(p, node, "false");
            case 'n':
                node.kind = JsonKind::null;
                p = word(p, node, "null");
                node.text_size = 0;
                return p;
            default:
                node.kind = JsonKind::number;
                return number(p, node);
        }
        node.end = static_cast<std::uint32_t>(used_);
        return p;
    }

    static void set_text(JsonNode& node, std::string_view text) {
        node.text_data = text.data();
        node.text_size = static_cast<std::uint32_t>(text.size());
    }

    static char* word(char* p, JsonNode& node, std::string_view expected) {
        for (std::size_t i = 0; i < expected.size(); ++i)
            if (p[i] != expected[i]) return nullptr;  // stops at the final zero byte
        set_text(node, {p, expected.size()});
        return p + expected.size();
    }

    static char* number(char* p, JsonNode& node) {
        const char* start = p;
        if (*p == '-') ++p;
        if (*p == '0')
            ++p;
        else if ((p = digits(p)) == nullptr)
            return nullptr;
        if (*p == '.' && (p = digits(p + 1)) == nullptr) return nullptr;
        if (*p == 'e' || *p == 'E') {
            ++p;
            if (*p == '+' || *p == '-') ++p;
            if ((p = digits(p)) == nullptr) return nullptr;
        }
        set_text(node, {start, static_cast<std::size_t>(p - start)});
        return p;
    }

    static char* digits(char* p) {
        if (!is_digit(*p)) return nullptr;
        while (is_digit(*p)) ++p;
        return p;
    }

    char* object(char* p, std::size_t index, int depth) {
        std::uint64_t names = 0;  // a bit for each name so far
        p = skip_space(p + 1);
        if (*p == '}') return p + 1;
        for (std::size_t count = 1;; ++count) {
            if (*p != '"' || count > kMaxMembers) return nullptr;
            std::string_view name;
            if ((p = string(p, name)) == nullptr) return nullptr;
            const auto head = packed_name(name);
            const auto bit = std::uint64_t{1} << ((head * 0x9E3779B1U) >> 26);
            if ((names & bit) != 0 && duplicate(index, name, head)) return nullptr;
            names |= bit;
            p = skip_space(p);
            if (*p != ':') return nullptr;
            if ((p = value(skip_space(p + 1), name, head, depth + 1)) == nullptr) return nullptr;
            p = skip_space(p);
            if (*p == '}') return p + 1;
            if (*p != ',') return nullptr;
            p = skip_space(p + 1);
        }
    }

    // pack_name() of a name in the text, where four bytes can always be read.
    static std::uint32_t packed_name(std::string_view name) {
        if (name.size() < 3 || name.size() > 255) return pack_name(name);
        std::uint32_t head = 0;
        std::memcpy(&head, name.data(), sizeof head);
        return (static_cast<std::uint32_t>(name.size()) << 24) | (__builtin_bswap32(head) >> 8);
    }

    bool duplicate(std::size_t object, std::string_view name, std::uint32_t head) const {
        for (auto i = object + 1; i < used_; i = nodes_[i].end)
            if (nodes_[i].name_head == head && nodes_[i].name() == name) return true;
        return false;
    }

    char* array(char* p, int depth) {
        p = skip_space(p + 1);
        if (*p == ']') return p + 1;
        for (;;) {
            if ((p = value(p, {}, 0, depth + 1)) == nullptr) return nullptr;
            p = skip_space(p);
            if (*p == ']') return p + 1;
            if (*p != ',') return nullptr;
            p = skip_space(p + 1);
        }
    }

    static char* string(char* p, std::string_view& text) {
        char* const start = p + 1;
        p = skip_plain(start);
        char* end = p;
        if (*p != '"' && (p = rest_of_string(p, end)) == nullptr) return nullptr;
        text = {start, static_cast<std::size_t>(end - start)};
        return p + 1;
    }

    // From the first byte on that is not plain, to the quotation mark. Unescaping never makes a string
    // longer, so it is done where it stands; `out` is the end of the unescaped text.
    static char* rest_of_string(char* p, char*& out) {
        for (;;) {
            if (*p == '"') return p;
            if (*p == '\\') {
                if ((p = escape(p + 1, out)) == nullptr) return nullptr;
            } else if (byte(p) >= 0x80) {
                const int length = utf8_sequence(p);
                if (length == 0) return nullptr;
                for (int i = 0; i < length; ++i) *out++ = *p++;
            } else if (byte(p) < 0x20) {
                return nullptr;  // a control byte, or the end of the text
            } else {
                *out++ = *p++;
            }
        }
    }

    // `p` is behind the backslash.
    static char* escape(char* p, char*& out) {
        const char c = *p++;
        switch (c) {
            case '"':
            case '\\':
            case '/':
                *out++ = c;
                return p;
            case 'b':
                *out++ = '\b';
                return p;
            case 'f':
                *out++ = '\f';
                return p;
            case 'n':
                *out++ = '\n';
                return p;
            case 'r':
                *out++ = '\r';
                return p;
            case 't':
                *out++ = '\t';
                return p;
            case 'u':
                break;
            default:
                return nullptr;  // the final zero byte too
        }
        std::uint32_t code = 0;
        if ((p = hex4(p, code)) == nullptr) return nullptr;
        if (code >= 0xDC00 && code <= 0xDFFF) return nullptr;  // second half without a first
        if (code >= 0xD800 && code <= 0xDBFF) {
            std::uint32_t low = 0;
            if (p[0] != '\\' || p[1] != 'u') return nullptr;
            if ((p = hex4(p + 2, low)) == nullptr || low < 0xDC00 || low > 0xDFFF) return nullptr;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        out = put_utf8(out, code);
        return p;
    }

    static char* hex4(char* p, std::uint32_t& code) {
        for (int i = 0; i < 4; ++i, ++p) {
            const int digit = hex_value(*p);
            if (digit < 0) return nullptr;
            code = (code << 4) | static_cast<std::uint32_t>(digit);
        }
        return p;
    }

    std::span<JsonNode> nodes_;
    std::size_t used_ = 0;
};

}  // namespace

int utf8_sequence(const char* p) {
    const auto first = byte(p);
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;  // a continuation byte, or an overlong form
    if (first < 0xE0) return is_continuation(p + 1) ? 2 : 0;
    if (first < 0xF0) {
        if (!is_continuation(p + 1) || !is_continuation(p + 2)) return 0;
        if (first == 0xE0 && byte(p + 1) < 0xA0) return 0;   // overlong
        if (first == 0xED && byte(p + 1) >= 0xA0) return 0;  // a surrogate
        return 3;
    }
    if (first > 0xF4) return 0;
    if (!is_continuation(p + 1) || !is_continuation(p + 2) || !is_continuation(p + 3)) return 0;
    if (first == 0xF0 && byte(p + 1) < 0x90) return 0;   // overlong
    if (first == 0xF4 && byte(p + 1) >= 0x90) return 0;  // above U+10FFFF
    return 4;
}

std::span<const JsonNode> scan_object(char* begin, char* end, std::span<JsonNode> nodes) {
    *end = '\0';
    Scanner scanner(nodes);
    return nodes.first(scanner.run(begin, end));
}

const JsonNode* find_member(std::span<const JsonNode> nodes, std::size_t object, std::string_view name) {
    for (std::size_t i = object + 1; i < nodes[object].end; i = nodes[i].end)
        if (nodes[i].name() == name) return &nodes[i];
    return nullptr;
}

}  // namespace shared::jwt
