#include "services/auth/store/pg_sessions.hpp"

#include "services/auth/store/pg_audit.hpp"
#include "services/auth/store/pg_support.hpp"

namespace auth::store {
namespace {

using shared::pg::Params;
using shared::pg::Rows;
using shared::pg::Statement;

#define SESSION_COLUMNS                                                                                    \
    "sid, user_id, gen, grace_used, (extract(epoch from created_at) * 1000)::bigint, "                     \
    "(extract(epoch from last_used_at) * 1000)::bigint, (extract(epoch from expires_at) * 1000)::bigint, " \
    "revoked_at is not null, client_address, user_agent, stamp"

// The lock on the account makes a change of it wait for us, or us for it: so it ends this session, or we see
// it.
constexpr Statement kInsert{
    "with account as (select 1 from auth_service.users where id = $2 and stamp = $10::bigint and not disabled "
    "for share), "
    "made as (insert into auth_service.sessions (sid, user_id, gen, grace_used, created_at, last_used_at, "
    "expires_at, client_address, user_agent, stamp) "
    "select $1, $2, $3::bigint, $4::integer, to_timestamp($5::bigint / 1000.0), "
    "to_timestamp($6::bigint / 1000.0), to_timestamp($7::bigint / 1000.0), $8, $9, $10::bigint "
    "where $10::bigint = 0 or exists (select 1 from account) returning sid), "
    "noted as (" PG_AUDIT_INTO PG_AUDIT_ROWS("$11") "where exists (select 1 from made)) "
    "select exists (select 1 from made)"};
constexpr Statement kFind{"select " SESSION_COLUMNS " from auth_service.sessions where sid = $1"};
constexpr Statement kRotate{
    "update auth_service.sessions set gen = gen + 1, last_used_at = to_timestamp($3::bigint / 1000.0), "
    "grace_used = 0 "
    "where sid = $1 and gen = $2::bigint and revoked_at is null and expires_at > to_timestamp($3::bigint / "
    "1000.0) "
    "and last_used_at > to_timestamp($4::bigint / 1000.0) returning " SESSION_COLUMNS};
constexpr Statement kUseGrace{
    "update auth_service.sessions set grace_used = grace_used + 1 where sid = $1 and gen = $2::bigint + 2 "
    "and revoked_at is null and expires_at > to_timestamp($3::bigint / 1000.0) "
    "and last_used_at > to_timestamp($4::bigint / 1000.0) and grace_used < $5::integer "
    "returning " SESSION_COLUMNS};
constexpr Statement kListLive{
    "select " SESSION_COLUMNS
    " from auth_service.sessions where user_id = $1 and revoked_at is null "
    "and expires_at > to_timestamp($2::bigint / 1000.0) and last_used_at > to_timestamp($3::bigint / 1000.0) "
    "and ($5 = '' or created_at < to_timestamp($6::bigint / 1000.0) "
    "or (created_at = to_timestamp($6::bigint / 1000.0) and sid > $5)) "
    "order by created_at desc, sid limit $4::bigint"};
// One statement, so both tables change or none; `on conflict`: somebody else is ending it too.
constexpr Statement kEnd{
    "with ended as (update auth_service.sessions set revoked_at = to_timestamp($2::bigint / 1000.0), "
    "revoked_for = $4 "
    "where sid = $1 and revoked_at is null), "
    "noted as (" PG_AUDIT_INTO PG_AUDIT_ROWS("$5") ") "
    "insert into auth_service.revocations (sid, ended_at, until) values ($1, to_timestamp($2::bigint / "
    "1000.0), "
    "to_timestamp($3::bigint / 1000.0)) on conflict (sid) do nothing"};
constexpr Statement kEndAll{
    "with ended as (update auth_service.sessions set revoked_at = to_timestamp($3::bigint / 1000.0), "
    "revoked_for = $5 "
    "where user_id = $1 and sid <> $2 and revoked_at is null "
    "and ($6::bigint is null or (stamp <> 0 and stamp < $6::bigint)) returning sid), "
    "listed as (insert into auth_service.revocations (sid, ended_at, until) select sid, "
    "to_timestamp($3::bigint / 1000.0), to_timestamp($4::bigint / 1000.0) from ended on conflict (sid) do "
    "nothing) "
    "select sid from ended"};
constexpr Statement kEndedSince{
    "select sid, (extract(epoch from ended_at) * 1000)::bigint, (extract(epoch from until) * 1000)::bigint "
    "from auth_service.revocations where ended_at > to_timestamp($1::bigint / 1000.0) "
    "and until > to_timestamp($2::bigint / 1000.0)"};
constexpr Statement kSweep{
    "with unlisted as (delete from auth_service.revocations where until <= to_timestamp($1::bigint / 1000.0) "
    "returning 1), "
    "gone as (delete from auth_service.sessions where expires_at < to_timestamp($2::bigint / 1000.0) "
    "or last_used_at < to_timestamp($3::bigint / 1000.0) or revoked_at < to_timestamp($4::bigint / 1000.0) "
    "returning 1) "
    "select (select count(*) from unlisted) + (select count(*) from gone)"};

Session to_session(const Rows& rows, int row) {
    Session session;
    session.sid = rows.text(row, 0);
    session.user_id = rows.text(row, 1);
    session.gen = rows.integer(row, 2);
    session.grace_used = static_cast<int>(rows.integer(row, 3));
    session.created_at = pg_time(rows, row, 4);
    session.last_used_at = pg_time(rows, row, 5);
    session.expires_at = pg_time(rows, row, 6);
    session.revoked = rows.boolean(row, 7);
    session.client_address = rows.text(row, 8);
    session.user_agent = rows.text(row, 9);
    session.stamp = rows.integer(row, 10);
    return session;
}

Params texts(std::vector<std::string> values) {
    Params params;
    for (auto& value : values) params.emplace_back(std::move(value));
    return params;
}

}  // namespace

Statement pg_end_all_statement() {
    return kEndAll;
}

Params pg_end_all_params(std::string user_id, std::optional<std::int64_t> below, Ending ending) {
    auto params = texts({std::move(user_id), std::move(ending.kept), pg_ms(ending.reason.now),
                         pg_ms(ending.reason.until), std::move(ending.reason.reason)});
    params.push_back(below ? shared::pg::Value(std::to_string(*below)) : std::nullopt);
    return params;
}

awaitable<Result<bool>> PgSessions::insert(Session session, AuditRecords audit) {
    auto params = texts({session.sid, session.user_id, std::to_string(session.gen),
                         std::to_string(session.grace_used), pg_ms(session.created_at),
                         pg_ms(session.last_used_at), pg_ms(session.expires_at), session.client_address,
                         session.user_agent, std::to_string(session.stamp), pg_audit_rows(audit)});
    auto rows = co_await pool_.query(kInsert, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    co_return rows->boolean(0, 0);
}

awaitable<Result<std::optional<Session>>> PgSessions::one(Statement statement, Params params) {
    auto rows = co_await pool_.query(statement, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    std::optional<Session> found;
    if (!rows->empty()) found = to_session(*rows, 0);
    co_return found;
}

awaitable<Result<std::optional<Session>>> PgSessions::find(std::string sid) {
    return one(kFind, texts({std::move(sid)}));
}

awaitable<Result<std::optional<Session>>> PgSessions::rotate(std::string sid, std::int64_t gen, WallTime now,
                                                             SessionRules rules) {
    return one(kRotate, texts({std::move(sid), std::to_string(gen), pg_ms(now), pg_ms(now - rules.idle)}));
}

awaitable<Result<std::optional<Session>>> PgSessions::use_grace(std::string sid, std::int64_t gen,
                                                                WallTime now, SessionRules rules) {
    return one(kUseGrace, texts({std::move(sid), std::to_string(gen), pg_ms(now), pg_ms(now - rules.grace),
                                 std::to_string(rules.grace_uses)}));
}

awaitable<Result<std::vector<Session>>> PgSessions::list_live(std::string user_id, WallTime now,
                                                              SessionRules rules, std::size_t limit,
                                                              std::optional<SessionPosition> after) {
    const SessionPosition from = after.value_or(SessionPosition());
    auto params = texts({std::move(user_id), pg_ms(now), pg_ms(now - rules.idle), std::to_string(limit),
                         from.sid, pg_ms(from.created_at)});
    auto rows = co_await pool_.query(kListLive, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    std::vector<Session> sessions;
    for (int row = 0; row < rows->size(); ++row) sessions.push_back(to_session(*rows, row));
    co_return sessions;
}

awaitable<Result<>> PgSessions::end(std::string sid, EndReason reason, AuditRecords audit) {
    auto params = texts({std::move(sid), pg_ms(reason.now), pg_ms(reason.until), std::move(reason.reason),
                         pg_audit_rows(audit)});
    auto rows = co_await pool_.query(kEnd, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    co_return Result<>();
}

awaitable<Result<std::vector<std::string>>> PgSessions::end_all(std::string user_id,
                                                                std::optional<std::int64_t> below,
                                                                Ending ending) {
    auto params = pg_end_all_params(std::move(user_id), below, std::move(ending));
    auto rows = co_await pool_.query(kEndAll, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    std::vector<std::string> sids;
    for (int row = 0; row < rows->size(); ++row) sids.emplace_back(rows->text(row, 0));
    co_return sids;
}

awaitable<Result<std::vector<EndedSession>>> PgSessions::ended_since(WallTime since, WallTime now) {
    auto params = texts({pg_ms(since), pg_ms(now)});
    auto rows = co_await pool_.query(kEndedSince, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    std::vector<EndedSession> entries;
    entries.reserve(static_cast<std::size_t>(rows->size()));
    for (int row = 0; row < rows->size(); ++row)
        entries.push_back({std::string(rows->text(row, 0)), pg_time(*rows, row, 1), pg_time(*rows, row, 2)});
    co_return entries;
}

awaitable<Result<std::int64_t>> PgSessions::sweep(WallTime now, SessionRules rules) {
    const auto margin = rules.access_ttl + rules.leeway;
    auto params = texts({pg_ms(now), pg_ms(now - margin), pg_ms(now - rules.idle - margin),
                         pg_ms(now - std::chrono::days(1))});
    auto rows = co_await pool_.query(kSweep, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    co_return rows->integer(0, 0);
}

}  // namespace auth::store
