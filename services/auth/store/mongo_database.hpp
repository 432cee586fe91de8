// Everything in one MongoDB database (or in one that speaks its protocol).
#pragma once

#include "services/auth/store/database.hpp"

namespace auth::store {

// Throws std::runtime_error for a URI that mongoc refuses.
std::unique_ptr<Database> open_mongo_database(const DatabaseOptions& options);

}  // namespace auth::store
