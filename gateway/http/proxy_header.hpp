// The PROXY protocol, versions 1 and 2 (haproxy.org/download/2.6/doc/proxy-protocol.txt): how a load balancer
// in front tells who connected to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/net/listener.hpp"

namespace gateway::http {

struct ProxyHeader {
    enum class Status : std::uint8_t { incomplete, complete, refused };
    Status status = Status::incomplete;
    std::size_t consumed = 0;
    std::optional<net::Peer> client;  // absent: LOCAL or UNKNOWN, the connection's own peer counts
};

// No header is longer: version 1 has at most 107 bytes, of version 2 more than this is nothing we read.
inline constexpr std::size_t kMaxProxyHeader = 536;

ProxyHeader parse_proxy_header(std::string_view bytes);

}  // namespace gateway::http
