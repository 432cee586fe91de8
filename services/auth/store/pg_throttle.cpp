#include "services/auth/store/pg_throttle.hpp"

#include "services/auth/store/pg_support.hpp"

namespace auth::store {
namespace {

using shared::pg::Params;
using shared::pg::Statement;

constexpr Statement kState{
    "select failures, (extract(epoch from last_failure_at) * 1000)::bigint, "
    "(extract(epoch from blocked_until) * 1000)::bigint from auth_service.login_failures where key = $1"};
constexpr Statement kInsert{
    "insert into auth_service.login_failures (key, failures, last_failure_at, blocked_until) values ($1, "
    "$2::bigint, to_timestamp($3::bigint / 1000.0), to_timestamp($4::bigint / 1000.0)) on conflict do "
    "nothing"};
constexpr Statement kReplace{
    "update auth_service.login_failures set failures = $2::bigint, last_failure_at = to_timestamp($3::bigint "
    "/ 1000.0), blocked_until = to_timestamp($4::bigint / 1000.0) where key = $1 and failures = $5::bigint "
    "and last_failure_at = to_timestamp($6::bigint / 1000.0)"};
constexpr Statement kClear{"delete from auth_service.login_failures where key = $1"};
constexpr Statement kClearBelow{"delete from auth_service.login_failures where starts_with(key, $1)"};
constexpr Statement kSweep{
    "delete from auth_service.login_failures where last_failure_at < to_timestamp($1::bigint / 1000.0)"};

Params params_of(std::string first) {
    Params params;
    params.emplace_back(std::move(first));
    return params;
}

}  // namespace

awaitable<Result<FailureState>> PgThrottle::state(std::string key) {
    auto rows = co_await pool_.query(kState, params_of(std::move(key)));
    if (!rows) co_return pg_error(rows.error());
    FailureState state;
    if (!rows->empty()) {
        state.failures = rows->integer(0, 0);
        state.last_failure_at = pg_time(*rows, 0, 1);
        state.blocked_until = pg_time(*rows, 0, 2);
    }
    co_return state;
}

awaitable<Result<bool>> PgThrottle::replace(std::string key, FailureState seen, FailureState next) {
    Params params = params_of(std::move(key));
    params.emplace_back(std::to_string(next.failures));
    params.emplace_back(pg_ms(next.last_failure_at));
    params.emplace_back(pg_ms(next.blocked_until));
    const bool first = seen == FailureState();
    if (!first) {
        params.emplace_back(std::to_string(seen.failures));
        params.emplace_back(pg_ms(seen.last_failure_at));
    }
    const Statement& statement = first ? kInsert : kReplace;
    auto rows = co_await pool_.query(statement, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    co_return rows->affected() == 1;
}

awaitable<Result<>> PgThrottle::clear(std::string key) {
    auto rows = co_await pool_.query(kClear, params_of(std::move(key)));
    if (!rows) co_return pg_error(rows.error());
    co_return Result<>();
}

awaitable<Result<>> PgThrottle::clear_below(std::string prefix) {
    auto rows = co_await pool_.query(kClearBelow, params_of(std::move(prefix)));
    if (!rows) co_return pg_error(rows.error());
    co_return Result<>();
}

awaitable<Result<std::int64_t>> PgThrottle::sweep(WallTime before) {
    auto rows = co_await pool_.query(kSweep, params_of(pg_ms(before)));
    if (!rows) co_return pg_error(rows.error());
    co_return rows->affected();
}

}  // namespace auth::store
