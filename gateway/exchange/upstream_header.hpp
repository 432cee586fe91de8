// What is decided by a header is decided by what the upstream will get, not by what a client has sent.
#pragma once

#include <string>
#include <string_view>

namespace gateway::exchange {

struct Exchange;

// Value of that name (lower-case) in the request upstream, whoever writes it; empty: it has none. The route
// is known; identity headers are there behind the token check only. `storage` may hold the value.
std::string_view upstream_header(const Exchange& exchange, std::string_view name, std::string& storage);

}  // namespace gateway::exchange
