#include "gateway/wire/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "shared/base/text.hpp"

namespace gateway::wire {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
    IpAddress address;
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
    for (unsigned i = 0; i < 4; ++i)
        address.bytes[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return address;
}

bool IpAddress::is_v4() const {
    return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN + 1> terminated{};  // inet_pton wants a C string
    if (text.empty() || text.size() >= terminated.size() || text.find('\0') != std::string_view::npos)
        return std::nullopt;
    std::memcpy(terminated.data(), text.data(), text.size());
    in_addr four{};
    if (inet_pton(AF_INET, terminated.data(), &four) == 1) return v4(ntohl(four.s_addr));
    IpAddress address;
    if (inet_pton(AF_INET6, terminated.data(), address.bytes.data()) == 1) return address;
    return std::nullopt;
}

std::string IpAddress::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_v4())
        inet_ntop(AF_INET, bytes.data() + 12, text.data(), text.size());
    else
        inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    return text.data();
}

std::optional<Network> Network::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const bool four = text.substr(0, slash).find(':') == std::string_view::npos;
    unsigned bits = four ? 32 : 128;
    if (slash != std::string_view::npos) {
        const auto prefix = shared::parse_number<unsigned>(text.substr(slash + 1));
        if (!prefix || *prefix > bits) return std::nullopt;
        bits = *prefix;
    }
    return Network{*address, four ? bits + 96 : bits};
}

bool Network::contains(const IpAddress& candidate) const {
    const unsigned whole = prefix_bits / 8;
    if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, candidate.bytes.begin()))
        return false;
    const unsigned rest = prefix_bits % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xFF << (8 - rest));
    return (address.bytes[whole] & mask) == (candidate.bytes[whole] & mask);
}

std::string Network::to_string() const {
    const bool four = address.is_v4() && prefix_bits >= 96;
    return address.to_string() + '/' + std::to_string(four ? prefix_bits - 96 : prefix_bits);
}

bool contains(const std::vector<Network>& networks, const IpAddress& address) {
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Network& n) { return n.contains(address); });
}

}  // namespace gateway::wire
