#include "services/acad/store/krs.hpp"

#include "services/acad/store/periode.hpp"
#include "services/acad/store/studi.hpp"
#include "services/acad/store/text.hpp"

namespace asio = boost::asio;
namespace pg = shared::pg;
using shared::Result;

namespace acad::store {
namespace {

#define COLUMNS                                                                                \
    "k.id_krs, coalesce(k.nim, ''), coalesce(k.kode_mk, ''), coalesce(mk.nama_mk, ''), k.sks," \
    " coalesce(k.semester, 0), coalesce(k.kode_semester, 0), k.nilai, k.versi"                 \
    " FROM krs k LEFT JOIN mata_kuliah mk ON mk.kode_mk = k.kode_mk WHERE k.duplikat_dari IS NULL"

constexpr pg::Statement kList("SELECT " COLUMNS
                              " AND ($1::bigint IS NULL OR k.id_krs > $1)"
                              " AND ($2::text IS NULL OR k.nim = $2)"
                              " AND ($3::text IS NULL OR k.kode_mk = $3)"
                              " AND ($4::int IS NULL OR k.semester = $4 OR k.kode_semester = $4)"
                              " ORDER BY k.id_krs LIMIT $5");
constexpr pg::Statement kFind("SELECT " COLUMNS " AND k.id_krs = $1");
constexpr pg::Statement kFindLocked("SELECT " COLUMNS " AND k.id_krs = $1 FOR UPDATE OF k");

#undef COLUMNS

constexpr pg::Statement kCourse("SELECT sks, kuota FROM mata_kuliah WHERE kode_mk = $1");
constexpr pg::Statement kCourseLocked(
    "SELECT sks, kuota FROM mata_kuliah WHERE kode_mk = $1 FOR NO KEY UPDATE");
constexpr pg::Statement kPlacesTaken(
    "SELECT count(*) FROM krs WHERE kode_mk = $1 AND kode_semester = $2 AND duplikat_dari IS NULL");
constexpr pg::Statement kInsert(
    "INSERT INTO krs (nim, kode_mk, sks, semester, kode_semester) VALUES ($1, $2, $3, $4, $5) RETURNING "
    "id_krs");
constexpr pg::Statement kDelete("DELETE FROM krs WHERE id_krs = $1");
constexpr pg::Statement kGrade(
    "UPDATE krs SET nilai = $2 WHERE id_krs = $1 AND duplikat_dari IS NULL"
    " AND ($3::bigint[] IS NULL OR versi = ANY ($3::bigint[])) RETURNING id_krs");
constexpr pg::Statement kHistory(
    "SELECT id_riwayat, lama, baru, alasan, oleh,"
    " to_char(waktu AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    " FROM riwayat_nilai WHERE id_krs = $1 ORDER BY id_riwayat LIMIT 1000");

Krs read(const pg::Rows& rows, int i) {
    Krs row;
    row.id_krs = rows.integer(i, 0);
    row.nim = rows.text(i, 1);
    row.kode_mk = rows.text(i, 2);
    row.nama_mk = rows.text(i, 3);
    if (!rows.is_null(i, 4)) row.sks = static_cast<int>(rows.integer(i, 4));
    row.semester = {static_cast<int>(rows.integer(i, 5)), static_cast<int>(rows.integer(i, 6))};
    row.nilai = rows.value(i, 7);
    row.versi = rows.integer(i, 8);
    return row;
}

std::vector<domain::MasaKrs> masa_of(const std::vector<Periode>& periods) {
    std::vector<domain::MasaKrs> masa;
    for (const auto& row : periods) masa.push_back({row.kode_semester, row.terbuka});
    return masa;
}

std::optional<std::int64_t> optional_integer(const pg::Rows& rows, int column) {
    if (rows.empty() || rows.is_null(0, column)) return std::nullopt;
    return rows.integer(0, column);
}

EnrolResult refused(domain::Keputusan keputusan) {
    EnrolResult result;
    result.pendaftaran.keputusan = keputusan;
    return result;
}

}  // namespace

asio::awaitable<Result<std::vector<Krs>>> KrsStore::list(KrsFilter filter) {
    pg::Params params;
    params.emplace_back(filter.after ? pg::Value(std::to_string(*filter.after)) : std::nullopt);
    params.emplace_back(filter.nim);
    params.emplace_back(filter.kode_mk);
    params.emplace_back(filter.semester ? pg::Value(std::to_string(filter.semester->value)) : std::nullopt);
    params.emplace_back(std::to_string(filter.limit));
    const auto rows = co_await pool_.query(kList, std::move(params));
    if (!rows) co_return rows.error();
    std::vector<Krs> result;
    for (int i = 0; i < rows->size(); ++i) result.push_back(read(*rows, i));
    co_return result;
}

asio::awaitable<Result<std::optional<Krs>>> KrsStore::find(std::int64_t id) {
    pg::Params params{std::to_string(id)};
    const auto rows = co_await pool_.query(kFind, std::move(params));
    if (!rows) co_return rows.error();
    std::optional<Krs> row;
    if (!rows->empty()) row = read(*rows, 0);
    co_return row;
}

asio::awaitable<Result<EnrolResult>> KrsStore::enrol(domain::Pelaku pelaku, Enrolment enrolment) {
    using domain::Keputusan;
    auto transaction = co_await begin_as(pool_, std::move(pelaku));
    if (!transaction) co_return transaction.error();

    // The student's row first, then the course's: one order for everybody, so no deadlock.
    const auto rekam = co_await StudiStore::find_locked(*transaction, enrolment.nim);
    if (!rekam) co_return rekam.error();
    if (!*rekam) co_return refused(Keputusan::mahasiswa_tidak_ada);
    const auto periods = co_await PeriodeStore::list(*transaction);
    if (!periods) co_return periods.error();
    const auto target = domain::target_term(enrolment.wish, (*rekam)->mahasiswa.angkatan, masa_of(*periods));
    if (target.keputusan != Keputusan::boleh) co_return refused(target.keputusan);

    const pg::Params course_key{enrolment.kode_mk};
    auto course = co_await transaction->query(kCourse, course_key);
    if (!course) co_return course.error();
    const auto tables = co_await StudiStore::tables(*transaction);
    if (!tables) co_return tables.error();
    std::optional<int> sks;
    if (const auto value = optional_integer(*course, 0)) sks = static_cast<int>(*value);
    EnrolResult result;
    result.pendaftaran = domain::decide((*rekam)->studi, enrolment.kode_mk, sks, target.semester,
                                        tables->batas_sks, ketentuan_.rounding);
    if (result.pendaftaran.keputusan != Keputusan::boleh) co_return result;
    if (optional_integer(*course, 1)) {
        course = co_await transaction->query(kCourseLocked, course_key);
        if (!course) co_return course.error();
        const pg::Params places_key{enrolment.kode_mk, std::to_string(target.semester.kode)};
        const auto places = co_await transaction->query(kPlacesTaken, places_key);
        if (!places) co_return places.error();
        result.pendaftaran.keputusan =
            domain::decide_place(optional_integer(*course, 1), places->integer(0, 0));
        if (result.pendaftaran.keputusan != Keputusan::boleh) co_return result;
    }

    pg::Params values{enrolment.nim, enrolment.kode_mk, std::to_string(*sks),
                      std::to_string(target.semester.ke), std::to_string(target.semester.kode)};
    const auto inserted = co_await transaction->query(kInsert, std::move(values));
    if (!inserted) {
        if (inserted.error() != pg::Errc::unique_violation) co_return inserted.error();
        result.pendaftaran.keputusan = Keputusan::sudah_diambil;
        co_return result;
    }
    pg::Params id{std::string(inserted->text(0, 0))};
    const auto rows = co_await transaction->query(kFind, std::move(id));
    if (!rows) co_return rows.error();
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    result.row = read(*rows, 0);
    co_return result;
}

asio::awaitable<Result<RemoveResult>> KrsStore::remove(domain::Pelaku pelaku, std::int64_t id,
                                                       Versions versions) {
    auto transaction = co_await begin_as(pool_, pelaku);
    if (!transaction) co_return transaction.error();
    RemoveResult result;
    const pg::Params key{std::to_string(id)};
    const auto rows = co_await transaction->query(kFindLocked, key);
    if (!rows) co_return rows.error();
    if (rows->empty()) {
        result.outcome = Outcome::not_found;
        co_return result;
    }
    const auto row = read(*rows, 0);
    if (!domain::may_enrol(pelaku, row.nim)) {
        result.keputusan = domain::Keputusan::bukan_haknya;
        co_return result;
    }
    if (!versions.match(row.versi)) {
        result.outcome = Outcome::stale;
        co_return result;
    }
    const auto periods = co_await PeriodeStore::list(*transaction);
    if (!periods) co_return periods.error();
    const bool only_while_open = !pelaku.is(domain::Peran::admin);
    result.keputusan =
        domain::decide_drop(row.nilai.has_value(), only_while_open, row.semester.kode, masa_of(*periods));
    if (result.keputusan != domain::Keputusan::boleh) co_return result;
    const auto deleted = co_await transaction->query(kDelete, key);
    if (!deleted) co_return deleted.error();
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    co_return result;
}

asio::awaitable<Result<Outcome>> KrsStore::grade(domain::Pelaku pelaku, std::int64_t id,
                                                 std::optional<std::string> nilai, std::string alasan,
                                                 Versions versions) {
    auto transaction = co_await begin_as(pool_, std::move(pelaku), std::move(alasan));
    if (!transaction) co_return transaction.error();
    pg::Params params{std::to_string(id), std::move(nilai), versions.param()};
    const auto rows = co_await transaction->query(kGrade, std::move(params));
    if (!rows) co_return rows.error();
    if (rows->empty()) {
        pg::Params key{std::to_string(id)};
        const auto found = co_await transaction->query(kFind, std::move(key));
        if (!found) co_return found.error();
        co_return found->empty() ? Outcome::not_found : Outcome::stale;
    }
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    co_return Outcome::done;
}

asio::awaitable<Result<std::vector<NilaiChange>>> KrsStore::history(std::int64_t id) {
    pg::Params params{std::to_string(id)};
    const auto rows = co_await pool_.query(kHistory, std::move(params));
    if (!rows) co_return rows.error();
    std::vector<NilaiChange> result;
    for (int i = 0; i < rows->size(); ++i) {
        NilaiChange change;
        change.id = rows->integer(i, 0);
        change.lama = rows->value(i, 1);
        change.baru = rows->value(i, 2);
        change.alasan = rows->value(i, 3);
        change.oleh = rows->text(i, 4);
        change.waktu = rows->text(i, 5);
        result.push_back(std::move(change));
    }
    co_return result;
}

}  // namespace acad::store
