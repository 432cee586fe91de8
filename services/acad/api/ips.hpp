// GET /api/acad/ips: the semester average of one student, in the keys of the first release.
#pragma once

#include "services/acad/api/common.hpp"
#include "services/acad/api/context.hpp"

namespace acad::api {

Reply get_ips(Context& context, Request& request);

}  // namespace acad::api
