// Whose request is answered next; internal to shared/http. A client has a share of the service and waits for
// its own requests, not for other clients' ones: by `sub` where there is a token, because many people sit
// behind one address, else by address.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <optional>

#include "shared/async/fair_gate.hpp"
#include "shared/http/message.hpp"
#include "shared/http/route_rules.hpp"
#include "shared/http/server.hpp"

namespace shared::http {

class Turns {
  public:
    Turns(const ServerOptions& options, metrics::Registry& metrics);

    using Turn = async::FairGate::Place;  // ends when it goes
    // At once where there is room, else after others; nullopt: shed.
    boost::asio::awaitable<std::optional<Turn>> wait(const Request& request, Rate rate);
    // The first half of it: no turn, no wait.
    std::optional<Turn> take(const Request& request, Rate rate);

    void export_metrics();

  private:
    struct Gate {
        Gate(const char* name, Share share, const ServerOptions& options, metrics::Registry& metrics);
        async::FairGate gate;
        prometheus::Gauge& waiting;
        prometheus::Counter& shed;
    };
    Gate& of(Rate rate) { return gates_[static_cast<std::size_t>(rate)]; }

    std::array<Gate, 3> gates_;  // by Rate
};

}  // namespace shared::http
