// GET /api/acad/ips: the semester average of one student, in the keys of the first release.
#pragma once

#include "services/acad/api/common.hpp"
#include "services/acad/api/routes.hpp"
#include "services/acad/store/studi.hpp"

namespace acad::api {

class Ips {
  public:
    Ips(shared::pg::Pool& pool, domain::Ketentuan ketentuan) : studi_(pool), ketentuan_(ketentuan) {}
    void routes(Routes& routes);

  private:
    Reply get(Request& request);

    store::StudiStore studi_;
    domain::Ketentuan ketentuan_;
};

}  // namespace acad::api
