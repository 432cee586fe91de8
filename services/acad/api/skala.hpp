// /api/acad/skala_nilai: the grade scales.
#pragma once

#include "services/acad/api/common.hpp"
#include "services/acad/api/context.hpp"

namespace acad::api {

Reply list_skala(Context& context, Request& request);
Reply put_skala(Context& context, Request& request);

}  // namespace acad::api
