// Table mahasiswa.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/acad/store/write.hpp"

namespace acad::store {

struct Mahasiswa {
    std::string nim;
    std::string nama;
    std::string jurusan;
    std::optional<int> angkatan;  // unknown only in rows of the first release
    std::int64_t versi = 0;       // changes with every write
};

struct MahasiswaFilter {
    std::optional<std::string> after;  // rows behind this nim
    std::optional<std::string> q;      // part of nama or nim, any case
    std::optional<std::string> jurusan;
    std::optional<int> angkatan;
    std::optional<std::string> nim;
    int limit = 50;
};

class MahasiswaStore {
  public:
    explicit MahasiswaStore(shared::pg::Pool& pool) : pool_(pool) {}

    // Ordered by nim.
    boost::asio::awaitable<shared::Result<std::vector<Mahasiswa>>> list(MahasiswaFilter filter);
    boost::asio::awaitable<shared::Result<std::optional<Mahasiswa>>> find(std::string nim);
    // Error unique_violation: the nim is taken. Returns the row as stored.
    boost::asio::awaitable<shared::Result<Mahasiswa>> create(domain::Pelaku pelaku, Mahasiswa row);
    // Fills row.versi when done.
    boost::asio::awaitable<shared::Result<Outcome>> replace(domain::Pelaku pelaku, Mahasiswa& row,
                                                            Versions versions);
    // Error foreign_key_violation: there is krs of this student.
    boost::asio::awaitable<shared::Result<Outcome>> remove(domain::Pelaku pelaku, std::string nim,
                                                           Versions versions);

  private:
    shared::pg::Pool& pool_;
};

}  // namespace acad::store
