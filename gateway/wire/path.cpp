#include "gateway/wire/path.hpp"

#include <cstdint>

#include "gateway/wire/chars.hpp"
#include "gateway/wire/ip_address.hpp"

namespace gateway::wire {
namespace {

// Well-formed UTF-8 (Unicode 15, table 3-7), fed byte by byte.
class Utf8Check {
  public:
    bool feed(std::uint8_t byte) {
        if (need_ > 0) {
            if (byte < low_ || byte > high_) return false;
            low_ = 0x80;
            high_ = 0xBF;
            --need_;
            return true;
        }
        if (byte < 0x80) return true;
        if (byte >= 0xC2 && byte <= 0xDF) {
            need_ = 1;
        } else if (byte >= 0xE0 && byte <= 0xEF) {
            need_ = 2;
            if (byte == 0xE0) low_ = 0xA0;
            if (byte == 0xED) high_ = 0x9F;  // no surrogates
        } else if (byte >= 0xF0 && byte <= 0xF4) {
            need_ = 3;
            if (byte == 0xF0) low_ = 0x90;
            if (byte == 0xF4) high_ = 0x8F;  // nothing above U+10FFFF
        } else {
            return false;
        }
        return true;
    }
    bool complete() const { return need_ == 0; }

  private:
    int need_ = 0;
    std::uint8_t low_ = 0x80;
    std::uint8_t high_ = 0xBF;
};

// No escapes, no empty or dot segments: the bytes are the canonical form.
bool already_canonical(std::string_view raw) {
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (!chars::is(raw[i], chars::kPath)) return false;
        if (raw[i] != '/' || i + 1 == raw.size()) continue;
        if (raw[i + 1] == '/') return false;
        if (raw[i + 1] != '.') continue;
        // "/." and "/.." end a segment, or carry parameters: the slow way decides
        const auto rest = raw.substr(i + 2);
        const auto after = rest.starts_with('.') ? rest.substr(1) : rest;
        if (after.empty() || after[0] == '/' || after[0] == ';') return false;
    }
    return true;
}

// Escapes decoded or in their canonical spelling; false for what no path may hold.
bool decode(std::string_view raw, std::string& out) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    Utf8Check utf8;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const char c = raw[i];
        if (c != '%') {
            if (!chars::is(c, chars::kPath) || !utf8.feed(static_cast<std::uint8_t>(c))) return false;
            out += c;
            continue;
        }
        if (raw.size() - i < 3) return false;
        const int high = chars::hex_value(raw[i + 1]);
        const int low = chars::hex_value(raw[i + 2]);
        if (high < 0 || low < 0) return false;
        i += 2;
        const auto byte = static_cast<std::uint8_t>(high * 16 + low);
        if (byte < 0x20 || byte == 0x7F || byte == '/' || byte == '\\') return false;
        if (!utf8.feed(byte)) return false;
        if (chars::is(static_cast<char>(byte), chars::kUnreserved)) {
            out += static_cast<char>(byte);
        } else {
            out += '%';
            out += kDigits[high];
            out += kDigits[low];
        }
    }
    return utf8.complete();
}

// "%25" in front of two hex digits would be an escape for whoever decodes once more.
bool double_encoded(std::string_view path) {
    for (auto at = path.find("%25"); at != std::string_view::npos; at = path.find("%25", at + 1))
        if (at + 4 < path.size() && chars::is(path[at + 3], chars::kHex) &&
            chars::is(path[at + 4], chars::kHex))
            return true;
    return false;
}

// Resolves "", "." and ".." segments in place (RFC 3986 section 5.2.4). False: refused.
bool resolve_segments(std::string& path, bool merge_slashes) {
    std::size_t write = 0;  // path[0, write) is done and ends before a '/'
    std::size_t read = 0;   // at a '/'
    while (read < path.size()) {
        auto next = path.find('/', read + 1);
        if (next == std::string::npos) next = path.size();
        const auto segment = std::string_view(path).substr(read + 1, next - read - 1);
        const bool last = next == path.size();
        const auto dots = segment.starts_with("..") ? 2U : segment.starts_with('.') ? 1U : 0U;
        const auto behind_dots = segment.substr(dots);
        if (dots > 0 && (behind_dots.starts_with(';') || behind_dots.starts_with("%3B"))) return false;
        if (segment.empty() && !last) {
            if (!merge_slashes) return false;
        } else if (dots > 0 && behind_dots.empty()) {
            if (dots == 2) {
                if (write == 0) return false;  // above the root
                write = path.rfind('/', write - 1);
            }
            if (last) path[write++] = '/';
        } else {
            const auto length = next - read;
            path.replace(write, length, path, read, length);
            write += length;
        }
        read = next;
    }
    path.resize(write);
    return true;
}

}  // namespace

PathForm canonicalize_path(std::string_view raw, bool merge_slashes, std::string& out) {
    if (!raw.starts_with('/')) return PathForm::refused;
    if (already_canonical(raw)) return PathForm::canonical;
    out.clear();
    out.reserve(raw.size());
    if (!decode(raw, out) || double_encoded(out) || !resolve_segments(out, merge_slashes))
        return PathForm::refused;
    return out == raw ? PathForm::canonical : PathForm::rewritten;
}

bool valid_query(std::string_view query) {
    for (std::size_t i = 0; i < query.size(); ++i) {
        if (chars::is(query[i], chars::kQuery)) continue;
        if (query[i] != '%' || query.size() - i < 3 || !chars::is(query[i + 1], chars::kHex) ||
            !chars::is(query[i + 2], chars::kHex))
            return false;
        i += 2;
    }
    return true;
}

std::size_t check_authority(std::string_view authority) {
    if (authority.empty() || authority.size() > 255) return 0;
    std::size_t host_length = 0;
    if (authority.front() == '[') {
        const auto close = authority.find(']');
        if (close == std::string_view::npos) return 0;
        const auto literal = authority.substr(1, close - 1);
        if (literal.find(':') == std::string_view::npos || !IpAddress::parse(literal)) return 0;
        host_length = close + 1;
    } else {
        while (host_length < authority.size() && chars::is(authority[host_length], chars::kHost)) {
            // An empty label is no name; only the root's may be left out, behind the last dot.
            if (authority[host_length] == '.' && (host_length == 0 || authority[host_length - 1] == '.'))
                return 0;
            ++host_length;
        }
        if (host_length == 0) return 0;
    }
    auto rest = authority.substr(host_length);
    if (rest.empty()) return host_length;
    if (rest.front() != ':') return 0;
    rest.remove_prefix(1);
    if (rest.empty() || rest.size() > 5) return 0;
    std::uint32_t port = 0;
    for (const char c : rest) {
        if (!chars::is(c, chars::kDigit)) return 0;
        port = port * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return port >= 1 && port <= 65535 ? host_length : 0;
}

std::string canonical_literal(std::string_view bracketed) {
    const auto address = IpAddress::parse(bracketed.substr(1, bracketed.size() - 2));
    if (!address) return std::string(bracketed);
    return address->is_v4() ? address->to_string() : '[' + address->to_string() + ']';
}

}  // namespace gateway::wire
