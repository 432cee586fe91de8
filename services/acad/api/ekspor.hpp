// GET /api/acad/ekspor/…: CSV of everything.
#pragma once

#include "services/acad/api/resource.hpp"

namespace acad::api {

Reply export_csv(Context& context, const store::Table& table);

template <const Resource& resource>
Reply export_rows(Context& context, Request&) {
    return export_csv(context, resource.table);
}
Reply export_krs(Context& context, Request& request);
// Each student's averages and credits per term, as the national report (AKM) asks for them.
Reply export_akm(Context& context, Request& request);

}  // namespace acad::api
