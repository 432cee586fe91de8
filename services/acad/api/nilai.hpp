// /api/acad/krs/{id}/nilai: grades and their history.
#pragma once

#include "services/acad/api/common.hpp"
#include "services/acad/api/context.hpp"

namespace acad::api {

Reply put_nilai(Context& context, Request& request);
Reply list_nilai_changes(Context& context, Request& request);

}  // namespace acad::api
