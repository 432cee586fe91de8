#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/response_filter.hpp"

namespace gateway::pipeline {

namespace {

void add_request_id(exchange::Exchange& exchange, exchange::Reply& reply, std::vector<wire::Addition>&) {
    reply.request_id = exchange.request_id;
}

}  // namespace

extern const exchange::ResponseFilter kRequestId;
const exchange::ResponseFilter kRequestId{"request_id", add_request_id, nullptr, nullptr};

}  // namespace gateway::pipeline
