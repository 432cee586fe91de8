// /api/acad/krs/{id}/nilai: grades and their history.
#pragma once

#include "services/acad/api/routes.hpp"
#include "services/acad/store/krs.hpp"

namespace acad::api {

class Nilai {
  public:
    Nilai(shared::pg::Pool& pool, domain::Ketentuan ketentuan) : store_(pool, ketentuan) {}
    void routes(Routes& routes);

  private:
    Reply put(Request& request);
    Reply history(Request& request);

    store::KrsStore store_;
};

}  // namespace acad::api
