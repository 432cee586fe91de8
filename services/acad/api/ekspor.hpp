// GET /api/acad/ekspor/{mahasiswa,mata_kuliah,krs,akm}: CSV of everything.
#pragma once

#include "services/acad/api/routes.hpp"
#include "services/acad/store/krs.hpp"
#include "services/acad/store/mahasiswa.hpp"
#include "services/acad/store/mata_kuliah.hpp"
#include "services/acad/store/studi.hpp"

namespace acad::api {

class Ekspor {
  public:
    Ekspor(shared::pg::Pool& pool, domain::Ketentuan ketentuan);
    void routes(Routes& routes);

  private:
    Reply mahasiswa(Request& request);
    Reply mata_kuliah(Request& request);
    Reply krs(Request& request);
    // Each student's averages and credits per term, as the national report (AKM) asks for them.
    Reply akm(Request& request);

    store::MahasiswaStore mahasiswa_;
    store::MataKuliahStore mata_kuliah_;
    store::KrsStore krs_;
    store::StudiStore studi_;
    domain::Ketentuan ketentuan_;
};

}  // namespace acad::api
