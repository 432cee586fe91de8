// The set of ended sessions: one writer, many readers, bounded memory.
#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "shared/jwt/revocation_set.hpp"

using shared::jwt::RevocationSet;

namespace {

std::string sid(std::size_t number) {
    return "session-" + std::to_string(number);
}

}  // namespace

TEST_CASE("an ended session is known until its last token has expired") {
    RevocationSet set;
    CHECK_FALSE(set.contains("s-1"));
    CHECK(set.insert("s-1", 100));
    CHECK(set.contains("s-1"));
    CHECK_FALSE(set.contains("s-2"));
    CHECK_FALSE(set.contains(""));
    CHECK(set.sweep(99) == 0);
    CHECK(set.contains("s-1"));
    CHECK(set.sweep(100) == 1);
    CHECK_FALSE(set.contains("s-1"));
    CHECK(set.size() == 0);
}

TEST_CASE("the same session twice is one entry with the later time") {
    RevocationSet set;
    set.insert("s", 200);
    const auto version = set.version();
    set.insert("s", 100);
    CHECK(set.size() == 1);
    CHECK(set.version() == version);
    set.sweep(150);
    CHECK(set.contains("s"));
    set.insert("s", 300);
    set.sweep(250);
    CHECK(set.contains("s"));
}

TEST_CASE("the version moves with each new entry, after the entry can be seen") {
    RevocationSet set;
    const auto before = set.version();
    set.insert("a", 1);
    CHECK(set.version() != before);
}

TEST_CASE("a full set says so and takes entries again after a sweep") {
    RevocationSet set(10);
    for (std::size_t i = 0; i < 10; ++i) CHECK(set.insert(sid(i), static_cast<std::int64_t>(i)));
    CHECK_FALSE(set.insert("one more", 100));
    CHECK(set.insert(sid(3), 50));  // a known one is no new entry
    set.sweep(4);
    CHECK(set.insert("one more", 100));
    CHECK(set.contains("one more"));
}

