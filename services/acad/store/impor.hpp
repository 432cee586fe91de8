// Many rows in one transaction: all of them or none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/acad/store/write.hpp"

namespace acad::store {

enum class Sasaran { mahasiswa, mata_kuliah, krs };

// The values of one row in the order of the table's columns below; nullopt: not given.
//   mahasiswa:   nim, nama, jurusan, angkatan
//   mata_kuliah: kode_mk, nama_mk, sks, kuota
//   krs:         nim, kode_mk, semester, kode_semester, nilai
using ImporRow = std::vector<std::optional<std::string>>;

struct ImporFault {
    std::size_t row = 0;  // index into the rows
    std::string column;
    std::string detail;
};

struct ImporResult {
    std::int64_t ditambah = 0;
    std::int64_t diubah = 0;
    std::vector<ImporFault> faults;  // not empty: nothing was stored
};

class ImporStore {
  public:
    explicit ImporStore(shared::pg::Pool& pool) : pool_(pool) {}

    // Rows that exist are changed (krs: only the grade, where one is given). `dry_run`: everything but the
    // commit.
    boost::asio::awaitable<shared::Result<ImporResult>> run(domain::Pelaku pelaku, Sasaran tabel,
                                                            std::vector<ImporRow> rows, bool dry_run);

  private:
    shared::pg::Pool& pool_;
};

}  // namespace acad::store
