#include "services/acad/store/impor.hpp"

#include <algorithm>

#include "services/acad/store/text.hpp"

namespace asio = boost::asio;
namespace pg = shared::pg;
using shared::Result;

namespace acad::store {
namespace {

// Statements take one array a column. A returned row is "t" for an insert and "f" for a change.

// Each row with what it refers to, and both ways of its semester.
#define KRS_ROWS                                                                                       \
    "WITH baris AS (SELECT t.urut, t.nim, t.kode_mk, t.nilai, m.nim AS ada, m.jurusan, mk.kode_mk AS " \
    "ada_mk, mk.sks,"                                                                                  \
    "  coalesce(t.semester, semester_ke(m.angkatan, t.kode)) AS semester,"                             \
    "  coalesce(t.kode, kode_semester(m.angkatan, t.semester)) AS kode"                                \
    " FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[])"                           \
    "      WITH ORDINALITY AS t (nim, kode_mk, semester, kode, nilai, urut)"                           \
    " LEFT JOIN mahasiswa m ON m.nim = t.nim LEFT JOIN mata_kuliah mk ON mk.kode_mk = t.kode_mk)"

constexpr pg::Statement kKrsFaults(
    KRS_ROWS
    " SELECT urut, salah FROM (SELECT urut, CASE"
    "  WHEN ada IS NULL THEN 'nim'"
    "  WHEN ada_mk IS NULL THEN 'kode_mk'"
    "  WHEN sks IS NULL THEN 'kode_mk'"
    "  WHEN semester IS NULL OR semester NOT BETWEEN 1 AND 14 OR kode IS NULL THEN 'semester'"
    "  WHEN nilai IS NOT NULL AND NOT EXISTS (SELECT FROM skala_nilai_butir b"
    "       WHERE b.nilai = baris.nilai AND b.id_skala = skala_untuk(baris.jurusan, baris.kode)) THEN 'nilai'"
    "  WHEN count(*) OVER (PARTITION BY nim, kode_mk, semester, kode) > 1 THEN 'ganda'"
    " END AS salah FROM baris) s WHERE salah IS NOT NULL ORDER BY urut LIMIT 100");
constexpr pg::Statement kKrs(KRS_ROWS
                             " INSERT INTO krs AS k (nim, kode_mk, sks, semester, kode_semester, nilai)"
                             " SELECT nim, kode_mk, sks, semester, kode, nilai FROM baris ORDER BY urut"
                             " ON CONFLICT (nim, kode_mk, coalesce(semester, 0), coalesce(kode_semester, 0)) "
                             "WHERE duplikat_dari IS NULL"
                             " DO UPDATE SET nilai = excluded.nilai WHERE excluded.nilai IS NOT NULL AND "
                             "k.nilai IS DISTINCT FROM excluded.nilai"
                             " RETURNING xmax = 0");

#undef KRS_ROWS

// Few enough for one statement's time limit, many enough to be fast.
constexpr std::size_t kChunk = 1000;

pg::Params columns_of(const std::vector<ImporRow>& rows, std::size_t begin, std::size_t end) {
    pg::Params params;
    for (std::size_t column = 0; column < rows[begin].size(); ++column) {
        std::vector<std::optional<std::string>> values;
        for (std::size_t i = begin; i < end; ++i) values.push_back(rows[i][column]);
        params.emplace_back(array_literal(values));
    }
    return params;
}

ImporFault krs_fault(std::size_t row, std::string_view what) {
    if (what == "nim") return {row, "nim", "mahasiswa tidak ditemukan"};
    if (what == "kode_mk") return {row, "kode_mk", "mata kuliah tidak ditemukan"};
    if (what == "nilai") return {row, "nilai", "tidak ada dalam skala nilai"};
    if (what == "ganda") return {row, "kode_mk", "baris yang sama ada dua kali"};
    return {row, "semester", "semester tidak dapat ditentukan atau di luar 1 sampai 14"};
}

}  // namespace

asio::awaitable<Result<ImporResult>> ImporStore::run(domain::Pelaku pelaku, Sasaran sasaran,
                                                     std::vector<ImporRow> rows, bool dry_run) {
    ImporResult result;
    const auto statement = sasaran.table == nullptr ? kKrs : records_.upsert(*sasaran.table);
    auto transaction = co_await begin_as(pool_, std::move(pelaku), "impor");
    if (!transaction) co_return transaction.error();
    for (std::size_t begin = 0; begin < rows.size(); begin += kChunk) {
        const auto end = std::min(begin + kChunk, rows.size());
        const auto params = columns_of(rows, begin, end);
        if (sasaran.table == nullptr) {
            const auto faults = co_await transaction->query(kKrsFaults, params);
            if (!faults) co_return faults.error();
            for (int i = 0; i < faults->size(); ++i) {
                const auto row = begin + static_cast<std::size_t>(faults->integer(i, 0)) - 1;
                result.faults.push_back(krs_fault(row, faults->text(i, 1)));
            }
            if (!result.faults.empty()) continue;  // the other chunks are still looked at
        }
        const auto written = co_await transaction->query(statement, params);
        if (!written) co_return written.error();
        for (int i = 0; i < written->size(); ++i)
            ++(written->boolean(i, 0) ? result.ditambah : result.diubah);
    }
    if (dry_run || !result.faults.empty()) co_return result;  // rolled back
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    co_return result;
}

}  // namespace acad::store
