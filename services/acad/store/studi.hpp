// A student with everything enrolled so far, each grade with its meaning in the scale that held then.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/acad/domain/studi.hpp"
#include "services/acad/store/write.hpp"

namespace acad::store {

struct Mahasiswa {
    std::string nim;
    std::string nama;
    std::string jurusan;
    std::optional<int> angkatan;  // unknown only in rows of the first release
};

struct Rekam {
    Mahasiswa mahasiswa;
    domain::Studi studi;
};

// The university's tables that the rules need.
struct Tabel {
    std::vector<domain::BatasSks> batas_sks;
    std::vector<domain::Predikat> predikat;
};

class StudiStore {
  public:
    explicit StudiStore(shared::pg::Pool& pool) : pool_(pool) {}

    // nullopt: no such student.
    boost::asio::awaitable<shared::Result<std::optional<Rekam>>> find(std::string nim);
    // Those of `nims` that exist, ordered by nim.
    boost::asio::awaitable<shared::Result<std::vector<Rekam>>> find_many(std::vector<std::string> nims);
    // The same inside a transaction that holds the student's row against other enrolments.
    static boost::asio::awaitable<shared::Result<std::optional<Rekam>>> find_locked(
        shared::pg::Transaction& transaction, std::string nim);
    boost::asio::awaitable<shared::Result<Tabel>> tables();
    static boost::asio::awaitable<shared::Result<Tabel>> tables(shared::pg::Transaction& transaction);

  private:
    shared::pg::Pool& pool_;
};

}  // namespace acad::store
