// Table krs: enrolment and grades.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/acad/domain/pendaftaran.hpp"
#include "services/acad/store/write.hpp"

namespace acad::store {

struct Krs {
    std::int64_t id_krs = 0;
    std::string nim;
    std::string kode_mk;
    std::string nama_mk;
    std::optional<int> sks;
    domain::Semester semester;
    std::optional<std::string> nilai;
    std::int64_t versi = 0;
};

struct KrsFilter {
    std::optional<std::int64_t> after;  // rows behind this id
    std::optional<std::string> nim;
    std::optional<std::string> kode_mk;
    std::optional<domain::SemesterQuery> semester;
    int limit = 50;
};

struct Enrolment {
    std::string nim;
    std::string kode_mk;
    domain::Permintaan wish;
};

// How an enrolment ended; the row only with Keputusan::boleh.
struct EnrolResult {
    domain::Pendaftaran pendaftaran;
    std::optional<Krs> row;
};

// How a removal ended; stored only with Outcome::done and Keputusan::boleh.
struct RemoveResult {
    Outcome outcome = Outcome::done;
    domain::Keputusan keputusan = domain::Keputusan::boleh;
};

struct NilaiChange {
    std::int64_t id = 0;
    std::optional<std::string> lama;
    std::optional<std::string> baru;
    std::optional<std::string> alasan;
    std::string oleh;
    std::string waktu;  // ISO 8601, UTC
};

class KrsStore {
  public:
    KrsStore(shared::pg::Pool& pool, domain::Ketentuan ketentuan) : pool_(pool), ketentuan_(ketentuan) {}

    // Ordered by id.
    boost::asio::awaitable<shared::Result<std::vector<Krs>>> list(KrsFilter filter);
    boost::asio::awaitable<shared::Result<std::optional<Krs>>> find(std::int64_t id);
    // Atomic: enrolments of one student, and those into one limited course, come one after the other.
    boost::asio::awaitable<shared::Result<EnrolResult>> enrol(domain::Pelaku pelaku, Enrolment enrolment);
    boost::asio::awaitable<shared::Result<RemoveResult>> remove(domain::Pelaku pelaku, std::int64_t id,
                                                                Versions versions);
    // Error check_violation: the grade is not in the scale. The history is kept by the database.
    boost::asio::awaitable<shared::Result<Outcome>> grade(domain::Pelaku pelaku, std::int64_t id,
                                                          std::optional<std::string> nilai,
                                                          std::string alasan, Versions versions);
    // Oldest first.
    boost::asio::awaitable<shared::Result<std::vector<NilaiChange>>> history(std::int64_t id);

  private:
    shared::pg::Pool& pool_;
    domain::Ketentuan ketentuan_;
};

}  // namespace acad::store
