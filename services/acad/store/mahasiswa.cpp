#include "services/acad/store/mahasiswa.hpp"

#include "services/acad/store/text.hpp"

namespace asio = boost::asio;
namespace pg = shared::pg;
using shared::Result;

namespace acad::store {
namespace {

#define COLUMNS "nim, coalesce(nama, ''), coalesce(jurusan, ''), angkatan, versi"

constexpr pg::Statement kList("SELECT " COLUMNS
                              " FROM mahasiswa"
                              " WHERE ($1::text IS NULL OR nim > $1)"
                              " AND ($2::text IS NULL OR nama ILIKE $2 OR nim ILIKE $2)"
                              " AND ($3::text IS NULL OR jurusan = $3)"
                              " AND ($4::int IS NULL OR angkatan = $4)"
                              " AND ($5::text IS NULL OR nim = $5)"
                              " ORDER BY nim LIMIT $6");
constexpr pg::Statement kFind("SELECT " COLUMNS " FROM mahasiswa WHERE nim = $1");
constexpr pg::Statement kInsert(
    "INSERT INTO mahasiswa (nim, nama, jurusan, angkatan) VALUES ($1, $2, $3, $4) RETURNING " COLUMNS);
constexpr pg::Statement kUpdate(
    "UPDATE mahasiswa SET nama = $2, jurusan = $3, angkatan = $4 WHERE nim = $1"
    " AND ($5::bigint[] IS NULL OR versi = ANY ($5::bigint[])) RETURNING versi");
constexpr pg::Statement kDelete(
    "DELETE FROM mahasiswa WHERE nim = $1 AND ($2::bigint[] IS NULL OR versi = ANY ($2::bigint[]))");

#undef COLUMNS

Mahasiswa read(const pg::Rows& rows, int i) {
    Mahasiswa row;
    row.nim = rows.text(i, 0);
    row.nama = rows.text(i, 1);
    row.jurusan = rows.text(i, 2);
    if (!rows.is_null(i, 3)) row.angkatan = static_cast<int>(rows.integer(i, 3));
    row.versi = rows.integer(i, 4);
    return row;
}

// Nothing was changed: because there is nothing, or because it has another version.
asio::awaitable<Result<Outcome>> why_not(pg::Transaction& transaction, std::string nim) {
    pg::Params params{std::move(nim)};
    const auto rows = co_await transaction.query(kFind, std::move(params));
    if (!rows) co_return rows.error();
    co_return rows->empty() ? Outcome::not_found : Outcome::stale;
}

}  // namespace

asio::awaitable<Result<std::vector<Mahasiswa>>> MahasiswaStore::list(MahasiswaFilter filter) {
    pg::Params params{filter.after,   filter.q ? pg::Value(contains_pattern(*filter.q)) : std::nullopt,
                      filter.jurusan, int_param(filter.angkatan),
                      filter.nim,     std::to_string(filter.limit)};
    const auto rows = co_await pool_.query(kList, std::move(params));
    if (!rows) co_return rows.error();
    std::vector<Mahasiswa> result;
    for (int i = 0; i < rows->size(); ++i) result.push_back(read(*rows, i));
    co_return result;
}

asio::awaitable<Result<std::optional<Mahasiswa>>> MahasiswaStore::find(std::string nim) {
    pg::Params params{std::move(nim)};
    const auto rows = co_await pool_.query(kFind, std::move(params));
    if (!rows) co_return rows.error();
    std::optional<Mahasiswa> row;
    if (!rows->empty()) row = read(*rows, 0);
    co_return row;
}

asio::awaitable<Result<Mahasiswa>> MahasiswaStore::create(domain::Pelaku pelaku, Mahasiswa row) {
    auto transaction = co_await begin_as(pool_, std::move(pelaku));
    if (!transaction) co_return transaction.error();
    pg::Params params{row.nim, row.nama, row.jurusan, int_param(row.angkatan)};
    const auto rows = co_await transaction->query(kInsert, std::move(params));
    if (!rows) co_return rows.error();
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    co_return read(*rows, 0);
}

asio::awaitable<Result<Outcome>> MahasiswaStore::replace(domain::Pelaku pelaku, Mahasiswa& row,
                                                         Versions versions) {
    auto transaction = co_await begin_as(pool_, std::move(pelaku));
    if (!transaction) co_return transaction.error();
    pg::Params params{row.nim, row.nama, row.jurusan, int_param(row.angkatan), versions.param()};
    const auto rows = co_await transaction->query(kUpdate, std::move(params));
    if (!rows) co_return rows.error();
    if (rows->empty()) {
        const auto reason = co_await why_not(*transaction, row.nim);
        co_return reason;
    }
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    row.versi = rows->integer(0, 0);
    co_return Outcome::done;
}

asio::awaitable<Result<Outcome>> MahasiswaStore::remove(domain::Pelaku pelaku, std::string nim,
                                                        Versions versions) {
    auto transaction = co_await begin_as(pool_, std::move(pelaku));
    if (!transaction) co_return transaction.error();
    pg::Params params{nim, versions.param()};
    const auto rows = co_await transaction->query(kDelete, std::move(params));
    if (!rows) co_return rows.error();
    if (rows->affected() == 0) {
        const auto reason = co_await why_not(*transaction, std::move(nim));
        co_return reason;
    }
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    co_return Outcome::done;
}

}  // namespace acad::store