TEST_CASE("100,000 ended sessions fit into 3 MB, and the memory comes back") {
    RevocationSet set;
    const auto empty = set.memory_bytes();
    for (std::size_t i = 0; i < 100'000; ++i) REQUIRE(set.insert(sid(i), 1000));
    CHECK(set.size() == 100'000);
    CHECK(set.memory_bytes() <= 3'000'000);
    for (std::size_t i = 0; i < 100'000; ++i) REQUIRE(set.contains(sid(i)));
    for (std::size_t i = 100'000; i < 200'000; ++i) REQUIRE_FALSE(set.contains(sid(i)));
    CHECK(set.sweep(1000) == 100'000);
    CHECK(set.memory_bytes() == empty);
    for (std::size_t i = 0; i < 100'000; ++i) REQUIRE_FALSE(set.contains(sid(i)));
}

TEST_CASE("random inserts and sweeps agree with a plain map") {
    std::mt19937 random(7);
    RevocationSet set;
    std::unordered_map<std::string, std::int64_t> model;
    std::int64_t now = 0;
    for (int step = 0; step < 60'000; ++step) {
        const auto name = sid(random() % 5000);
        const auto until = now + static_cast<std::int64_t>(random() % 300) + 1;
        REQUIRE(set.insert(name, until));
        model[name] = std::max(model[name], until);
        if (random() % 50 == 0) {
            now += static_cast<std::int64_t>(random() % 40);
            std::erase_if(model, [&](const auto& entry) { return entry.second <= now; });
            set.sweep(now);
            REQUIRE(set.size() == model.size());
            const auto probe = sid(random() % 5000);
            REQUIRE(set.contains(probe) == model.contains(probe));
        }
    }
    for (std::size_t i = 0; i < 5000; ++i) CHECK(set.contains(sid(i)) == model.contains(sid(i)));
}

TEST_CASE("readers never miss a session that stays ended while others come and go") {
    RevocationSet set;
    std::vector<std::string> staying;
    for (std::size_t i = 0; i < 500; ++i) {
        staying.push_back("staying-" + std::to_string(i));
        set.insert(staying.back(), 1'000'000);
    }
    std::atomic<bool> done{false};
    std::atomic<int> missed{0};
    std::atomic<int> invented{0};
    std::vector<std::thread> readers;
    for (int t = 0; t < 3; ++t)
        readers.emplace_back([&] {
            while (!done.load()) {
                for (const auto& name : staying)
                    if (!set.contains(name)) ++missed;
                for (std::size_t i = 0; i < 100; ++i)
                    if (set.contains("never-" + std::to_string(i))) ++invented;
            }
        });
    for (int round = 1; round <= 40; ++round) {  // grows to 4,000 entries and shrinks again
        for (std::size_t i = 0; i < 4000; ++i) set.insert(sid(i), round);
        set.sweep(round);
    }
    done = true;
    for (auto& reader : readers) reader.join();
    CHECK(missed == 0);
    CHECK(invented == 0);
    CHECK(set.size() == staying.size());
}

TEST_CASE("readers never miss a session that moves while others before it are taken out") {
    // A table of the smallest size, as full as it gets: entries stand in long runs, and each one that goes
    // lets those behind it move up. Sessions that stay come last, so that they move most.
    constexpr std::size_t kEntries = 1024 / 5 * 4;
    constexpr std::size_t kStaying = 100;
    constexpr std::int64_t kRounds = 60;
    RevocationSet set;
    const auto memory = set.memory_bytes();
    std::atomic<std::int64_t> round{0};  // that the readers look in
    std::atomic<int> looking{0};         // readers that have begun to
    std::atomic<bool> swept{false};      // it is over
    std::atomic<int> missed{0};
    constexpr int kReaders = 2;
    std::vector<std::thread> readers;
    for (int t = 0; t < kReaders; ++t)
        readers.emplace_back([&] {
            for (std::int64_t mine = 1; mine <= kRounds; ++mine) {
                while (round.load() < mine) std::this_thread::yield();
                ++looking;
                do {
                    for (std::size_t i = 0; i < kStaying; ++i)
                        if (!set.contains("staying-" + std::to_string(i))) ++missed;
                } while (!swept.load());
                --looking;
            }
        });
    for (std::int64_t now = 1; now <= kRounds; ++now) {
        for (std::size_t i = 0; i < kEntries - kStaying; ++i) set.insert(sid(i), 2 * now);
        for (std::size_t i = 0; i < kStaying; ++i) set.insert("staying-" + std::to_string(i), 2 * now + 1);
        swept = false;
        round = now;
        while (looking.load() < kReaders) std::this_thread::yield();
        set.sweep(2 * now);
        swept = true;
        while (looking.load() > 0) std::this_thread::yield();
        REQUIRE(set.size() == kStaying);
        set.sweep(2 * now + 1);
    }
    for (auto& reader : readers) reader.join();
    CHECK(missed == 0);
    CHECK(set.memory_bytes() == memory);
}

TEST_CASE("the seeded hash depends on every byte, on the length and on the seed") {
    using shared::jwt::HashSeed;
    using shared::jwt::seeded_hash;
    const HashSeed seed{0x0123456789ABCDEF, 0xFEDCBA9876543210};
    for (const std::size_t size : {1, 7, 8, 31, 32, 33, 63, 64, 65, 100, 324}) {
        const std::string text(size, 'a');
        const auto hash = seeded_hash(seed, text);
        for (std::size_t i = 0; i < size; ++i) {
            auto other = text;
            other[i] = 'b';
            REQUIRE(seeded_hash(seed, other) != hash);
        }
        CHECK(seeded_hash(seed, text + "a") != hash);
        CHECK(seeded_hash(seed, text + std::string(1, '\0')) != hash);
        CHECK(seeded_hash({seed.a, seed.b + 1}, text) != hash);
        CHECK(seeded_hash({seed.a + 1, seed.b}, text) != hash);
    }
    CHECK(seeded_hash(seed, "") == seeded_hash(seed, std::string_view()));
}
