#include "services/auth/domain/revocation_view.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "shared/base/encoding.hpp"
#include "shared/base/text.hpp"

namespace auth::domain {
namespace {

constexpr std::string_view kCursorPrefix = "r1";  // r1.<time>.<count>.<sum>
constexpr std::string_view kPagePrefix = "p1";    // p1.<time>.<sid>.<up to>.<count>.<sum>

std::int64_t to_ms(WallTime time) {
    return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

WallTime from_ms(std::int64_t ms) {
    return WallTime(std::chrono::milliseconds(ms));
}

template <class T>
bool read_number(std::string_view text, T& value, int base) {
    const auto number = shared::parse_number<T>(text, base);
    if (number) value = *number;
    return number.has_value();
}

struct Cursor {
    std::int64_t ms = 0;
    std::uint64_t count = 0;
    std::uint64_t sum = 0;
};

// False: it has not exactly so many parts.
template <std::size_t N>
bool split(std::string_view text, std::array<std::string_view, N>& parts) {
    for (std::size_t i = 0; i < N; ++i) {
        const auto dot = text.find('.');
        if ((dot == std::string_view::npos) != (i + 1 == N)) return false;
        parts[i] = text.substr(0, dot);
        text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
    }
    return true;
}

std::optional<Cursor> parse_cursor(std::string_view text) {
    std::array<std::string_view, 4> parts;
    Cursor cursor;
    if (!split(text, parts) || parts[0] != kCursorPrefix || !read_number(parts[1], cursor.ms, 10) ||
        cursor.ms < 0 || !read_number(parts[2], cursor.count, 10) || !read_number(parts[3], cursor.sum, 16))
        return std::nullopt;
    return cursor;
}

std::string to_hex_number(std::uint64_t value) {
    std::array<char, 17> hex{};
    return {hex.data(), std::to_chars(hex.data(), hex.data() + hex.size(), value, 16).ptr};
}

}  // namespace

bool RevocationView::to_sid(std::string_view text, Sid& sid) {
    if (text.empty() || text.size() > sid.size()) return false;
    sid.fill('\0');
    std::copy(text.begin(), text.end(), sid.begin());
    return true;
}

// With a final mix so that sums spread; the same in every replica and release. Session ids are random, so
// nobody can aim at collisions.
std::uint64_t RevocationView::hash(const Sid& sid) {
    std::uint64_t value = shared::fnv1a({sid.data(), sid.size()});
    value ^= value >> 32;
    return value * 0x9e3779b97f4a7c15ULL;
}

std::size_t RevocationView::SidHash::operator()(const Sid& sid) const noexcept {
    return hash(sid);
}

bool RevocationView::merge(const std::vector<EndedSession>& entries) {
    bool added = false;
    for (const auto& entry : entries) {
        Sid sid;
        if (!to_sid(entry.sid, sid)) continue;
        if (!by_sid_.emplace(sid, to_ms(entry.until)).second) continue;
        by_time_.insert(Entry{to_ms(entry.ended_at), sid});
        added = true;
    }
    return added;
}

bool RevocationView::contains(std::string_view sid, WallTime now) const {
    Sid key;
    if (!to_sid(sid, key)) return false;
    const auto found = by_sid_.find(key);
    return found != by_sid_.end() && found->second > to_ms(now);
}

void RevocationView::expire(WallTime now) {
    const auto now_ms = to_ms(now);
    // All entries live about equally long, so the oldest are the first to go.
    while (!by_time_.empty()) {
        const auto found = by_sid_.find(by_time_.begin()->sid);
        if (found->second > now_ms) break;
        by_sid_.erase(found);
        by_time_.erase(by_time_.begin());
    }
}

RevocationView::Digest RevocationView::digest(std::int64_t after_ms, std::int64_t to_ms) const {
    Digest digest;
    for (auto it = by_time_.lower_bound(Entry{after_ms + 1, {}});
         it != by_time_.end() && it->ended_ms <= to_ms; ++it) {
        ++digest.count;
        digest.sum += hash(it->sid);
    }
    return digest;
}

// The newest entry, so that what comes next is newer and goes out alone. While nothing happens the position
// follows the clock at the overlap's distance.
std::int64_t RevocationView::next_position(std::int64_t previous_ms, WallTime now) const {
    auto position = std::max(previous_ms, to_ms(now - overlap_));
    if (!by_time_.empty()) position = std::max(position, by_time_.rbegin()->ended_ms);
    return position;
}

std::string_view RevocationView::to_text(const Sid& sid) {
    return {sid.data(), static_cast<std::size_t>(std::find(sid.begin(), sid.end(), '\0') - sid.begin())};
}

RevocationView::Answer RevocationView::answer(Span span) const {
    Answer answer;
    auto it = by_time_.upper_bound(span.after);
    for (; it != by_time_.end() && it->ended_ms <= span.to_ms && answer.entries.size() < page_; ++it) {
        answer.entries.push_back(EndedSession{std::string(to_text(it->sid)), from_ms(it->ended_ms),
                                              from_ms(by_sid_.find(it->sid)->second)});
        if (it->ended_ms <= span.to_ms - overlap_ms()) continue;
        ++span.known.count;
        span.known.sum += hash(it->sid);
    }
    answer.more = it != by_time_.end() && it->ended_ms <= span.to_ms;
    const auto digest = std::to_string(span.known.count) + '.' + to_hex_number(span.known.sum);
    if (answer.more) {
        const auto& last = *std::prev(it);
        answer.cursor = std::string(kPagePrefix) + '.' + std::to_string(last.ended_ms) + '.' +
                        shared::base64url_encode(to_text(last.sid)) + '.' + std::to_string(span.to_ms) + '.' +
                        digest;
    } else {
        answer.cursor = std::string(kCursorPrefix) + '.' + std::to_string(span.to_ms) + '.' + digest;
    }
    return answer;
}

std::optional<RevocationView::Span> RevocationView::parse_page(std::string_view cursor) {
    std::array<std::string_view, 6> parts;
    Span span;
    if (!split(cursor, parts) || parts[0] != kPagePrefix || !read_number(parts[1], span.after.ended_ms, 10) ||
        !read_number(parts[3], span.to_ms, 10) || !read_number(parts[4], span.known.count, 10) ||
        !read_number(parts[5], span.known.sum, 16))
        return std::nullopt;
    const auto sid = shared::base64url_decode(parts[2]);
    if (!sid || !to_sid(*sid, span.after.sid)) return std::nullopt;
    return span;
}

RevocationView::Answer RevocationView::snapshot(WallTime now) const {
    Span all;
    all.after.ended_ms = -1;
    all.to_ms = next_position(0, now);
    return answer(std::move(all));
}

RevocationView::Answer RevocationView::since(std::string_view text, WallTime now) const {
    // A position in the future: the clock was put back since. Only a snapshot is sure to hold everything.
    const auto latest = to_ms(now + 2 * overlap_);
    if (const auto page = parse_page(text); page && page->to_ms <= latest) return answer(*page);
    const auto cursor = parse_cursor(text);
    if (!cursor || cursor->ms > latest) {
        Answer anew = snapshot(now);
        anew.reset = true;
        return anew;
    }
    Span span;
    span.to_ms = next_position(cursor->ms, now);
    if (digest(cursor->ms - overlap_ms(), cursor->ms) == Digest{cursor->count, cursor->sum}) {
        // Nothing came late: whoever asks knows what we know up to the cursor.
        span.after = Entry{cursor->ms + 1, {}};
        span.known = digest(span.to_ms - overlap_ms(), cursor->ms);
    } else {
        span.after = Entry{cursor->ms - overlap_ms() + 1, {}};
    }
    return answer(std::move(span));
}

}  // namespace auth::domain
