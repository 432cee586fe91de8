#include "services/auth/store/database.hpp"

#include <libpq-fe.h>

#include <stdexcept>

#include "services/auth/store/mongo_client.hpp"
#include "services/auth/store/mongo_database.hpp"
#include "services/auth/store/pg_database.hpp"

namespace auth::store {
namespace {

bool is_postgresql(std::string_view uri) {
    return uri.starts_with("postgresql://") || uri.starts_with("postgres://");
}
bool is_mongodb(std::string_view uri) {
    return uri.starts_with("mongodb://") || uri.starts_with("mongodb+srv://");
}

std::string pg_uri_problem(const std::string& uri) {
    char* message = nullptr;
    PQconninfoOption* options = PQconninfoParse(uri.c_str(), &message);
    std::string problem;
    if (options == nullptr) problem = message != nullptr ? message : "out of memory";
    PQconninfoFree(options);
    PQfreemem(message);
    while (!problem.empty() && problem.back() == '\n') problem.pop_back();
    return problem;
}

}  // namespace

std::string uri_problem(const std::string& uri) {
    if (is_postgresql(uri)) return pg_uri_problem(uri);
    if (is_mongodb(uri)) return mongo_uri_problem(uri);
    return "the scheme must be mongodb://, mongodb+srv:// or postgresql://";
}

std::unique_ptr<Database> open_database(boost::asio::io_context& io, DatabaseOptions options) {
    if (auto problem = uri_problem(options.uri); !problem.empty()) throw std::runtime_error(problem);
    if (is_postgresql(options.uri)) return open_pg_database(io, options);
    return open_mongo_database(options);
}

}  // namespace auth::store
