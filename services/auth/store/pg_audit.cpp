#include "services/auth/store/pg_audit.hpp"

#include "services/auth/store/pg_support.hpp"
#include "shared/json/json.hpp"

namespace auth::store {
namespace {

using shared::pg::Params;
using shared::pg::Statement;
using shared::pg::Value;

// The whole batch is one parameter: one round trip whatever its size.
constexpr Statement kAppend{PG_AUDIT_INTO PG_AUDIT_ROWS("$1")};
constexpr Statement kList{
    "select id, (extract(epoch from at) * 1000)::bigint, event, actor, subject, name, client_address, "
    "request_id, detail from auth_service.audit where ($1 = '' or actor = $1) and ($2 = '' or subject = $2) "
    "and ($3 = '' or event = $3) and ($4::bigint is null or at >= to_timestamp($4::bigint / 1000.0)) "
    "and ($5::bigint is null or at < to_timestamp($5::bigint / 1000.0)) "
    "and ($6::bigint is null or (at, id) < (to_timestamp($6::bigint / 1000.0), $7::bigint)) "
    "order by at desc, id desc limit $8::bigint"};
constexpr Statement kSweep{"delete from auth_service.audit where at < to_timestamp($1::bigint / 1000.0)"};

}  // namespace

std::string pg_audit_rows(const AuditRecords& records, std::string_view subject) {
    shared::json::Writer out;
    out.array([&] {
        for (const auto& record : records) {
            out.object([&] {
                out.key("at_ms");
                out.raw_number(pg_ms(record.at));
                out.member("event", record.event);
                out.member("actor", record.actor);
                out.member("subject", record.subject.empty() ? subject : std::string_view(record.subject));
                out.member("name", record.name);
                out.member("client_address", record.client_address);
                out.member("request_id", record.request_id);
                out.member("detail", record.detail);
            });
        }
    });
    return std::string(out.str());
}

awaitable<Result<>> PgAudit::append(AuditRecords records) {
    Params params;
    params.emplace_back(pg_audit_rows(records));
    auto rows = co_await pool_.query(kAppend, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    co_return Result<>();
}

awaitable<Result<AuditRecords>> PgAudit::list(AuditQuery query) {
    const auto time = [](std::optional<WallTime> at) { return at ? Value(pg_ms(*at)) : std::nullopt; };
    Params params;
    for (auto* text : {&query.actor, &query.subject, &query.event}) params.emplace_back(std::move(*text));
    params.push_back(time(query.from));
    params.push_back(time(query.to));
    params.push_back(query.after ? Value(pg_ms(query.after->at)) : std::nullopt);
    params.push_back(query.after ? Value(query.after->id) : std::nullopt);
    params.emplace_back(std::to_string(query.limit));
    auto rows = co_await pool_.query(kList, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    AuditRecords records;
    for (int row = 0; row < rows->size(); ++row) {
        AuditRecord record;
        record.id = rows->text(row, 0);
        record.at = pg_time(*rows, row, 1);
        record.event = rows->text(row, 2);
        record.actor = rows->text(row, 3);
        record.subject = rows->text(row, 4);
        record.name = rows->text(row, 5);
        record.client_address = rows->text(row, 6);
        record.request_id = rows->text(row, 7);
        record.detail = rows->text(row, 8);
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
