#include "services/auth/store/pg_audit.hpp"

#include "services/auth/store/pg_support.hpp"
#include "shared/json/json.hpp"

namespace auth::store {
namespace {

using shared::pg::Params;
using shared::pg::Statement;

// The whole batch is one parameter: one round trip whatever its size.
constexpr Statement kAppend{
    "insert into auth_service.audit (at, event, actor, subject, name, client_address, request_id, detail) "
    "select to_timestamp(at_ms / 1000.0), event, actor, subject, name, client_address, request_id, detail "
    "from jsonb_to_recordset($1::jsonb) as r(at_ms bigint, event text, actor text, subject text, name text, "
    "client_address text, request_id text, detail text)"};
constexpr Statement kLatest{
    "select (extract(epoch from at) * 1000)::bigint, event, actor, subject, name, client_address, "
    "request_id, detail "
    "from auth_service.audit order by id desc limit $1::bigint"};
constexpr Statement kSweep{"delete from auth_service.audit where at < to_timestamp($1::bigint / 1000.0)"};

}  // namespace

awaitable<Result<>> PgAudit::append(std::vector<AuditRecord> records) {
    shared::json::Writer out;
    out.array([&] {
        for (const auto& record : records) {
            out.object([&] {
                out.key("at_ms");
                out.raw_number(pg_ms(record.at));
                out.member("event", record.event);
                out.member("actor", record.actor);
                out.member("subject", record.subject);
                out.member("name", record.name);
                out.member("client_address", record.client_address);
                out.member("request_id", record.request_id);
                out.member("detail", record.detail);
            });
        }
    });
    Params params;
    params.emplace_back(out.str());
    auto rows = co_await pool_.query(kAppend, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    co_return Result<>();
}

awaitable<Result<std::vector<AuditRecord>>> PgAudit::latest(std::size_t limit) {
    Params params;
    params.emplace_back(std::to_string(limit));
    auto rows = co_await pool_.query(kLatest, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    std::vector<AuditRecord> records;
    for (int row = 0; row < rows->size(); ++row) {
        AuditRecord record;
        record.at = pg_time(*rows, row, 0);
        record.event = rows->text(row, 1);
        record.actor = rows->text(row, 2);
        record.subject = rows->text(row, 3);
        record.name = rows->text(row, 4);
        record.client_address = rows->text(row, 5);
        record.request_id = rows->text(row, 6);
        record.detail = rows->text(row, 7);
        records.push_back(std::move(record));
    }
    co_return records;
}

awaitable<Result<std::int64_t>> PgAudit::sweep(WallTime before) {
    Params params;
    params.emplace_back(pg_ms(before));
    auto rows = co_await pool_.query(kSweep, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    co_return rows->affected();
}

}  // namespace auth::store
