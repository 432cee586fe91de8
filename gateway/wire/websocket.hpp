// Opening handshake of WebSocket (RFC 6455). The gateway tunnels frames; it does not read them.
#pragma once

#include <string>
#include <string_view>

namespace gateway::wire {

// Value that Sec-WebSocket-Accept must have for this key.
std::string websocket_accept(std::string_view key);

}  // namespace gateway::wire
