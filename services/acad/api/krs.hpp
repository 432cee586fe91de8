// /api/acad/krs: enrolment. Grades are in api/nilai.
#pragma once

#include "services/acad/api/routes.hpp"
#include "services/acad/store/krs.hpp"

namespace acad::api {

// The JSON of one row, the same in every answer.
void write_krs(shared::json::Writer& writer, const store::Krs& row);
Response krs_not_found();
// The {id} of the path; nullopt for what is no id (and so does not exist).
std::optional<std::int64_t> krs_id(const Request& request);

class Krs {
  public:
    Krs(shared::pg::Pool& pool, domain::Ketentuan ketentuan) : store_(pool, ketentuan) {}
    void routes(Routes& routes);

  private:
    Reply list(Request& request);
    Reply get(Request& request);
    Reply create(Request& request);
    Reply remove(Request& request);

    store::KrsStore store_;
};

}  // namespace acad::api
