// Table mata_kuliah: the catalogue.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/acad/store/write.hpp"

namespace acad::store {

struct MataKuliah {
    std::string kode_mk;
    std::string nama_mk;
    std::optional<int> sks;    // unknown only in rows of the first release
    std::optional<int> kuota;  // places in a term; nullopt: no limit
    std::int64_t versi = 0;
};

struct MataKuliahFilter {
    std::optional<std::string> after;  // rows behind this kode_mk
    std::optional<std::string> q;      // part of nama_mk or kode_mk, any case
    int limit = 50;
};

class MataKuliahStore {
  public:
    explicit MataKuliahStore(shared::pg::Pool& pool) : pool_(pool) {}

    // Ordered by kode_mk.
    boost::asio::awaitable<shared::Result<std::vector<MataKuliah>>> list(MataKuliahFilter filter);
    boost::asio::awaitable<shared::Result<std::optional<MataKuliah>>> find(std::string kode_mk);
    // Error unique_violation: the code is taken.
    boost::asio::awaitable<shared::Result<MataKuliah>> create(domain::Pelaku pelaku, MataKuliah row);
    // Fills row.versi when done. What was enrolled keeps its sks.
    boost::asio::awaitable<shared::Result<Outcome>> replace(domain::Pelaku pelaku, MataKuliah& row,
                                                            Versions versions);
    // Error foreign_key_violation: there is krs with this course.
    boost::asio::awaitable<shared::Result<Outcome>> remove(domain::Pelaku pelaku, std::string kode_mk,
                                                           Versions versions);

  private:
    shared::pg::Pool& pool_;
};

}  // namespace acad::store
