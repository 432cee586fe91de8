// Targets that the gateway answers by itself.
#pragma once

#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/worker_resources.hpp"

namespace gateway::respond {

// /health and /ready.
void answer_builtin(exchange::Exchange& exchange, const config::BuiltinTarget& target,
                    const exchange::WorkerResources& worker);
void answer_redirect(exchange::Exchange& exchange, const config::RedirectTarget& target);

}  // namespace gateway::respond
