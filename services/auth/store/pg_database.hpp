// Everything in one PostgreSQL database, schema auth_service.
#pragma once

#include "services/auth/store/database.hpp"

namespace auth::store {

std::unique_ptr<Database> open_pg_database(boost::asio::io_context& io, const DatabaseOptions& options);

}  // namespace auth::store
