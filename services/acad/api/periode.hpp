// /api/acad/periode_krs: when students may change their own krs.
#pragma once

#include "services/acad/api/common.hpp"
#include "services/acad/api/context.hpp"

namespace acad::api {

Reply list_periode(Context& context, Request& request);
Reply put_periode(Context& context, Request& request);

}  // namespace acad::api
