// All endpoints of the service, in one table.
#pragma once

#include <functional>
#include <span>

#include "services/acad/api/context.hpp"
#include "shared/http/endpoint.hpp"

namespace acad::api {

std::span<const shared::http::Endpoint<Context>> endpoints();

// `context` must outlive the router. Until `ready` all but health, liveness and metrics answer 503.
shared::http::Router make_router(Context& context, std::function<bool()> ready);

}  // namespace acad::api
