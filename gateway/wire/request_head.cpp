#include "gateway/wire/request_head.hpp"

#include <algorithm>
#include <cstring>

#include "gateway/wire/head_reader.hpp"
#include "gateway/wire/head_writer.hpp"
#include "gateway/wire/path.hpp"

namespace gateway::wire {
namespace {

constexpr std::size_t kLongestMethod = 32;  // longer ones are unknown whatever follows

// Lines that never reach the upstream as they came.
constexpr bool dropped_from_requests(Header id) {
    return ends_here(id) || written_by_gateway(id);
}

// What a client may not ask to be removed on the way: whoever decides by it would decide without it.
constexpr bool must_stay(Header id) {
    switch (id) {
        case Header::access_control_request_method:
        case Header::authorization:
        case Header::content_length:
        case Header::content_type:
        case Header::cookie:
        case Header::if_match:
        case Header::if_modified_since:
        case Header::if_none_match:
        case Header::if_range:
        case Header::if_unmodified_since:
        case Header::origin:
        case Header::range:
        case Header::sec_websocket_key:
        case Header::sec_websocket_version:
        case Header::transfer_encoding:
            return true;
        default:
            return written_by_gateway(id) && id != Header::traceparent;
    }
}

constexpr bool may_appear_once(Header id) {
    switch (id) {
        case Header::authorization:
        case Header::content_type:
        case Header::expect:
        case Header::host:
        case Header::origin:
        case Header::sec_websocket_key:
        case Header::sec_websocket_version:
            return true;
        default:
            return false;
    }
}

// Sixteen bytes as base64 (RFC 6455 section 4.1).
bool valid_websocket_key(std::string_view key) {
    if (key.size() != 24 || !key.ends_with("==")) return false;
    return std::all_of(key.begin(), key.end() - 2, [](char c) {
        return (chars::is(c, chars::kUnreserved) && c != '-' && c != '.' && c != '_' && c != '~') ||
               c == '+' || c == '/';
    });
}

// "a." is "a" (RFC 3986 section 3.2.2): the dot of the root makes no other host.
std::string_view without_root(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    return host;
}

// The port that an authority means; for http 80, for https 443.
std::uint32_t port_of(std::string_view authority, std::size_t host_length, bool https) {
    if (host_length == authority.size()) return https ? 443 : 80;
    std::uint32_t port = 0;
    for (const char c : authority.substr(host_length + 1))
        port = port * 10 + static_cast<std::uint32_t>(c - '0');
    return port;
}

}  // namespace

void RequestHead::clear() {
    clear_lines();
    method_ = Method::get;
    version_minor_ = 1;
    body_ = BodyKind::none;
    keep_alive_ = true;
    expect_continue_ = false;
    upgrade_websocket_ = false;
    has_query_ = false;
    path_rewritten_ = false;
    absolute_form_ = false;
    content_length_ = 0;
    target_at_ = path_at_ = path_length_ = query_at_ = query_length_ = 0;
    authority_at_ = authority_length_ = host_length_ = 0;
    line_at_ = scanned_ = 0;
    start_line_done_ = false;
}

HeadReader::Step HeadReader::request_line(const char* begin, const char* end, const ReaderRules& rules,
                                          RequestHead& head, Refusal& refusal) {
    const auto refuse = [&](Refusal why) {
        refusal = why;
        return Step::refused;
    };
    const auto incomplete = [&] {
        head.scanned_ = static_cast<std::uint32_t>(end - begin);
        if (end != begin && end[-1] == '\r') --head.scanned_;
        return Step::incomplete;
    };
    const char* p = begin + head.line_at_;
    if (head.line_at_ == 0 && p != end &&
        *p == '\r') {  // RFC 9112 section 2.2: one empty line may come first
        if (end - p < 2) return incomplete();
        if (p[1] != '\n') return refuse(Refusal::bad_line_ending);
        p += 2;
        head.line_at_ = 2;
    }

    const char* const method = p;
    while (p != end && chars::is(*p, chars::kToken)) {
        if (static_cast<std::size_t>(++p - method) > kLongestMethod) return refuse(Refusal::method_unknown);
    }
    if (p == end) return incomplete();
    if (p == method) return refuse(Refusal::bad_request_line);
    if (*p != ' ') return refuse(*p == '\r' || *p == '\n' ? Refusal::bad_request_line : Refusal::bad_method);
    const std::string_view name(method, static_cast<std::size_t>(p - method));
    if (const auto known = parse_method(name))
        head.method_ = *known;
    else
        return refuse(name == "TRACE" || name == "CONNECT" ? Refusal::method_not_allowed
                                                           : Refusal::method_unknown);
    ++p;

    const char* const target_begin = p;
    p = chars::find_invisible(p, end);
    if (static_cast<std::size_t>(p - target_begin) > rules.max_target_bytes)
        return refuse(Refusal::target_too_long);
    if (p == end) return incomplete();
    if (p == target_begin) return refuse(Refusal::bad_target);
    if (*p != ' ') return refuse(*p == '\r' || *p == '\n' ? Refusal::bad_request_line : Refusal::bad_target);
    head.target_at_ = static_cast<std::uint16_t>(target_begin - begin);
    if (const auto why = target(begin, p, rules, head); why != Refusal::none) return refuse(why);
    ++p;

    static constexpr std::string_view kUsual = "HTTP/1.1\r\n";
    if (std::string_view(p, static_cast<std::size_t>(end - p)).starts_with(kUsual)) {
        head.version_minor_ = 1;
        head.line_at_ = static_cast<std::uint32_t>(p + kUsual.size() - begin);
        return Step::done;
    }
    // "HTTP/" DIGIT "." DIGIT CRLF, byte by byte so that a wrong one is known before its end arrives
    static constexpr std::string_view kPattern = "HTTP/d.d";
    const char* const version = p;
    for (const char expected : kPattern) {
        if (p == end) return incomplete();
        if (expected == 'd' ? !chars::is(*p, chars::kDigit) : *p != expected)
            return refuse(Refusal::bad_version);
        ++p;
    }
    if (version[5] != '1' || version[7] > '1') return refuse(Refusal::version_not_supported);
    head.version_minor_ = static_cast<std::uint8_t>(version[7] - '0');
    if (p == end) return incomplete();
    if (*p != '\r') return refuse(*p == '\n' ? Refusal::bad_line_ending : Refusal::bad_version);
    if (p + 1 == end) return incomplete();
    if (p[1] != '\n') return refuse(Refusal::bad_line_ending);
    head.line_at_ = static_cast<std::uint32_t>(p + 2 - begin);
    return Step::done;
}

// Splits the target into authority, path and query, and canonicalizes the path.
Refusal HeadReader::target(const char* begin, const char* target_end, const ReaderRules& rules,
                           RequestHead& head) {
    const char* p = begin + head.target_at_;
    if (*p == '*' && p + 1 == target_end) {
        head.path_at_ = head.target_at_;
        head.path_length_ = 1;
        return head.method_ == Method::options ? Refusal::none : Refusal::bad_target;
    }
    if (*p != '/') {  // absolute form
        const std::string_view whole(p, static_cast<std::size_t>(target_end - p));
        std::size_t scheme = 0;
        if (whole.size() > 7 && equals_lower(whole.substr(0, 7), "http://")) scheme = 7;
        if (whole.size() > 8 && equals_lower(whole.substr(0, 8), "https://")) scheme = 8;
        if (scheme == 0) return Refusal::bad_target;
        const auto length = std::min(whole.substr(scheme).find_first_of("/?"), whole.size() - scheme);
        const auto host_length = check_authority(whole.substr(scheme, length));
        if (host_length == 0) return Refusal::bad_target;
        head.absolute_form_ = true;
        head.authority_at_ = static_cast<std::uint16_t>(head.target_at_ + scheme);
        head.authority_length_ = static_cast<std::uint16_t>(length);
        head.host_length_ = static_cast<std::uint16_t>(host_length);
        p += scheme + length;
    }
    const char* const path_end = std::find(p, target_end, '?');
    const std::string_view path(p, static_cast<std::size_t>(path_end - p));
    head.path_at_ = static_cast<std::uint16_t>(p - begin);
    head.path_length_ = static_cast<std::uint16_t>(path.size());
    if (path.empty()) {  // "http://host" means "http://host/" (RFC 9112 section 3.2.1)
        head.path_ = "/";
        head.path_rewritten_ = true;
    } else {
        switch (canonicalize_path(path, rules.merge_slashes, head.path_)) {
            case PathForm::canonical:
                break;
            case PathForm::rewritten:
                head.path_rewritten_ = true;
                break;
            case PathForm::refused:
                return Refusal::bad_path;
        }
    }
    if (path_end != target_end) {
        head.has_query_ = true;
        head.query_at_ = static_cast<std::uint16_t>(path_end + 1 - begin);
        head.query_length_ = static_cast<std::uint16_t>(target_end - path_end - 1);
        if (!valid_query(head.query())) return Refusal::bad_target;
    }
    return Refusal::none;
}

Refusal HeadReader::request_authority(RequestHead& head) {
    const auto whole_host = head.host();
    head.host_length_ = static_cast<std::uint16_t>(without_root(whole_host).size());
    if (!head.has(Header::host)) return head.version_minor_ == 0 ? Refusal::none : Refusal::host_missing;
    const auto& line = head.lines_[head.first_[static_cast<std::size_t>(Header::host)]];
    const auto authority = head.value(line);
    const auto host_length = check_authority(authority);
    if (host_length == 0) return Refusal::bad_host;
    const auto host = without_root(authority.substr(0, host_length));
    if (head.absolute_form_) {
        const bool https = chars::lower(head.base_[head.target_at_ + 4]) == 's';
        const bool agrees =
            equals_ignoring_case(head.host(), host) &&
            port_of(head.authority(), whole_host.size(), https) == port_of(authority, host_length, https);
        if (!agrees) return Refusal::host_mismatch;
    }
    head.authority_at_ = line.value_at;
    head.authority_length_ = line.value_length;
    head.host_length_ = static_cast<std::uint16_t>(host.size());
    return Refusal::none;
}

Refusal HeadReader::request_framing(RequestHead& head) {
    const bool has_length = head.has(Header::content_length);
    if (head.has(Header::transfer_encoding)) {
        if (head.version_minor_ == 0) return Refusal::encoding_on_http10;
        if (has_length) return Refusal::length_with_encoding;
        const auto coding = head.value(Header::transfer_encoding);
        if (!equals_lower(coding, "chunked")) {
            // a list of other codings is well-formed but not ours; anything else is an attempt to be misread
            const bool token = !coding.empty() && std::all_of(coding.begin(), coding.end(), [](char c) {
                return chars::is(c, chars::kToken);
            });
            return token ? Refusal::encoding_not_implemented : Refusal::bad_transfer_encoding;
        }
        head.body_ = BodyKind::chunked;
    } else if (has_length) {
        const auto length = content_length(head.value(Header::content_length));
        if (!length) return Refusal::bad_content_length;
        head.content_length_ = *length;
        head.body_ = *length > 0 ? BodyKind::length : BodyKind::none;
    }
    return Refusal::none;
}

// Only called with "Connection: upgrade" and exactly one Upgrade line. Anything but WebSocket (h2c, say) is
// ignored: a server may, and the line is dropped (RFC 9110 section 7.8).
Refusal HeadReader::request_upgrade(RequestHead& head) {
    if (!equals_lower(head.value(Header::upgrade), "websocket")) return Refusal::none;
    if (head.value(Header::sec_websocket_version) != "13") return Refusal::websocket_version;
    if (head.method_ != Method::get || head.body_ != BodyKind::none ||
        !valid_websocket_key(head.value(Header::sec_websocket_key)))
        return Refusal::bad_websocket_handshake;
    head.upgrade_websocket_ = true;
    return Refusal::none;
}

Refusal HeadReader::finish_request(const ReaderRules& rules, RequestHead& head) {
    if (const auto why = request_authority(head); why != Refusal::none) return why;
    if (const auto why = request_framing(head); why != Refusal::none) return why;

    ConnectionOptions options;
    const auto refuse_name = [&rules](Header id, std::string_view name) {
        return must_stay(id) || rules.is_identity_header(name) || rules.is_decisive_header(name);
    };
    if (!connection(head, options, refuse_name)) return Refusal::bad_connection_header;
    head.keep_alive_ = !options.close && (head.version_minor_ == 1 || options.keep_alive);

    if (head.version_minor_ == 1) {
        if (head.has(Header::expect)) {  // RFC 9110 section 10.1.1; ignored on 1.0
            if (!equals_lower(head.value(Header::expect), "100-continue")) return Refusal::bad_expect;
            head.expect_continue_ = head.body_ != BodyKind::none;
        }
        if (options.upgrade && head.count(Header::upgrade) == 1)
            if (const auto why = request_upgrade(head); why != Refusal::none) return why;
    }
    // W3C Trace Context section 3.4: without a valid traceparent the state means nothing
    if (head.has(Header::tracestate) &&
        (head.count(Header::traceparent) != 1 || !valid_traceparent(head.value(Header::traceparent)))) {
        for (auto& line : head.lines_as_mutable())
            if (line.id == Header::tracestate) line.drop = true;
    }
    return Refusal::none;
}

ReadResult HeadReader::request(std::string_view bytes, const ReaderRules& rules, RequestHead& head) {
    const char* const begin = bytes.data();
    const auto limit = std::min(rules.max_head_bytes, kMaxHeadBytes);
    const bool cut = bytes.size() >= limit;
    const char* const end = begin + (cut ? limit : bytes.size());
    head.base_ = begin;

    const auto incomplete = [&]() -> ReadResult {
        if (!cut) return {};
        return {ReadStatus::refused,
                head.start_line_done_ ? Refusal::head_too_large : Refusal::target_too_long, 0};
    };
    if (!cut && !worth_reading(head, begin, end, rules.max_target_bytes + kLongestMethod))
        return incomplete();

    Refusal refusal = Refusal::none;
    if (!head.start_line_done_) {
        switch (request_line(begin, end, rules, head, refusal)) {
            case Step::incomplete:
                return incomplete();
            case Step::refused:
                return {ReadStatus::refused, refusal, 0};
            case Step::done:
                head.start_line_done_ = true;
        }
    }
    const auto take = [&](HeaderLine& line, bool repeated, bool underscore) {
        line.drop = underscore || dropped_from_requests(line.id) ||
                    (line.id == Header::other && rules.is_identity_header(head.name(line)));
        if (!repeated) return Refusal::none;
        if (may_appear_once(line.id)) return Refusal::duplicate_header;
        if (line.id == Header::content_length) return Refusal::bad_content_length;
        if (line.id == Header::transfer_encoding) return Refusal::bad_transfer_encoding;
        return Refusal::none;
    };
    switch (lines(head, begin, end, std::min(rules.max_headers, kMaxHeaderLines), refusal, take)) {
        case Step::incomplete:
            return incomplete();
        case Step::refused:
            return {ReadStatus::refused, refusal, 0};
        case Step::done:
            break;
    }
    if (const auto why = finish_request(rules, head); why != Refusal::none)
        return {ReadStatus::refused, why, 0};
    return {ReadStatus::complete, Refusal::none, head.line_at_};
}

ReadResult read_request_head(std::string_view bytes, const ReaderRules& rules, RequestHead& head) {
    return HeadReader::request(bytes, rules, head);
}

}  // namespace gateway::wire
