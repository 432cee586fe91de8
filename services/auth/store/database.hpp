// One database with everything the service keeps. The scheme of one URI chooses which.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "services/auth/store/audit_store.hpp"
#include "services/auth/store/session_store.hpp"
#include "services/auth/store/throttle_store.hpp"
#include "services/auth/store/user_store.hpp"

namespace auth::store {

class Database {
  public:
    virtual ~Database() = default;

    virtual std::string_view kind() const = 0;  // "mongodb" or "postgresql"
    // Makes schema and indexes and takes over old records. Idempotent, safe in several replicas at once. Call
    // it until it succeeds; before that, what needs an index (insert) answers busy or failed.
    virtual awaitable<Result<>> prepare() = 0;
    // True if the database answers a trivial question now.
    virtual awaitable<bool> ping() = 0;

    virtual UserStore& users() = 0;
    virtual SessionStore& sessions() = 0;
    virtual ThrottleStore& throttle() = 0;
    virtual AuditStore& audit() = 0;
};

struct DatabaseOptions {
    std::string uri;                // mongodb://…, mongodb+srv://…, postgresql://… or postgres://…
    std::filesystem::path sql_dir;  // migrations, for PostgreSQL
    std::size_t connections = 8;
};

// Why the URI cannot be used; empty: it can. Does not connect.
std::string uri_problem(const std::string& uri);

// For one io_context and its one thread. Throws std::runtime_error for a URI that uri_problem() refuses. Does
// not connect: the database may be down now.
std::unique_ptr<Database> open_database(boost::asio::io_context& io, DatabaseOptions options);

}  // namespace auth::store
