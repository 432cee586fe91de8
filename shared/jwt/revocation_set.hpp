// The ended sessions whose access tokens have not expired yet.
//
// One writer, any number of readers; readers take no lock, make no system call and wait at most for the
// writer to move one entry. Bounded: at most `max_entries`, 12 bytes a slot, slots filled to 80 % at most, so
// 100,000 ended sessions need 1.5 MiB (test/bench/jwt measures it).
//
// How: an open-addressing table of 64-bit fingerprints (a seeded hash of the sid). A new entry is one atomic
// store. Removing and growing move entries; they happen inside a sequence lock, and a reader that overlapped
// one looks again. A wrong "ended" needs two sids with the same 64-bit fingerprint, and sids are chosen by
// the issuer, never by a client: with 100,000 entries the odds are 1 in 10^14 for each live session.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "shared/jwt/seeded_hash.hpp"

namespace shared::jwt {

class RevocationSet {
  public:
    explicit RevocationSet(std::size_t max_entries = 1'000'000);
    ~RevocationSet();
    RevocationSet(const RevocationSet&) = delete;
    RevocationSet& operator=(const RevocationSet&) = delete;

    // ---- the writer (one thread at a time)

    // The session is over; its last access token has expired for sure at `until` (seconds since the epoch).
    // Known ones keep the later time. False: full, the entry is not taken (sweep first, else tell the
    // operator).
    bool insert(std::string_view sid, std::int64_t until);
    // Drops entries whose `until` has passed; returns how many. Gives memory back when few are left.
    std::size_t sweep(std::int64_t now);

    // ---- readers

    bool contains(std::string_view sid) const;
    // Grows with each new entry: who has checked a session at one version need not look again at the same
    // one.
    std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
    std::size_t size() const { return size_.load(std::memory_order_relaxed); }
    std::size_t memory_bytes() const { return memory_.load(std::memory_order_relaxed); }

  private:
    using Slot = std::atomic<std::uint64_t>;  // 0: empty
    struct Table {
        Slot* slots = nullptr;
        std::size_t mask = 0;  // slots - 1
    };

    std::uint64_t fingerprint(std::string_view sid) const;
    std::size_t find_slot(const Table& table,
                          std::uint64_t print) const;  // its slot, or the empty one behind
    void use_table(unsigned log2_slots);
    void remove_slot(std::size_t hole);
    template <class F>
    void change(F&& move_entries);

    const HashSeed seed_;
    const std::size_t max_entries_;
    // Tables by log2 of their size. One that is left gives its pages back but keeps its address, so that a
    // reader that still looks at it reads zeros and then notices the change. Together at most twice the
    // largest.
    std::array<Table, 40> tables_{};
    std::atomic<const Table*> table_{nullptr};
    unsigned log2_slots_ = 0;
    std::vector<std::uint32_t> until_;        // by slot; the writer's only
    std::atomic<std::uint64_t> sequence_{0};  // odd: entries are being moved
    std::atomic<std::uint64_t> version_{1};
    std::atomic<std::size_t> size_{0};
    std::atomic<std::size_t> memory_{0};
};

}  // namespace shared::jwt
