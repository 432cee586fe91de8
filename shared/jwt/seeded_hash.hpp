// A fast 64-bit hash with a secret seed, for tables whose keys come from outside: without the seed nobody can
// choose keys that collide. Not a MAC; tables compare the full key, or hold only keys that a signature
// vouches for.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace shared::jwt {

struct HashSeed {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    static HashSeed random();  // from the system's generator
};

namespace detail {

__extension__ using Uint128 = unsigned __int128;

// Both halves of the product of two words, folded: every input bit reaches about half of the output bits.
inline std::uint64_t fold(std::uint64_t x, std::uint64_t y) {
    const Uint128 product = static_cast<Uint128>(x) * y;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t load64(const char* p) {
    std::uint64_t word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

}  // namespace detail

inline std::uint64_t seeded_hash(const HashSeed& seed, std::string_view text) {
    using detail::fold;
    using detail::load64;
    const char* p = text.data();
    std::size_t left = text.size();
    std::uint64_t x = seed.a;
    std::uint64_t y = seed.b;
    // Two independent chains, so that the multiplications overlap.
    for (; left > 32; left -= 32, p += 32) {
        x = fold(load64(p) ^ x, load64(p + 8) ^ seed.b);
        y = fold(load64(p + 16) ^ y, load64(p + 24) ^ seed.a);
    }
    // The last 32 bytes, some of them twice: cheaper than copying what is left, and the size goes in below.
    char padded[32] = {};
    const char* tail = padded;
    if (text.size() >= 32)
        tail = p + left - 32;
    else if (left > 0)
        std::memcpy(padded, p, left);
    x = fold(load64(tail) ^ x, load64(tail + 8) ^ seed.b);
    y = fold(load64(tail + 16) ^ y, load64(tail + 24) ^ seed.a);
    return fold(x ^ text.size() ^ 0x9E3779B97F4A7C15ULL, y ^ 0xD1B54A32D192ED03ULL);
}

}  // namespace shared::jwt
