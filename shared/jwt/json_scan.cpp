#include "shared/jwt/json_scan.hpp"

#include <array>
#include <bit>
#include <cstring>

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

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
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
class Scanner {
  public:
    Scanner(char* begin, char* end, std::span<JsonNode> nodes) : p_(begin), end_(end), nodes_(nodes) {}

    std::size_t run() {
        skip_space();
        if (*p_ != '{' || !value({}, 1)) return 0;
        skip_space();
        return p_ == end_ ? used_ : 0;
    }

  private:
    void skip_space() {
        while (*p_ == ' ' || *p_ == '\t' || *p_ == '\n' || *p_ == '\r') ++p_;
    }

    bool value(std::string_view name, int depth) {
        if (used_ == nodes_.size()) return false;
        const auto index = used_++;
        auto& node = nodes_[index];
        node.name_data = name.data();
        node.name_size = static_cast<std::uint32_t>(name.size());
        node.name_head = pack_name(name);
        node.text_data = nullptr;
        node.text_size = 0;
        bool ok = false;
        switch (*p_) {
            case '"': {
                std::string_view text;
                node.kind = JsonKind::string;
                ok = string(text);
                set_text(node, text);
                break;
            }
            case '{':
                node.kind = JsonKind::object;
                ok = depth <= kMaxDepth && object(index, depth);
                break;
            case '[':
                node.kind = JsonKind::array;
                ok = depth <= kMaxDepth && array(depth);
                break;
            case 't':
                node.kind = JsonKind::boolean;
                ok = word(node, "true");
                break;
            case 'f':
                node.kind = JsonKind::boolean;
                ok = word(node, "false");
                break;
            case 'n':
                node.kind = JsonKind::null;
                ok = word(node, "null");
                node.text_size = 0;
                break;
            default:
                node.kind = JsonKind::number;
                ok = number(node);
        }
        node.end = static_cast<std::uint32_t>(used_);
        return ok;
    }

    static void set_text(JsonNode& node, std::string_view text) {
        node.text_data = text.data();
        node.text_size = static_cast<std::uint32_t>(text.size());
    }

    bool word(JsonNode& node, std::string_view expected) {
        for (std::size_t i = 0; i < expected.size(); ++i)
            if (p_[i] != expected[i]) return false;  // stops at the final zero byte
        set_text(node, {p_, expected.size()});
        p_ += expected.size();
        return true;
    }

    bool number(JsonNode& node) {
        const char* start = p_;
        if (*p_ == '-') ++p_;
        if (*p_ == '0') {
            ++p_;
        } else {
            if (!digits()) return false;
        }
        if (*p_ == '.') {
            ++p_;
            if (!digits()) return false;
        }
        if (*p_ == 'e' || *p_ == 'E') {
            ++p_;
            if (*p_ == '+' || *p_ == '-') ++p_;
            if (!digits()) return false;
        }
        set_text(node, {start, static_cast<std::size_t>(p_ - start)});
        return true;
    }

    bool digits() {
        if (!is_digit(*p_)) return false;
        while (is_digit(*p_)) ++p_;
        return true;
    }

    bool object(std::size_t index, int depth) {
        ++p_;
        skip_space();
        if (*p_ == '}') {
            ++p_;
            return true;
        }
        for (std::size_t count = 1;; ++count) {
            if (*p_ != '"' || count > kMaxMembers) return false;
            std::string_view name;
            if (!string(name) || duplicate(index, name)) return false;
            skip_space();
            if (*p_ != ':') return false;
            ++p_;
            skip_space();
            if (!value(name, depth + 1)) return false;
            skip_space();
            if (*p_ == '}') break;
            if (*p_ != ',') return false;
            ++p_;
            skip_space();
        }
        ++p_;
        return true;
    }

    bool duplicate(std::size_t object, std::string_view name) const {
        const auto head = pack_name(name);
        for (auto i = object + 1; i < used_; i = nodes_[i].end)
            if (nodes_[i].name_head == head && nodes_[i].name() == name) return true;
        return false;
    }

    bool array(int depth) {
        ++p_;
        skip_space();
        if (*p_ == ']') {
            ++p_;
            return true;
        }
        for (;;) {
            if (!value({}, depth + 1)) return false;
            skip_space();
            if (*p_ == ']') break;
            if (*p_ != ',') return false;
            ++p_;
            skip_space();
        }
        ++p_;
        return true;
    }

    // Unescaping never makes a string longer, so it is done where it stands.
    bool string(std::string_view& text) {
        char* const start = ++p_;
        p_ = skip_plain(p_);
        char* out = p_;
        for (;;) {
            if (*p_ == '"') break;
            if (*p_ == '\\') {
                if (!escape(out)) return false;
            } else if (byte(p_) >= 0x80) {
                const int length = utf8_sequence(p_);
                if (length == 0) return false;
                for (int i = 0; i < length; ++i) *out++ = *p_++;
            } else if (byte(p_) < 0x20) {
                return false;  // a control byte, or the end of the text
            } else {
                *out++ = *p_++;
            }
        }
        text = {start, static_cast<std::size_t>(out - start)};
        ++p_;
        return true;
    }

    bool escape(char*& out) {
        ++p_;
        const char c = *p_++;
        switch (c) {
            case '"':
            case '\\':
            case '/':
                *out++ = c;
                return true;
            case 'b':
                *out++ = '\b';
                return true;
            case 'f':
                *out++ = '\f';
                return true;
            case 'n':
                *out++ = '\n';
                return true;
            case 'r':
                *out++ = '\r';
                return true;
            case 't':
                *out++ = '\t';
                return true;
            case 'u':
                break;
            default:
                return false;  // the final zero byte too
        }
        std::uint32_t code = 0;
        if (!hex4(code)) return false;
        if (code >= 0xDC00 && code <= 0xDFFF) return false;  // second half without a first
        if (code >= 0xD800 && code <= 0xDBFF) {
            std::uint32_t low = 0;
            if (p_[0] != '\\' || p_[1] != 'u') return false;
            p_ += 2;
            if (!hex4(low) || low < 0xDC00 || low > 0xDFFF) return false;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        out = put_utf8(out, code);
        return true;
    }

    bool hex4(std::uint32_t& code) {
        for (int i = 0; i < 4; ++i) {
            const int digit = hex_value(*p_);
            if (digit < 0) return false;
            code = (code << 4) | static_cast<std::uint32_t>(digit);
            ++p_;
        }
        return true;
    }

    char* p_;
    char* const end_;
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
    Scanner scanner(begin, end, nodes);
    return nodes.first(scanner.run());
}

const JsonNode* find_member(std::span<const JsonNode> nodes, std::size_t object, std::string_view name) {
    for (std::size_t i = object + 1; i < nodes[object].end; i = nodes[i].end)
        if (nodes[i].name() == name) return &nodes[i];
    return nullptr;
}

}  // namespace shared::jwt
