#include "services/acad/store/write.hpp"

#include <algorithm>

namespace asio = boost::asio;
namespace pg = shared::pg;

namespace acad::store {
namespace {

constexpr pg::Statement kActAs(
    "SELECT set_config('acad.pelaku', $1, true), set_config('acad.peran', $2, true), "
    "set_config('acad.request_id', $3, true), set_config('acad.alasan', $4, true)");

const char* name_of(domain::Peran peran) {
    switch (peran) {
        case domain::Peran::admin:
            return "admin";
        case domain::Peran::dosen:
            return "dosen";
        case domain::Peran::mahasiswa:
            return "mahasiswa";
        case domain::Peran::lain:
            break;
    }
    return "";
}

}  // namespace

asio::awaitable<shared::Result<pg::Transaction>> begin_as(pg::Pool& pool, domain::Pelaku pelaku,
                                                          std::string alasan) {
    auto transaction = co_await pool.begin();
    if (!transaction) co_return transaction.error();
    pg::Params params{pelaku.sub, name_of(pelaku.peran), pelaku.request_id, std::move(alasan)};
    const auto set = co_await transaction->query(kActAs, std::move(params));
    if (!set) co_return set.error();
    co_return shared::Result<pg::Transaction>(std::move(*transaction));
}

asio::awaitable<shared::Result<pg::Rows>> write_as(pg::Pool& pool, domain::Pelaku pelaku,
                                                   pg::Statement statement, pg::Params params) {
    auto transaction = co_await begin_as(pool, std::move(pelaku));
    if (!transaction) co_return transaction.error();
    auto rows = co_await transaction->query(statement, std::move(params));
    if (!rows) co_return rows.error();
    const auto committed = co_await transaction->commit();
    if (!committed) co_return committed.error();
    co_return std::move(*rows);
}

bool Versions::match(std::int64_t versi) const {
    return any || std::find(allowed.begin(), allowed.end(), versi) != allowed.end();
}

pg::Value Versions::param() const {
    if (any) return std::nullopt;
    std::string list = "{";
    for (const auto version : allowed) {
        if (list.size() > 1) list += ',';
        list += std::to_string(version);
    }
    return list + "}";
}

}  // namespace acad::store
