// Conversions that the PostgreSQL stores share.
#pragma once

#include <string>

#include "services/auth/store/errors.hpp"
#include "shared/base/clock.hpp"
#include "shared/pg/pg.hpp"

namespace auth::store {

// Times travel as milliseconds since the epoch; the statements say to_timestamp($n::bigint / 1000.0).
std::string pg_ms(shared::WallTime time);
shared::WallTime pg_time(const shared::pg::Rows& rows, int row, int column);  // NULL: the epoch

// A pg error as a store error. Unique violations are the caller's to understand.
Errc pg_error(shared::ErrorCode error);

}  // namespace auth::store
