#include "gateway/observe/ids.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "gateway/wire/head_writer.hpp"
#include "shared/base/random.hpp"

namespace gateway::observe {

namespace {

// Sixteen digits, eight at a time in one register: a byte for each, first its value, then its letter. The
// lowest digit comes first, which is as random as the other way round.
void hex(std::uint64_t value, char* out) {
    for (const std::uint64_t half : {value & 0xFFFFFFFF, value >> 32}) {
        std::uint64_t digits = (half | half << 16) & 0x0000FFFF0000FFFF;
        digits = (digits | digits << 8) & 0x00FF00FF00FF00FF;
        digits = (digits | digits << 4) & 0x0F0F0F0F0F0F0F0F;
        const std::uint64_t letters = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;  // 10 to 15
        digits += 0x3030303030303030 + letters * ('a' - '0' - 10);
        std::memcpy(out, &digits, sizeof digits);
        out += sizeof digits;
    }
}

}  // namespace

IdSource::IdSource() {
    const std::string seed = shared::random_bytes(sizeof state_);
    std::memcpy(state_.data(), seed.data(), sizeof state_);
    state_[0] |= 1;  // the all-zero state is the one that must not be
}

// xoshiro256++ (Blackman, Vigna; public domain).
std::uint64_t IdSource::next() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

void IdSource::request_id(RequestId& out) {
    static constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
    std::uint64_t high = next();
    std::uint64_t low = next();
    for (std::size_t i = 0; i < 13; ++i) {
        out[i] = kDigits[high & 31];
        high >>= 5;
        out[13 + i] = kDigits[low & 31];
        low >>= 5;
    }
}

void IdSource::traceparent(std::string_view incoming, Traceparent& out) {
    if (wire::valid_traceparent(incoming)) {
        std::copy_n(incoming.data(), out.size(), out.data());
    } else {
        std::copy_n("00-", 3, out.data());
        hex(next() | 1, out.data() + 3);
        hex(next(), out.data() + 19);
        out[35] = '-';
        std::copy_n("-00", 3, out.data() + 52);
    }
    hex(next() | 1, out.data() + 36);
}

}  // namespace gateway::observe
