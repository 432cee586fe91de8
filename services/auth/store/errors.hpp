// What a store can answer besides values; the same for MongoDB and PostgreSQL.
#pragma once

#include "shared/base/result.hpp"

namespace auth::store {

using shared::Result;

enum class Errc {
    unavailable =
        1,  // the database cannot be reached or did not answer in time: 503; the change may have happened
    busy,   // more work is waiting than the store accepts: 503
    username_taken,  // another account has this user name, compared without case
    email_taken,
    nim_taken,
    last_admin,        // nobody enabled with the role admin would be left: 409
    version_conflict,  // the record has changed since the version that the caller saw: 412
    failed,            // anything else: a defect or an operator's mistake; logged with the database's text
};
const boost::system::error_category& category();
inline shared::ErrorCode make_error_code(Errc e) {
    return {static_cast<int>(e), category()};
}

// Back from an error of this layer: a Result<bool> cannot be made from an error_code, which converts to bool
// too.
inline Errc to_errc(const shared::ErrorCode& error) {
    return static_cast<Errc>(error.value());
}

}  // namespace auth::store

template <>
struct boost::system::is_error_code_enum<auth::store::Errc> : std::true_type {};
