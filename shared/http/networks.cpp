#include "shared/http/networks.hpp"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

namespace shared::http {

namespace ip = boost::asio::ip;

namespace {

ip::address unmap(const ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return ip::make_address_v4(ip::v4_mapped, address.to_v6());
    return address;
}

}  // namespace

Networks::Networks(const std::vector<std::string>& entries) {
    for (const auto& entry : entries) {
        boost::system::error_code error;
        const bool is_v6 = entry.find(':') != std::string::npos;
        const bool has_length = entry.find('/') != std::string::npos;
        if (is_v6)
            v6_.push_back(ip::make_network_v6(has_length ? entry : entry + "/128", error));
        else
            v4_.push_back(ip::make_network_v4(has_length ? entry : entry + "/32", error));
        if (error)
            throw std::invalid_argument("\"" + entry +
                                        "\" is neither an address nor a network like 10.0.0.0/8");
    }
}

bool Networks::contains(const ip::address& address) const {
    const auto plain = unmap(address);
    if (plain.is_v4()) {
        for (const auto& network : v4_)
            if (network.canonical() == ip::network_v4(plain.to_v4(), network.prefix_length()).canonical())
                return true;
        return false;
    }
    for (const auto& network : v6_)
        if (network.canonical() == ip::network_v6(plain.to_v6(), network.prefix_length()).canonical())
            return true;
    return false;
}

std::string counted_as(std::string_view address) {
    boost::system::error_code error;
    if (address.find(':') == std::string_view::npos) return std::string(address);
    const auto parsed = ip::make_address_v6(std::string(address), error);
    if (error) return std::string(address);
    if (parsed.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, parsed).to_string();
    auto bytes = parsed.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return ip::make_address_v6(bytes).to_string() + "/64";
}

std::string client_address(const ip::address& peer, std::string_view told, const Networks& trusted) {
    boost::system::error_code error;
    if (!told.empty() && trusted.contains(unmap(peer))) {
        const auto client = ip::make_address(std::string(told), error);
        if (!error) return unmap(client).to_string();
    }
    return unmap(peer).to_string();
}

}  // namespace shared::http
