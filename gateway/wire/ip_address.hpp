// IP addresses and networks, as plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::wire {

// IPv4 is kept as its IPv4-mapped IPv6 form, so that both spellings of one address are equal.
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};

    static std::optional<IpAddress> parse(std::string_view text);  // no port, no brackets, no zone
    static IpAddress v4(std::uint32_t host_order);
    bool is_v4() const;
    std::string to_string() const;
    // What clients are counted by. One customer has a whole /64 of IPv6: its addresses count together.
    std::string_view counted_bytes() const {
        return {reinterpret_cast<const char*>(bytes.data()), is_v4() ? bytes.size() : 8};
    }
    bool operator==(const IpAddress&) const = default;
};

struct Network {
    IpAddress address;
    unsigned prefix_bits = 128;  // of the 128-bit form

    static std::optional<Network> parse(std::string_view text);  // "10.0.0.0/8", "::1", "127.0.0.1"
    bool contains(const IpAddress& candidate) const;
    std::string to_string() const;
    bool operator==(const Network&) const = default;
};

bool contains(const std::vector<Network>& networks, const IpAddress& address);

}  // namespace gateway::wire
