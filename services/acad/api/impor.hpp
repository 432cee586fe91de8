// POST /api/acad/impor/{mahasiswa,mata_kuliah,krs}: CSV, all rows or none.
#pragma once

#include "services/acad/api/routes.hpp"
#include "services/acad/store/impor.hpp"

namespace acad::api {

class Impor {
  public:
    explicit Impor(shared::pg::Pool& pool) : store_(pool) {}
    void routes(Routes& routes);

  private:
    Reply post(Request& request, store::Sasaran sasaran);

    store::ImporStore store_;
};

}  // namespace acad::api
