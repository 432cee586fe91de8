// A worker's connections and the requests they reuse, besides what everything in a worker shares.
#pragma once

#include <memory>
#include <vector>

#include "gateway/exchange/worker_resources.hpp"
#include "gateway/http/connection_list.hpp"
#include "gateway/respond/active_request.hpp"

namespace gateway::http {

struct WorkerContext : exchange::WorkerResources {
    using WorkerResources::WorkerResources;

    // Reused objects: no allocation per request once a worker has warmed up.
    std::unique_ptr<respond::ActiveRequest> take_request();
    void give_back(std::unique_ptr<respond::ActiveRequest> request);
    // Called about twice a second: memory that a burst needed and nobody used since goes back to the system.
    void trim();

    // Every open connection.
    ConnectionList sessions;
    // Those that make room where all places are taken, each list in the order they came, the oldest first.
    // Expendable: have never completed a head, or have their last answer and do not go. Idle: without a
    // request.
    ConnectionList expendable;
    ConnectionList idle;
    Http1Connection* first_to_go() const { return expendable.first ? expendable.first : idle.first; }

    std::vector<std::unique_ptr<respond::ActiveRequest>> spare_requests;
    std::size_t least_spare = 0;     // since the last trim(): so many were not needed
    std::size_t freed_requests = 0;  // since memory was last given back
};

}  // namespace gateway::http
