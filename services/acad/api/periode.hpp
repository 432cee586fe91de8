// /api/acad/periode_krs: when students may change their own krs.
#pragma once

#include "services/acad/api/routes.hpp"
#include "services/acad/store/periode.hpp"

namespace acad::api {

class Periode {
  public:
    explicit Periode(shared::pg::Pool& pool) : store_(pool) {}
    void routes(Routes& routes);

  private:
    Reply list(Request& request);
    Reply put(Request& request);

    store::PeriodeStore store_;
};

}  // namespace acad::api
