// /api/acad/krs: enrolment. Grades are in api/nilai.
#pragma once

#include "services/acad/api/common.hpp"
#include "services/acad/api/context.hpp"
#include "shared/http/refused.hpp"

namespace acad::api {

// The JSON of one row, the same in every answer, with its ETag.
Response one_krs(const Request& request, unsigned status, const store::Krs& row);
Response krs_not_found();
// The {id} of the path; what is no id does not exist.
shared::http::Refused<std::int64_t> krs_id(const Request& request);
// The row of that id.
boost::asio::awaitable<shared::http::Refused<store::Krs>> existing_krs(Context& context, Request& request);

Reply list_krs(Context& context, Request& request);
Reply get_krs(Context& context, Request& request);
Reply create_krs(Context& context, Request& request);
Reply remove_krs(Context& context, Request& request);

}  // namespace acad::api
