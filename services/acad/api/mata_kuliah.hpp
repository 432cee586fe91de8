// /api/acad/mata_kuliah: the catalogue.
#pragma once

#include "services/acad/api/routes.hpp"
#include "services/acad/store/mata_kuliah.hpp"

namespace acad::api {

class MataKuliah {
  public:
    explicit MataKuliah(shared::pg::Pool& pool) : store_(pool) {}
    void routes(Routes& routes);

  private:
    Reply list(Request& request);
    Reply get(Request& request);
    Reply create(Request& request);
    Reply replace(Request& request);
    Reply remove(Request& request);

    store::MataKuliahStore store_;
};

}  // namespace acad::api
