#include "services/auth/domain/revocation_view.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace auth::domain {
namespace {

constexpr std::string_view kCursorPrefix = "r1";

std::int64_t to_ms(WallTime time) {
    return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

WallTime from_ms(std::int64_t ms) {
    return WallTime(std::chrono::milliseconds(ms));
}

template <class T>
bool parse_number(std::string_view text, T& value, int base) {
    if (text.empty()) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc() && end == text.data() + text.size();
}

struct Cursor {
    std::int64_t ms = 0;
    std::uint64_t count = 0;
    std::uint64_t sum = 0;
};

std::optional<Cursor> parse_cursor(std::string_view text) {
    std::array<std::string_view, 4> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto dot = text.find('.');
        if ((dot == std::string_view::npos) != (i + 1 == parts.size())) return std::nullopt;
        parts[i] = text.substr(0, dot);
        text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
    }
    Cursor cursor;
    if (parts[0] != kCursorPrefix || !parse_number(parts[1], cursor.ms, 10) || cursor.ms < 0 ||
        !parse_number(parts[2], cursor.count, 10) || !parse_number(parts[3], cursor.sum, 16))
        return std::nullopt;
    return cursor;
}

}  // namespace

bool RevocationView::to_sid(std::string_view text, Sid& sid) {
    if (text.empty() || text.size() > sid.size()) return false;
    sid.fill('\0');
    std::copy(text.begin(), text.end(), sid.begin());
    return true;
}

// FNV-1a (Fowler, Noll, Vo), 64 bits, with a final mix so that sums spread: it must be the same in every
// replica and release, which std::hash does not promise. Session ids are random, so nobody can aim at
// collisions.
std::uint64_t RevocationView::hash(const Sid& sid) {
    std::uint64_t value = 0xcbf29ce484222325ULL;
    for (const char c : sid) {
        value ^= static_cast<unsigned char>(c);
        value *= 0x100000001b3ULL;
    }
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

RevocationView::Digest RevocationView::digest_before(std::int64_t until_ms) const {
    const std::int64_t from_ms = until_ms - std::chrono::milliseconds(overlap_).count();
    Digest digest;
    for (auto it = by_time_.lower_bound(Entry{from_ms + 1, {}});
         it != by_time_.end() && it->ended_ms <= until_ms; ++it) {
        ++digest.count;
        digest.sum += hash(it->sid);
    }
    return digest;
}

std::string RevocationView::cursor_at(std::int64_t ms) const {
    const Digest digest = digest_before(ms);
    std::array<char, 17> hex{};
    const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), digest.sum, 16).ptr;
    return std::string(kCursorPrefix) + '.' + std::to_string(ms) + '.' + std::to_string(digest.count) + '.' +
           std::string(hex.data(), end);
}

// The newest entry, so that what comes next is newer and goes out alone. While nothing happens the position
// follows the clock at the overlap's distance.
std::int64_t RevocationView::next_position(std::int64_t previous_ms, WallTime now) const {
    auto position = std::max(previous_ms, to_ms(now - overlap_));
    if (!by_time_.empty()) position = std::max(position, by_time_.rbegin()->ended_ms);
    return position;
}

void RevocationView::collect(std::int64_t after_ms, std::vector<EndedSession>& out) const {
    for (auto it = by_time_.lower_bound(Entry{after_ms + 1, {}}); it != by_time_.end(); ++it) {
        const auto length = std::find(it->sid.begin(), it->sid.end(), '\0') - it->sid.begin();
        out.push_back(EndedSession{std::string(it->sid.data(), static_cast<std::size_t>(length)),
                                   from_ms(it->ended_ms), from_ms(by_sid_.find(it->sid)->second)});
    }
}

RevocationView::Answer RevocationView::snapshot(WallTime now) const {
    Answer answer;
    collect(-1, answer.entries);
    answer.cursor = cursor_at(next_position(0, now));
    return answer;
}

RevocationView::Answer RevocationView::since(std::string_view text, WallTime now) const {
    const auto cursor = parse_cursor(text);
    // A position in the future: the clock was put back since. Only a snapshot is sure to hold everything.
    if (!cursor || cursor->ms > to_ms(now + 2 * overlap_)) {
        Answer answer = snapshot(now);
        answer.reset = true;
        return answer;
    }
    Answer answer;
    const bool nothing_late = digest_before(cursor->ms) == Digest{cursor->count, cursor->sum};
    const auto overlap_ms = std::chrono::milliseconds(overlap_).count();
    collect(nothing_late ? cursor->ms : cursor->ms - overlap_ms, answer.entries);
    answer.cursor = cursor_at(next_position(cursor->ms, now));
    return answer;
}

}  // namespace auth::domain
