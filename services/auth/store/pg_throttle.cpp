#include "services/auth/store/pg_throttle.hpp"

#include "services/auth/store/pg_support.hpp"

namespace auth::store {
namespace {

using shared::pg::Params;
using shared::pg::Statement;

constexpr Statement kState{
    "select failures, (extract(epoch from last_failure_at) * 1000)::bigint, "
    "(extract(epoch from blocked_until) * 1000)::bigint from auth_service.login_failures where key = $1"};
constexpr Statement kRecord{
    "insert into auth_service.login_failures as f (key, failures, last_failure_at) values ($1, 1, "
    "to_timestamp($2::bigint / 1000.0)) on conflict (key) do update set failures = f.failures + 1, "
    "last_failure_at = excluded.last_failure_at returning failures"};
constexpr Statement kBlock{
    "update auth_service.login_failures set blocked_until = greatest(blocked_until, to_timestamp($2::bigint "
    "/ 1000.0)) "
    "where key = $1"};
constexpr Statement kClear{"delete from auth_service.login_failures where key = $1"};
constexpr Statement kSweep{
    "delete from auth_service.login_failures where last_failure_at < to_timestamp($1::bigint / 1000.0)"};

Params params_of(std::string first) {
    Params params;
    params.emplace_back(std::move(first));
    return params;
}

Params params_of(std::string first, std::string second) {
    Params params = params_of(std::move(first));
    params.emplace_back(std::move(second));
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

awaitable<Result<std::int64_t>> PgThrottle::record_failure(std::string key, WallTime now) {
    auto rows = co_await pool_.query(kRecord, params_of(std::move(key), pg_ms(now)));
    if (!rows) co_return pg_error(rows.error());
    co_return rows->integer(0, 0);
}

awaitable<Result<>> PgThrottle::block_until(std::string key, WallTime until) {
    auto rows = co_await pool_.query(kBlock, params_of(std::move(key), pg_ms(until)));
    if (!rows) co_return pg_error(rows.error());
    co_return Result<>();
}

awaitable<Result<>> PgThrottle::clear(std::string key) {
    auto rows = co_await pool_.query(kClear, params_of(std::move(key)));
    if (!rows) co_return pg_error(rows.error());
    co_return Result<>();
}

awaitable<Result<std::int64_t>> PgThrottle::sweep(WallTime before) {
    auto rows = co_await pool_.query(kSweep, params_of(pg_ms(before)));
    if (!rows) co_return pg_error(rows.error());
    co_return rows->affected();
}

}  // namespace auth::store
