// What is decided about a request by its head alone; internal to shared/http.
#pragma once

#include <optional>

#include "shared/http/server_state.hpp"

namespace shared::http {

// By method, path, token and query: 404, 405, OPTIONS, 401, 403, 422. Sets the request's claims.
std::optional<Response> refuse(const ServerState& state, Request& request, const Router::Match& match);

// 415. Of a request that has a body; one without is the handler's to judge.
std::optional<Response> check_content_type(const Request& request, const RouteRules& rules);

}  // namespace shared::http
