#pragma once

#include <string>

namespace gateway::limits {
class KeyedLimiter;
}
namespace gateway::net {
class Poller;
}
namespace gateway::observe {
class AccessLog;
class IdSource;
struct WorkerStats;
}  // namespace gateway::observe

namespace gateway::exchange {

// What of its worker the filters of a request use, and nothing more.
struct Tools {
    limits::KeyedLimiter& limiter;
    observe::IdSource& ids;
    observe::WorkerStats& stats;
    observe::AccessLog& log;
    const net::Poller& clock;  // of the turn
    const std::string& date;   // value of Date
};

}  // namespace gateway::exchange
