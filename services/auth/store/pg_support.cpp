#include "services/auth/store/pg_support.hpp"

namespace auth::store {

std::string pg_ms(shared::WallTime time) {
    return std::to_string(std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

shared::WallTime pg_time(const shared::pg::Rows& rows, int row, int column) {
    if (rows.is_null(row, column)) return {};
    return shared::WallTime(std::chrono::milliseconds(rows.integer(row, column)));
}

Errc pg_error(shared::ErrorCode error) {
    if (error == shared::pg::Errc::pool_exhausted) return Errc::busy;
    if (error == shared::pg::Errc::unavailable || error == shared::pg::Errc::timeout ||
        error == shared::pg::Errc::serialization_failure)
        return Errc::unavailable;
    return Errc::failed;
}

}  // namespace auth::store
