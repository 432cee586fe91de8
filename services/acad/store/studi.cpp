#include "services/acad/store/studi.hpp"

namespace asio = boost::asio;
namespace pg = shared::pg;
using shared::Result;

namespace acad::store {
namespace {

// One row an enrolment, or one row with NULLs for a student without any. The scale is looked up once a term.
constexpr pg::Statement kFind(
    "WITH m AS (SELECT nim, coalesce(nama, '') AS nama, coalesce(jurusan, '') AS jurusan, angkatan, versi"
    "           FROM mahasiswa WHERE nim = $1),"
    " masa AS (SELECT DISTINCT k.kode_semester FROM krs k WHERE k.nim = $1 AND k.duplikat_dari IS NULL),"
    " skala AS (SELECT masa.kode_semester, skala_untuk((SELECT jurusan FROM m), masa.kode_semester) AS "
    "id_skala"
    "           FROM masa)"
    " SELECT m.nim, m.nama, m.jurusan, m.angkatan, m.versi,"
    "  k.id_krs, k.kode_mk, coalesce(mk.nama_mk, ''), k.sks, coalesce(k.semester, 0), "
    "coalesce(k.kode_semester, 0),"
    "  k.nilai, (b.bobot * 100)::int, coalesce(b.lulus, false), coalesce(b.masuk_ip, false)"
    " FROM m LEFT JOIN krs k ON k.nim = m.nim AND k.duplikat_dari IS NULL"
    " LEFT JOIN mata_kuliah mk ON mk.kode_mk = k.kode_mk"
    " LEFT JOIN skala s ON s.kode_semester IS NOT DISTINCT FROM k.kode_semester"
    " LEFT JOIN skala_nilai_butir b ON b.id_skala = s.id_skala AND b.nilai = k.nilai"
    " ORDER BY k.semester, k.kode_semester, k.kode_mk, k.id_krs");
constexpr pg::Statement kLock("SELECT FROM mahasiswa WHERE nim = $1 FOR NO KEY UPDATE");
constexpr pg::Statement kTables(
    "SELECT 'batas', (ips_min * 100)::int, sks_maks, '' FROM batas_sks"
    " UNION ALL SELECT 'predikat', (ipk_min * 100)::int, 0, nama FROM predikat");

std::optional<int> optional_int(const pg::Rows& rows, int i, int column) {
    if (rows.is_null(i, column)) return std::nullopt;
    return static_cast<int>(rows.integer(i, column));
}

std::optional<Rekam> read(const pg::Rows& rows) {
    if (rows.empty()) return std::nullopt;
    Rekam rekam;
    rekam.mahasiswa.nim = rows.text(0, 0);
    rekam.mahasiswa.nama = rows.text(0, 1);
    rekam.mahasiswa.jurusan = rows.text(0, 2);
    rekam.mahasiswa.angkatan = optional_int(rows, 0, 3);
    rekam.mahasiswa.versi = rows.integer(0, 4);
    for (int i = 0; i < rows.size(); ++i) {
        if (rows.is_null(i, 5)) continue;
        domain::Pengambilan row;
        row.id_krs = rows.integer(i, 5);
        row.kode_mk = rows.text(i, 6);
        row.nama_mk = rows.text(i, 7);
        row.sks = optional_int(rows, i, 8);
        row.semester = {static_cast<int>(rows.integer(i, 9)), static_cast<int>(rows.integer(i, 10))};
        row.nilai = rows.value(i, 11);
        row.bobot_ratus = optional_int(rows, i, 12);
        row.lulus = rows.boolean(i, 13);
        row.masuk_ip = rows.boolean(i, 14);
        rekam.studi.push_back(std::move(row));
    }
    return rekam;
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
    pg::Params params{std::move(nim)};
    const auto rows = co_await pool_.query(kFind, std::move(params));
    if (!rows) co_return rows.error();
    co_return read(*rows);
}

asio::awaitable<Result<std::optional<Rekam>>> StudiStore::find_locked(pg::Transaction& transaction,
                                                                      std::string nim) {
    pg::Params params{std::move(nim)};
    const auto locked = co_await transaction.query(kLock, params);
    if (!locked) co_return locked.error();
    const auto rows = co_await transaction.query(kFind, std::move(params));
    if (!rows) co_return rows.error();
    co_return read(*rows);
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
