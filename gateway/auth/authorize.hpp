// May this caller use this route? Pure: a verified identity, the route's rule, the request.
#pragma once

#include <string_view>

#include "gateway/auth/identity.hpp"
#include "gateway/auth/token_gate.hpp"
#include "gateway/config/config.hpp"

namespace gateway::auth {

// Empty: yes. Else why not: "role_missing", "scope_missing", "claim_mismatch".
std::string_view authorize(const Identity& identity, const config::AuthRule& rule,
                           const RequestFacts& request);

// Whether a query parameter that the rule looks at is there twice: one reader takes the first, another the
// last.
bool repeats_a_parameter(const config::AuthRule& rule, const RequestFacts& request);

}  // namespace gateway::auth
