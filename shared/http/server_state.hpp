// What the connections of a Server share; internal to shared/http.
#pragma once

#include "shared/http/networks.hpp"
#include "shared/http/request_log.hpp"
#include "shared/http/router.hpp"
#include "shared/http/server.hpp"
#include "shared/http/turns.hpp"

namespace shared::http {

struct ServerState {
    ServerState(ServerOptions options_, Router router_, TokenCheck check_, metrics::Registry& metrics)
        : options(std::move(options_)),
          router(std::move(router_)),
          check(std::move(check_)),
          trusted(options.trusted_proxies),
          turns(options, metrics),
          log(metrics) {}

    const ServerOptions options;
    const Router router;
    TokenCheck check;
    const Networks trusted;
    Turns turns;
    RequestLog log;
    bool retired = false;  // each answer ends its connection
    bool draining = false;
};

}  // namespace shared::http
