#include "gateway/limits/key_hash.hpp"

#include <bit>
#include <cstring>
#include <string>

#include "shared/base/random.hpp"

namespace gateway::limits {
namespace {

struct Seed {
    std::uint64_t k0;
    std::uint64_t k1;
};

const Seed& seed() {
    static const Seed kSeed = [] {
        const auto bytes = shared::random_bytes(sizeof(Seed));
        Seed s{};
        std::memcpy(&s, bytes.data(), sizeof s);
        return s;
    }();
    return kSeed;
}

void round(std::uint64_t (&v)[4]) {
    v[0] += v[1];
    v[1] = std::rotl(v[1], 13) ^ v[0];
    v[0] = std::rotl(v[0], 32);
    v[2] += v[3];
    v[3] = std::rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = std::rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = std::rotl(v[1], 17) ^ v[2];
    v[2] = std::rotl(v[2], 32);
}

}  // namespace

KeyHash::KeyHash(std::uint64_t policy)
    : v_{seed().k0 ^ 0x736F6D6570736575, seed().k1 ^ 0x646F72616E646F6D ^ 0xEE,
         seed().k0 ^ 0x6C7967656E657261, seed().k1 ^ 0x7465646279746573} {
    word(policy);
}

void KeyHash::word(std::uint64_t w) {
    v_[3] ^= w;
    round(v_);
    round(v_);
    v_[0] ^= w;
}

void KeyHash::part(std::string_view text) {
    word(text.size());  // in front, so that no text can look like a delimiter
    while (!text.empty()) {
        std::uint64_t w = 0;
        const auto length = text.size() < sizeof w ? text.size() : sizeof w;
        std::memcpy(&w, text.data(), length);
        word(w);
        text.remove_prefix(length);
    }
}

KeyHash::Value KeyHash::value() const {
    std::uint64_t v[4] = {v_[0], v_[1], v_[2] ^ 0xEE, v_[3]};
    for (int i = 0; i < 4; ++i) round(v);
    const auto high = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xDD;
    for (int i = 0; i < 4; ++i) round(v);
    return {high, v[0] ^ v[1] ^ v[2] ^ v[3]};
}

}  // namespace gateway::limits
