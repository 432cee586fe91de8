// What happens to every answer on its way to the client, whoever gives it; pipeline/response_filters.cpp has
// the list and its order.
#pragma once

#include <string_view>
#include <vector>

#include "gateway/exchange/client_side.hpp"

namespace gateway::exchange {

struct Exchange;

// Each step may be null.
struct ResponseFilter {
    std::string_view name;
    // Before the head is written. `additions` becomes `reply.additions` behind the last filter.
    void (*head)(Exchange& exchange, Reply& reply, std::vector<wire::Addition>& additions) = nullptr;
    // A piece of the body, or of a tunnel. Returns what goes on in its place.
    std::string_view (*body)(Exchange& exchange, std::string_view data, bool last) = nullptr;
    // The exchange is over, however it ended; it may have had no answer.
    void (*end)(Exchange& exchange) = nullptr;
};

}  // namespace gateway::exchange
