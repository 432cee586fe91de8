#include "services/acad/store/periode.hpp"

namespace asio = boost::asio;
namespace pg = shared::pg;
using shared::Result;

namespace acad::store {
namespace {

#define ISO(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
#define COLUMNS "kode_semester, " ISO("buka") ", " ISO("tutup") ", now() >= buka AND now() < tutup"

constexpr pg::Statement kList("SELECT " COLUMNS " FROM periode_krs ORDER BY kode_semester DESC LIMIT 200");
constexpr pg::Statement kPut(
    "INSERT INTO periode_krs (kode_semester, buka, tutup) VALUES ($1, $2, $3)"
    " ON CONFLICT (kode_semester) DO UPDATE SET buka = excluded.buka, tutup = excluded.tutup "
    "RETURNING " COLUMNS);

#undef COLUMNS
#undef ISO

Periode read(const pg::Rows& rows, int i) {
    Periode row;
    row.kode_semester = static_cast<int>(rows.integer(i, 0));
    row.buka = rows.text(i, 1);
    row.tutup = rows.text(i, 2);
    row.terbuka = rows.boolean(i, 3);
    return row;
}

std::vector<Periode> read_all(const pg::Rows& rows) {
    std::vector<Periode> result;
    for (int i = 0; i < rows.size(); ++i) result.push_back(read(rows, i));
    return result;
}

}  // namespace

asio::awaitable<Result<std::vector<Periode>>> PeriodeStore::list() {
    pg::Params none;
    const auto rows = co_await pool_.query(kList, std::move(none));
    if (!rows) co_return rows.error();
    co_return read_all(*rows);
}

asio::awaitable<Result<std::vector<Periode>>> PeriodeStore::list(pg::Transaction& transaction) {
    pg::Params none;
    const auto rows = co_await transaction.query(kList, std::move(none));
    if (!rows) co_return rows.error();
    co_return read_all(*rows);
}

asio::awaitable<Result<Periode>> PeriodeStore::put(domain::Pelaku pelaku, Periode row) {
    pg::Params params{std::to_string(row.kode_semester), row.buka, row.tutup};
    const auto rows = co_await write_as(pool_, std::move(pelaku), kPut, std::move(params));
    if (!rows) co_return rows.error();
    co_return read(*rows, 0);
}

}  // namespace acad::store
