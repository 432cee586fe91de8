// Table periode_krs: when students may change their own krs.
#pragma once

#include <string>
#include <vector>

#include "services/acad/store/write.hpp"

namespace acad::store {

struct Periode {
    int kode_semester = 0;
    std::string buka;  // ISO 8601, UTC
    std::string tutup;
    bool terbuka = false;  // now, by the database's clock
};

class PeriodeStore {
  public:
    explicit PeriodeStore(shared::pg::Pool& pool) : pool_(pool) {}

    // Newest first.
    boost::asio::awaitable<shared::Result<std::vector<Periode>>> list();
    static boost::asio::awaitable<shared::Result<std::vector<Periode>>> list(
        shared::pg::Transaction& transaction);
    // Makes or replaces. Error check_violation: no times, or the end is not behind the beginning.
    boost::asio::awaitable<shared::Result<Periode>> put(domain::Pelaku pelaku, Periode row);

  private:
    shared::pg::Pool& pool_;
};

}  // namespace acad::store
