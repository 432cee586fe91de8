// POST /api/acad/impor/…: CSV, all rows or none.
#pragma once

#include "services/acad/api/resource.hpp"

namespace acad::api {

Reply import_csv(Context& context, Request& request, store::Sasaran sasaran);

template <const Resource& resource>
Reply import_rows(Context& context, Request& request) {
    return import_csv(context, request, {resource.table.columns, &resource.table});
}
// Enrolments; the sks limit and the windows do not apply.
Reply import_krs(Context& context, Request& request);

}  // namespace acad::api
