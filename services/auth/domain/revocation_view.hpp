// The ended sessions that somebody could still present a token of, in memory, and the cursor by which
// gateways follow them. No I/O: api/revocation_feed fills it from the store.
//
// A time that is taken before a write becomes visible can be overtaken by a later one, so a cursor that only
// moves forward misses entries. Here a cursor holds a time and a digest of everything known in the overlap
// before that time. Whoever answers the next poll, this process or another replica, computes the same digest
// over its own view: equal means nothing came late, different means the whole overlap is sent once more.
// Entries are idempotent.
//
// Long answers come in pages. The cursor between two pages says how far they have come, up to which time they
// go on, and the digest of what they have held of the overlap before that time: so what the next page's
// replica lacked is missing from the digest too, and is sent later.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/base/clock.hpp"

namespace auth::domain {

using shared::WallTime;

struct EndedSession {
    std::string sid;
    WallTime ended_at{};
    WallTime until{};
};

// For one thread. Times are kept in milliseconds, as the stores do.
class RevocationView {
  public:
    // `overlap`: longer than the longest write can take plus the difference between two replicas' clocks.
    // `page`: entries of one answer at most.
    explicit RevocationView(std::chrono::seconds overlap = std::chrono::seconds(30), std::size_t page = 5000)
        : overlap_(overlap), page_(page) {}

    // Adds what is not known yet; true if something was.
    bool merge(const std::vector<EndedSession>& entries);
    bool contains(std::string_view sid, WallTime now) const;
    // Forgets what every verifier refuses by itself now.
    void expire(WallTime now);
    std::size_t size() const { return by_sid_.size(); }
    std::chrono::seconds overlap() const { return overlap_; }

    struct Answer {
        std::string cursor;
        bool reset = false;  // the cursor was not ours: it begins anew with everything there is
        bool more = false;   // ask again at once with the cursor
        std::vector<EndedSession> entries;
    };
    Answer snapshot(WallTime now) const;
    Answer since(std::string_view cursor, WallTime now) const;

  private:
    // Session ids are 22 characters; a fixed size keeps 100,000 entries below 20 MB.
    using Sid = std::array<char, 24>;
    struct SidHash {
        std::size_t operator()(const Sid& sid) const noexcept;
    };
    struct Entry {
        std::int64_t ended_ms;
        Sid sid;
        auto operator<=>(const Entry&) const = default;
    };
    struct Digest {
        std::uint64_t count = 0;
        std::uint64_t sum = 0;
        bool operator==(const Digest&) const = default;
    };
    // From where to where an answer goes, and what whoever asks knows of the overlap before `to_ms`.
    struct Span {
        Entry after{};
        std::int64_t to_ms = 0;
        Digest known;
    };
    static bool to_sid(std::string_view text, Sid& sid);
    static std::string_view to_text(const Sid& sid);
    static std::uint64_t hash(const Sid& sid);
    static std::optional<Span> parse_page(std::string_view cursor);
    std::int64_t overlap_ms() const { return std::chrono::milliseconds(overlap_).count(); }
    Digest digest(std::int64_t after_ms, std::int64_t to_ms) const;
    std::int64_t next_position(std::int64_t previous_ms, WallTime now) const;
    Answer answer(Span span) const;

    std::chrono::seconds overlap_;
    std::size_t page_;
    std::set<Entry> by_time_;
    std::unordered_map<Sid, std::int64_t, SidHash> by_sid_;  // until, ms
};

}  // namespace auth::domain
