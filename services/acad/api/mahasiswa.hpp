// /api/acad/mahasiswa: the students.
#pragma once

#include "services/acad/api/common.hpp"
#include "services/acad/api/routes.hpp"
#include "services/acad/store/mahasiswa.hpp"

namespace acad::api {

class Mahasiswa {
  public:
    explicit Mahasiswa(shared::pg::Pool& pool) : store_(pool) {}
    void routes(Routes& routes);

  private:
    Reply list(Request& request);
    Reply get(Request& request);
    Reply create(Request& request);
    Reply replace(Request& request);
    Reply remove(Request& request);

    store::MahasiswaStore store_;
};

}  // namespace acad::api
