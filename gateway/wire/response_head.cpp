#include "gateway/wire/response_head.hpp"

#include <algorithm>

#include "gateway/wire/head_reader.hpp"

namespace gateway::wire {
namespace {

constexpr bool dropped_from_responses(Header id) {
    switch (id) {
        // The route's policy alone says who may read an answer.
        case Header::access_control:
        case Header::x_overloaded:
        case Header::x_request_id:
            return true;
        default:
            return ends_here(id);
    }
}

enum class Line { incomplete, done, refused };

struct StatusLine {
    unsigned status = 0;
    unsigned version_minor = 0;
    const char* reason = nullptr;
    const char* reason_end = nullptr;
    const char* next = nullptr;  // behind CRLF
};

// "HTTP/1." DIGIT SP 3DIGIT [SP reason] CRLF. The SP before an absent reason is not insisted on: many servers
// leave it out and nothing can be misread.
Line read_status_line(const char* p, const char* end, StatusLine& out) {
    static constexpr std::string_view kPattern = "HTTP/1.d ddd";
    const char* const begin = p;
    for (const char expected : kPattern) {
        if (p == end) return Line::incomplete;
        if (expected == 'd' ? !chars::is(*p, chars::kDigit) : *p != expected) return Line::refused;
        ++p;
    }
    if (begin[7] > '1') return Line::refused;
    out.version_minor = static_cast<unsigned>(begin[7] - '0');
    for (const char* digit = begin + 9; digit != begin + 12; ++digit)
        out.status = out.status * 10 + static_cast<unsigned>(*digit - '0');
    if (out.status < 100 || out.status > 599) return Line::refused;
    if (p == end) return Line::incomplete;
    if (*p != ' ' && *p != '\r') return Line::refused;
    if (*p == ' ') ++p;
    out.reason = p;
    out.reason_end = p = chars::find_control(p, end);
    if (p == end || (*p == '\r' && p + 1 == end)) return Line::incomplete;
    if (*p != '\r' || p[1] != '\n') return Line::refused;
    out.next = p + 2;
    return Line::done;
}

}  // namespace

void ResponseHead::clear() {
    clear_lines();
    status_ = 0;
    version_minor_ = 1;
    body_ = BodyKind::none;
    keep_alive_ = true;
    has_content_length_ = false;
    upgrade_websocket_ = false;
    reason_at_ = reason_length_ = 0;
    content_length_ = 0;
    line_at_ = scanned_ = 0;
    start_line_done_ = false;
}

ReadResult read_response_head(std::string_view bytes, Method asked, const ReaderRules& rules,
                              ResponseHead& head) {
    const char* const begin = bytes.data();
    const auto limit = std::min(rules.max_head_bytes, kMaxHeadBytes);
    const bool cut = bytes.size() >= limit;
    const char* const end = begin + (cut ? limit : bytes.size());
    head.base_ = begin;
    const auto refused = [](Refusal why) { return ReadResult{ReadStatus::refused, why, 0}; };
    const auto incomplete = [&] { return cut ? refused(Refusal::bad_upstream_head) : ReadResult{}; };
    if (!cut && !HeadReader::worth_reading(head, begin, end, limit)) return incomplete();

    if (!head.start_line_done_) {
        StatusLine line;
        switch (read_status_line(begin, end, line)) {
            case Line::incomplete:
                head.scanned_ = static_cast<std::uint32_t>(end - begin);
                if (end != begin && end[-1] == '\r') --head.scanned_;
                return incomplete();
            case Line::refused:
                return refused(Refusal::bad_status_line);
            case Line::done:
                break;
        }
        head.status_ = static_cast<std::uint16_t>(line.status);
        head.version_minor_ = static_cast<std::uint8_t>(line.version_minor);
        head.reason_at_ = static_cast<std::uint16_t>(line.reason - begin);
        head.reason_length_ = static_cast<std::uint16_t>(line.reason_end - line.reason);
        head.line_at_ = static_cast<std::uint32_t>(line.next - begin);
        head.start_line_done_ = true;
    }
    const auto take = [](HeaderLine& line, bool repeated, bool /*underscore*/) {
        line.drop = dropped_from_responses(line.id);
        const bool once = line.id == Header::content_length || line.id == Header::transfer_encoding ||
                          line.id == Header::content_type || line.id == Header::location ||
                          line.id == Header::sec_websocket_accept;
        return repeated && once ? Refusal::bad_upstream_head : Refusal::none;
    };
    Refusal why = Refusal::none;
    switch (HeadReader::lines(head, begin, end, std::min(rules.max_headers, kMaxHeaderLines), why, take)) {
        case HeadReader::Step::incomplete:
            return incomplete();
        case HeadReader::Step::refused:
            return refused(Refusal::bad_upstream_head);
        case HeadReader::Step::done:
            break;
    }

    ConnectionOptions options;
    if (!HeadReader::connection(head, options, [](Header, std::string_view) { return false; }))
        return refused(Refusal::bad_upstream_head);
    head.keep_alive_ = !options.close && (head.version_minor_ == 1 || options.keep_alive);

    const bool chunked = head.has(Header::transfer_encoding);
    if (chunked && (head.version_minor_ == 0 || head.has(Header::content_length) ||
                    !equals_lower(head.value(Header::transfer_encoding), "chunked")))
        return refused(Refusal::bad_upstream_head);
    if (head.has(Header::content_length)) {
        const auto length = HeadReader::content_length(head.value(Header::content_length));
        if (!length) return refused(Refusal::bad_upstream_head);
        head.content_length_ = *length;
        head.has_content_length_ = true;
    }

    if (head.status_ < 200 || head.status_ == 204) {
        // RFC 9112 section 6.3: no body, and RFC 9110 section 8.6: no framing either. A server that announces
        // one may send it too, and it would be read as the next answer.
        const bool framed = chunked || head.content_length_ > 0;
        if (framed && head.status_ < 200) return refused(Refusal::bad_upstream_head);
        if (framed) head.keep_alive_ = false;
    } else if (asked != Method::head && head.status_ != 304) {
        if (chunked)
            head.body_ = BodyKind::chunked;
        else if (!head.has_content_length_)
            head.body_ = BodyKind::until_close;
        else if (head.content_length_ > 0)
            head.body_ = BodyKind::length;
    }
    if (head.body_ == BodyKind::until_close) head.keep_alive_ = false;
    head.upgrade_websocket_ = head.status_ == 101 && options.upgrade && head.count(Header::upgrade) == 1 &&
                              equals_lower(head.value(Header::upgrade), "websocket");
    return {ReadStatus::complete, Refusal::none, head.line_at_};
}

}  // namespace gateway::wire
