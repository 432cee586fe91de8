// What a request needs while it is under way; reused by later requests of the worker.
#pragma once

#include "gateway/exchange/exchange.hpp"
#include "gateway/respond/file_responder.hpp"
#include "gateway/respond/forwarder.hpp"

namespace gateway::respond {

struct ActiveRequest {
    explicit ActiveRequest(exchange::WorkerResources& worker);

    // Runs the request filters, and lets them or the route's target answer. The head has been read.
    void handle();
    // The exchange is over: lets go of everything.
    void end();

    exchange::WorkerResources& worker;
    exchange::Exchange exchange;
    Forwarder forwarder;
    FileResponder file;
};

}  // namespace gateway::respond
