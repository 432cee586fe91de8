#include "services/acad/store/studi.hpp"

#include "services/acad/store/text.hpp"

namespace asio = boost::asio;
namespace pg = shared::pg;
using shared::Result;

namespace acad::store {
namespace {

// For the students of $1: one row an enrolment, or one row with NULLs for a student without any. The scale is
// looked up once for each jurusan and term.
constexpr pg::Statement kFind(
    "WITH m AS (SELECT nim, nama, jurusan, angkatan FROM mahasiswa WHERE nim = ANY ($1::text[])),"
    " masa AS (SELECT DISTINCT m.jurusan, k.kode_semester FROM m JOIN krs k ON k.nim = m.nim"
    "          WHERE k.duplikat_dari IS NULL),"
    " skala AS MATERIALIZED (SELECT jurusan, kode_semester, skala_untuk(jurusan, kode_semester) AS id_skala "
    "FROM masa)"
    " SELECT m.nim, coalesce(m.nama, ''), coalesce(m.jurusan, ''), m.angkatan,"
    "  k.id_krs, k.kode_mk, coalesce(mk.nama_mk, ''), k.sks, coalesce(k.semester, 0), "
    "coalesce(k.kode_semester, 0),"
    "  k.nilai, (b.bobot * 100)::int, coalesce(b.lulus, false), coalesce(b.masuk_ip, false)"
    " FROM m LEFT JOIN krs k ON k.nim = m.nim AND k.duplikat_dari IS NULL"
    " LEFT JOIN mata_kuliah mk ON mk.kode_mk = k.kode_mk"
    " LEFT JOIN skala s ON s.jurusan IS NOT DISTINCT FROM m.jurusan"
    "                   AND s.kode_semester IS NOT DISTINCT FROM k.kode_semester"
    " LEFT JOIN skala_nilai_butir b ON b.id_skala = s.id_skala AND b.nilai = k.nilai"
    " ORDER BY m.nim, k.semester, k.kode_semester, k.kode_mk, k.id_krs");
constexpr pg::Statement kLock("SELECT FROM mahasiswa WHERE nim = $1 FOR NO KEY UPDATE");
constexpr pg::Statement kTables(
    "SELECT 'batas', (ips_min * 100)::int, sks_maks, '' FROM batas_sks"
    " UNION ALL SELECT 'predikat', (ipk_min * 100)::int, 0, nama FROM predikat");

std::optional<int> optional_int(const pg::Rows& rows, int i, int column) {
    if (rows.is_null(i, column)) return std::nullopt;
    return static_cast<int>(rows.integer(i, column));
}

std::vector<Rekam> read_all(const pg::Rows& rows) {
    std::vector<Rekam> result;
    for (int i = 0; i < rows.size(); ++i) {
        if (result.empty() || result.back().mahasiswa.nim != rows.text(i, 0)) {
            auto& mahasiswa = result.emplace_back().mahasiswa;
            mahasiswa.nim = rows.text(i, 0);
            mahasiswa.nama = rows.text(i, 1);
            mahasiswa.jurusan = rows.text(i, 2);
            mahasiswa.angkatan = optional_int(rows, i, 3);
        }
        if (rows.is_null(i, 4)) continue;
        domain::Pengambilan row;
        row.id_krs = rows.integer(i, 4);
        row.kode_mk = rows.text(i, 5);
        row.nama_mk = rows.text(i, 6);
        row.sks = optional_int(rows, i, 7);
        row.semester = {static_cast<int>(rows.integer(i, 8)), static_cast<int>(rows.integer(i, 9))};
        row.nilai = rows.value(i, 10);
        row.bobot_ratus = optional_int(rows, i, 11);
        row.lulus = rows.boolean(i, 12);
        row.masuk_ip = rows.boolean(i, 13);
        result.back().studi.push_back(std::move(row));
    }
    return result;
}

std::optional<Rekam> read_one(const pg::Rows& rows) {
    auto all = read_all(rows);
    if (all.empty()) return std::nullopt;
    return std::move(all.front());
}

std::string list_of(const std::vector<std::string>& nims) {
    return array_literal({nims.begin(), nims.end()});
}

Tabel read_tables(const pg::Rows& rows) {
    Tabel tabel;
    for (int i = 0; i < rows.size(); ++i) {
        const domain::Indeks limit{static_cast<int>(rows.integer(i, 1))};
        if (rows.text(i, 0) == "predikat") {
            tabel.predikat.push_back({limit, std::string(rows.text(i, 3))});
            continue;
        }
        domain::BatasSks batas;
        if (limit.ratus >= 0) batas.ips_min = limit;
        batas.sks_maks = static_cast<int>(rows.integer(i, 2));
        tabel.batas_sks.push_back(batas);
    }
    return tabel;
}

}  // namespace

asio::awaitable<Result<std::optional<Rekam>>> StudiStore::find(std::string nim) {
    pg::Params params{list_of({std::move(nim)})};
    const auto rows = co_await pool_.query(kFind, std::move(params));
    if (!rows) co_return rows.error();
    co_return read_one(*rows);
}

asio::awaitable<Result<std::vector<Rekam>>> StudiStore::find_many(std::vector<std::string> nims) {
    pg::Params params{list_of(nims)};
    const auto rows = co_await pool_.query(kFind, std::move(params));
    if (!rows) co_return rows.error();
    co_return read_all(*rows);
}

asio::awaitable<Result<std::optional<Rekam>>> StudiStore::find_locked(pg::Transaction& transaction,
                                                                      std::string nim) {
    const pg::Params key{nim};
    const auto locked = co_await transaction.query(kLock, key);
    if (!locked) co_return locked.error();
    pg::Params params{list_of({std::move(nim)})};
    const auto rows = co_await transaction.query(kFind, std::move(params));
    if (!rows) co_return rows.error();
    co_return read_one(*rows);
}

asio::awaitable<Result<Tabel>> StudiStore::tables() {
    pg::Params none;
    const auto rows = co_await pool_.query(kTables, std::move(none));
    if (!rows) co_return rows.error();
    co_return read_tables(*rows);
}

asio::awaitable<Result<Tabel>> StudiStore::tables(pg::Transaction& transaction) {
    pg::Params none;
    const auto rows = co_await transaction.query(kTables, std::move(none));
    if (!rows) co_return rows.error();
    co_return read_tables(*rows);
}

}  // namespace acad::store
