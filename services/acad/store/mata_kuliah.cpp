#include "services/acad/store/mata_kuliah.hpp"

#include "services/acad/store/text.hpp"

namespace asio = boost::asio;
namespace pg = shared::pg;
using shared::Result;

namespace acad::store {
namespace {

#define COLUMNS "kode_mk, coalesce(nama_mk, ''), sks, kuota, versi"

constexpr pg::Statement kList("SELECT " COLUMNS
                              " FROM mata_kuliah"
                              " WHERE ($1::text IS NULL OR kode_mk > $1)"
                              " AND ($2::text IS NULL OR nama_mk ILIKE $2 OR kode_mk ILIKE $2)"
                              " ORDER BY kode_mk LIMIT $3");
constexpr pg::Statement kFind("SELECT " COLUMNS " FROM mata_kuliah WHERE kode_mk = $1");
constexpr pg::Statement kInsert(
    "INSERT INTO mata_kuliah (kode_mk, nama_mk, sks, kuota) VALUES ($1, $2, $3, $4) RETURNING " COLUMNS);
constexpr pg::Statement kUpdate(
    "UPDATE mata_kuliah SET nama_mk = $2, sks = $3, kuota = $4 WHERE kode_mk = $1"
    " AND ($5::bigint[] IS NULL OR versi = ANY ($5::bigint[])) RETURNING versi");
constexpr pg::Statement kDelete(
    "DELETE FROM mata_kuliah WHERE kode_mk = $1 AND ($2::bigint[] IS NULL OR versi = ANY ($2::bigint[]))");

#undef COLUMNS

MataKuliah read(const pg::Rows& rows, int i) {
    MataKuliah row;
    row.kode_mk = rows.text(i, 0);
    row.nama_mk = rows.text(i, 1);
    if (!rows.is_null(i, 2)) row.sks = static_cast<int>(rows.integer(i, 2));
    if (!rows.is_null(i, 3)) row.kuota = static_cast<int>(rows.integer(i, 3));
    row.versi = rows.integer(i, 4);
    return row;
}

// Nothing was changed: because there is nothing, or because it has another version.
asio::awaitable<Result<Outcome>> why_not(pg::Transaction& transaction, std::string kode_mk) {
    pg::Params params{std::move(kode_mk)};
    const auto rows = co_await transaction.query(kFind, std::move(params));
    if (!rows) co_return rows.error();
    co_return rows->empty() ? Outcome::not_found : Outcome::stale;
}

}  // namespace

asio::awaitable<Result<std::vector<MataKuliah>>> MataKuliahStore::list(MataKuliahFilter filter) {
    pg::Params params{filter.after, filter.q ? pg::Value(contains_pattern(*filter.q)) : std::nullopt,
                      std::to_string(filter.limit)};
    const auto rows = co_await pool_.query(kList, std::move(params));
    if (!rows) co_return rows.error();
    std::vector<MataKuliah> result;
    for (int i = 0; i < rows->size(); ++i) result.push_back(read(*rows, i));
    co_return result;
}

asio::awaitable<Result<std::optional<MataKuliah>>> MataKuliahStore::find(std::string kode_mk) {
    pg::Params params{std::move(kode_mk)};
    const auto rows = co_await pool_.query(kFind, std::move(params));
    if (!rows) co_return rows.error();
    std::optional<MataKuliah> row;
    if (!rows->empty()) row = read(*rows, 0);
    co_return row;
}

asio::awaitable<Result<MataKuliah>> MataKuliahStore::create(domain::Pelaku pelaku, MataKuliah row) {
    auto transaction = co_await begin_as(pool_, std::move(pelaku));
    if (!transaction) co_return transaction.error();
    pg::Params params{row.kode_mk, row.nama_mk, int_param(row.sks), int_param(row.kuota)};
    const auto rows = co_await transaction->query(kInsert, std::move(params));
    if (!rows) co_return rows.error();
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    co_return read(*rows, 0);
}

asio::awaitable<Result<Outcome>> MataKuliahStore::replace(domain::Pelaku pelaku, MataKuliah& row,
                                                          Versions versions) {
    auto transaction = co_await begin_as(pool_, std::move(pelaku));
    if (!transaction) co_return transaction.error();
    pg::Params params{row.kode_mk, row.nama_mk, int_param(row.sks), int_param(row.kuota), versions.param()};
    const auto rows = co_await transaction->query(kUpdate, std::move(params));
    if (!rows) co_return rows.error();
    if (rows->empty()) {
        const auto reason = co_await why_not(*transaction, row.kode_mk);
        co_return reason;
    }
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    row.versi = rows->integer(0, 0);
    co_return Outcome::done;
}

asio::awaitable<Result<Outcome>> MataKuliahStore::remove(domain::Pelaku pelaku, std::string kode_mk,
                                                         Versions versions) {
    auto transaction = co_await begin_as(pool_, std::move(pelaku));
    if (!transaction) co_return transaction.error();
    pg::Params params{kode_mk, versions.param()};
    const auto rows = co_await transaction->query(kDelete, std::move(params));
    if (!rows) co_return rows.error();
    if (rows->affected() == 0) {
        const auto reason = co_await why_not(*transaction, std::move(kode_mk));
        co_return reason;
    }
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    co_return Outcome::done;
}

}  // namespace acad::store
