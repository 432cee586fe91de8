// What operators ask: is it up, and how busy is it. Open, and never routed by the gateway.
#pragma once

#include "services/acad/api/common.hpp"
#include "services/acad/api/context.hpp"

namespace acad::api {

// 200 while requests should come here.
Reply health(Context& context, Request& request);
// 200 while the process serves at all: a restart would not bring a database back.
Reply live(Context& context, Request& request);
Reply metrics(Context& context, Request& request);

}  // namespace acad::api
