// /api/acad/mahasiswa/{nim}/…: KHS of a semester, transcript, and averages over time.
#pragma once

#include "services/acad/api/routes.hpp"
#include "services/acad/store/studi.hpp"

namespace acad::api {

class Studi {
  public:
    Studi(shared::pg::Pool& pool, domain::Ketentuan ketentuan) : store_(pool), ketentuan_(ketentuan) {}
    void routes(Routes& routes);

  private:
    Reply khs(Request& request);
    Reply transkrip(Request& request);
    Reply riwayat(Request& request);
    // The record of the {nim} that the caller may read, or the refusal.
    boost::asio::awaitable<boost::system::result<store::Rekam, Response>> read(Request& request);

    store::StudiStore store_;
    domain::Ketentuan ketentuan_;
};

}  // namespace acad::api
