// Lists of IP networks: which peers are trusted proxies.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace shared::http {

class Networks {
  public:
    Networks() = default;
    // "10.0.0.0/8", "::1/128", or a single address. Throws std::invalid_argument naming the entry.
    explicit Networks(const std::vector<std::string>& entries);

    // IPv4-mapped IPv6 addresses count as IPv4.
    bool contains(const boost::asio::ip::address& address) const;

  private:
    std::vector<boost::asio::ip::network_v4> v4_;
    std::vector<boost::asio::ip::network_v6> v6_;
};

// How a client is counted: its address, of IPv6 the network of /64, because whoever has one address of it has
// all of them. Text that is no address stays as it is.
std::string counted_as(std::string_view address);

// The client's address: the peer, or, if that is a trusted proxy, the one that it tells in X-Client-Address.
// What is no address tells nothing.
std::string client_address(const boost::asio::ip::address& peer, std::string_view told,
                           const Networks& trusted);

}  // namespace shared::http
