#include "shared/jwt/revocation_set.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <limits>
#include <new>

#include "shared/base/random.hpp"

namespace shared::jwt {
namespace {

constexpr unsigned kMinLog2 = 10;

constexpr std::size_t capacity(unsigned log2_slots) {
    return (std::size_t{1} << log2_slots) / 5 * 4;
}

std::uint32_t clamp_seconds(std::int64_t seconds) {
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(seconds, 0, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

HashSeed HashSeed::random() {
    const auto bytes = random_bytes(16);
    return {detail::load64(bytes.data()), detail::load64(bytes.data() + 8)};
}

RevocationSet::RevocationSet(std::size_t max_entries)
    : seed_(HashSeed::random()), max_entries_(std::max<std::size_t>(max_entries, 1)) {
    use_table(kMinLog2);
}

RevocationSet::~RevocationSet() {
    for (const auto& table : tables_)
        if (table.slots != nullptr) munmap(table.slots, (table.mask + 1) * sizeof(Slot));
}

std::uint64_t RevocationSet::fingerprint(std::string_view sid) const {
    const auto print = seeded_hash(seed_, sid);
    return print == 0 ? 1 : print;
}

// Every slot is read with acquire and written with release: a reader that sees one moved entry also sees that
// the sequence has changed. The table is never full, so the search ends.
std::size_t RevocationSet::find_slot(const Table& table, std::uint64_t print) const {
    for (std::size_t i = print & table.mask;; i = (i + 1) & table.mask) {
        const auto here = table.slots[i].load(std::memory_order_acquire);
        if (here == print || here == 0) return i;
    }
}

bool RevocationSet::contains(std::string_view sid) const {
    const auto print = fingerprint(sid);
    for (;;) {
        const auto before = sequence_.load(std::memory_order_acquire);
        if ((before & 1) != 0) continue;
        const Table& table = *table_.load(std::memory_order_acquire);
        std::uint64_t here = 0;
        std::size_t i = print & table.mask;
        // Bounded by the table: entries that move under the search could otherwise keep it going.
        for (std::size_t steps = 0; steps <= table.mask; ++steps, i = (i + 1) & table.mask) {
            here = table.slots[i].load(std::memory_order_acquire);
            if (here == print || here == 0) break;
        }
        if (here == print) return true;  // entries move, but are never made up
        if (sequence_.load(std::memory_order_acquire) == before) return false;
    }
}

template <class F>
void RevocationSet::change(F&& move_entries) {
    const auto sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_release);
    move_entries();
    sequence_.store(sequence + 2, std::memory_order_release);
}

// Moves everything into the table of that size.
void RevocationSet::use_table(unsigned log2_slots) {
    const std::size_t slots = std::size_t{1} << log2_slots;
    auto& next = tables_[log2_slots];
    if (next.slots == nullptr) {
        void* pages =
            mmap(nullptr, slots * sizeof(Slot), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED) throw std::bad_alloc();
        // Zero bytes are empty slots: std::atomic<std::uint64_t> is that word and nothing more.
        static_assert(sizeof(Slot) == sizeof(std::uint64_t) && Slot::is_always_lock_free);
        next.slots = static_cast<Slot*>(pages);
        next.mask = slots - 1;
    }
    std::vector<std::uint32_t> until(slots);
    const Table* const old = table_.load(std::memory_order_relaxed);
    change([&] {
        if (old != nullptr) {
            for (std::size_t i = 0; i <= old->mask; ++i) {
                const auto print = old->slots[i].load(std::memory_order_relaxed);
                if (print == 0) continue;
                const auto to = find_slot(next, print);
                next.slots[to].store(print, std::memory_order_release);
                until[to] = until_[i];
            }
        }
        table_.store(&next, std::memory_order_release);
    });
    until_ = std::move(until);
    log2_slots_ = log2_slots;
    if (old != nullptr) madvise(old->slots, (old->mask + 1) * sizeof(Slot), MADV_DONTNEED);
    memory_.store(slots * (sizeof(Slot) + sizeof(std::uint32_t)), std::memory_order_relaxed);
}

bool RevocationSet::insert(std::string_view sid, std::int64_t until) {
    const auto print = fingerprint(sid);
    const auto* table = table_.load(std::memory_order_relaxed);
    auto slot = find_slot(*table, print);
    if (table->slots[slot].load(std::memory_order_relaxed) == print) {
        until_[slot] = std::max(until_[slot], clamp_seconds(until));
        return true;
    }
    const auto size = size_.load(std::memory_order_relaxed);
    if (size >= max_entries_) return false;
    if (size >= capacity(log2_slots_)) {
        use_table(log2_slots_ + 1);
        table = table_.load(std::memory_order_relaxed);
        slot = find_slot(*table, print);
    }
    until_[slot] = clamp_seconds(until);
    table->slots[slot].store(print, std::memory_order_release);
    size_.store(size + 1, std::memory_order_relaxed);
    version_.fetch_add(1, std::memory_order_release);
    return true;
}

// Entries behind the hole that would no longer be found move into it (deletion without tombstones).
void RevocationSet::remove_slot(std::size_t hole) {
    const Table& table = *table_.load(std::memory_order_relaxed);
    change([&] {
        for (std::size_t i = (hole + 1) & table.mask;; i = (i + 1) & table.mask) {
            const auto print = table.slots[i].load(std::memory_order_relaxed);
            if (print == 0) break;
            const auto home = print & table.mask;
            // Its probe path from `home` to `i` leads over the hole?
            if (((i - home) & table.mask) < ((i - hole) & table.mask)) continue;
            table.slots[hole].store(print, std::memory_order_release);
            until_[hole] = until_[i];
            hole = i;
        }
        table.slots[hole].store(0, std::memory_order_release);
        until_[hole] = 0;
    });
}

std::size_t RevocationSet::sweep(std::int64_t now) {
    const auto limit = clamp_seconds(now);
    const Table& table = *table_.load(std::memory_order_relaxed);
    std::size_t removed = 0;
    for (std::size_t i = 0; i <= table.mask;) {
        // After a removal another entry may stand here: look again.
        if (table.slots[i].load(std::memory_order_relaxed) != 0 && until_[i] <= limit) {
            remove_slot(i);
            ++removed;
        } else {
            ++i;
        }
    }
    const auto left = size_.load(std::memory_order_relaxed) - removed;
    size_.store(left, std::memory_order_relaxed);
    auto fitting = log2_slots_;
    while (fitting > kMinLog2 && left < capacity(fitting) / 8) --fitting;
    if (fitting != log2_slots_) use_table(fitting);
    return removed;
}

}  // namespace shared::jwt
