// What the readers of request and answer heads share: finding, checking and recording header lines. Internal
// to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/wire/chars.hpp"
#include "gateway/wire/head_lines.hpp"
#include "gateway/wire/refusal.hpp"
#include "gateway/wire/request_head.hpp"
#include "gateway/wire/rules.hpp"
#include "shared/base/text.hpp"

namespace gateway::wire {

// What Connection says.
struct ConnectionOptions {
    bool close = false;
    bool keep_alive = false;
    bool upgrade = false;
};

class HeadReader {
  public:
    enum class Step : std::uint8_t { incomplete, done, refused };

    // A head that was incomplete before: is there anything new to decide? False: only more of the same line
    // has arrived, and it has been noted how far. So a line is read at most twice, however slowly it comes.
    template <class Head>
    static bool worth_reading(Head& head, const char* begin, const char* end, std::size_t line_limit) {
        if (head.scanned_ <= head.line_at_) return true;
        const char* stop = chars::find_control(begin + head.scanned_, end);
        const bool ends_here = stop != end && !(*stop == '\r' && stop + 1 == end);
        head.scanned_ = static_cast<std::uint32_t>(stop - begin);
        return ends_here || static_cast<std::size_t>(end - begin) - head.line_at_ > line_limit;
    }

    // Reads header lines from head.line_at_ to the empty line; head.line_at_ is then behind it. `take(line)`
    // is called for each and may refuse it. One pass: name by table, value by find_control.
    template <class Head, class Take>
    static Step lines(Head& head, const char* begin, const char* end, std::size_t max_lines, Refusal& refusal,
                      Take&& take) {
        const auto refuse = [&](Refusal why) {
            refusal = why;
            return Step::refused;
        };
        const char* p = begin + head.line_at_;
        const auto incomplete = [&] {
            head.scanned_ = static_cast<std::uint32_t>(end - begin);
            // a CR that ends the bytes so far belongs to what is looked at next
            if (end != begin && end[-1] == '\r') --head.scanned_;
            return Step::incomplete;
        };
        while (true) {
            head.line_at_ = static_cast<std::uint32_t>(p - begin);
            if (p == end) return incomplete();
            const char* const name = p;
            std::uint8_t seen = 0;
            p = chars::find_other(p, end, chars::kToken, seen);
            if (p == end) return incomplete();
            if (p == name) {
                if (*p == '\r') {
                    if (p + 1 == end) return incomplete();
                    if (p[1] != '\n') return refuse(Refusal::bad_line_ending);
                    head.line_at_ = static_cast<std::uint32_t>(p + 2 - begin);
                    return Step::done;
                }
                if (*p == ' ' || *p == '\t') return refuse(Refusal::folded_header);
                return refuse(*p == '\n' ? Refusal::bad_line_ending : Refusal::bad_header_name);
            }
            if (*p != ':') return refuse(Refusal::bad_header_name);
            const char* const name_end = p++;
            while (p != end && (*p == ' ' || *p == '\t')) ++p;
            const char* const value = p;
            p = chars::find_control(p, end);
            if (p == end) return incomplete();
            if (*p != '\r') return refuse(*p == '\n' ? Refusal::bad_line_ending : Refusal::bad_header_value);
            if (p + 1 == end) return incomplete();
            if (p[1] != '\n') return refuse(Refusal::bad_line_ending);
            const char* value_end = p;
            while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t')) --value_end;
            if (head.count_ == max_lines) return refuse(Refusal::too_many_headers);

            auto& line = head.lines_[head.count_];
            line.name_at = static_cast<std::uint16_t>(name - begin);
            line.name_length = static_cast<std::uint16_t>(name_end - name);
            line.value_at = static_cast<std::uint16_t>(value - begin);
            line.value_length = static_cast<std::uint16_t>(value_end - value);
            line.canonical = value == name_end + 2 && name_end[1] == ' ' && value_end == p;
            line.drop = false;
            line.id = classify({name, line.name_length});
            const bool repeated = head.first_[static_cast<std::size_t>(line.id)] != HeadLines::kNone;
            if (!repeated) head.first_[static_cast<std::size_t>(line.id)] = head.count_;
            if (const auto why = take(line, repeated, (seen & chars::kUnderscore) != 0); why != Refusal::none)
                return refuse(why);
            ++head.count_;
            p += 2;
        }
    }

    // Reads every Connection line and drops the lines that it names. `refuse_name(id, name)`: true for a name
    // that may not be removed. False: malformed, too long a list, or such a name.
    template <class RefuseName>
    static bool connection(HeadLines& head, ConnectionOptions& options, RefuseName&& refuse_name) {
        if (!head.has(Header::connection)) return true;
        static constexpr int kMaxOptions = 32;  // bounds the work: each option is looked for in all lines
        int count = 0;
        for (const auto& line : head.lines()) {
            if (line.id != Header::connection) continue;
            auto rest = head.value(line);
            while (!rest.empty()) {
                const auto comma = rest.find(',');
                const auto option = shared::trim(rest.substr(0, comma));
                rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
                if (option.empty()) continue;  // RFC 9110 section 5.6.1: empty list elements are ignored
                for (const char c : option)
                    if (!chars::is(c, chars::kToken)) return false;
                if (++count > kMaxOptions) return false;
                if (equals_lower(option, "close")) {
                    options.close = true;
                } else if (equals_lower(option, "keep-alive")) {
                    options.keep_alive = true;
                } else if (equals_lower(option, "upgrade")) {
                    options.upgrade = true;
                } else {
                    if (refuse_name(classify(option), option)) return false;
                    for (auto& candidate : head.lines_as_mutable())
                        if (equals_ignoring_case(head.name(candidate), option)) candidate.drop = true;
                }
            }
        }
        return true;
    }

    // Decimal digits only, no leading zero, at most 18 of them: one number, one spelling.
    static std::optional<std::uint64_t> content_length(std::string_view text) {
        if (text.empty() || text.size() > 18 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
        std::uint64_t n = 0;
        for (const char c : text) {
            if (!chars::is(c, chars::kDigit)) return std::nullopt;
            n = n * 10 + static_cast<std::uint64_t>(c - '0');
        }
        return n;
    }

    static ReadResult request(std::string_view bytes, const ReaderRules& rules, RequestHead& head);

  private:
    static Step request_line(const char* begin, const char* end, const ReaderRules& rules, RequestHead& head,
                             Refusal& refusal);
    static Refusal target(const char* begin, const char* target_end, const ReaderRules& rules,
                          RequestHead& head);
    static Refusal finish_request(const ReaderRules& rules, RequestHead& head);
    static Refusal request_authority(RequestHead& head);
    static Refusal request_framing(RequestHead& head);
    static Refusal request_upgrade(RequestHead& head);
};

}  // namespace gateway::wire
