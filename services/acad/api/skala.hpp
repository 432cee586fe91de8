// /api/acad/skala_nilai: the grade scales.
#pragma once

#include "services/acad/api/routes.hpp"
#include "services/acad/store/skala.hpp"

namespace acad::api {

class Skala {
  public:
    explicit Skala(shared::pg::Pool& pool) : store_(pool) {}
    void routes(Routes& routes);

  private:
    Reply list(Request& request);
    Reply put(Request& request);

    store::SkalaStore store_;
};

}  // namespace acad::api
