#include "test/support/database.hpp"

#include <libpq-fe.h>
#include <mongoc/mongoc.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <thread>

#include "shared/base/encoding.hpp"
#include "shared/base/random.hpp"
#include "test/support/skip.hpp"

namespace test {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

bool have(const char* variable, const char* server) {
    if (!environment(variable).empty()) return true;
    skip(std::string("no ") + server + ": " + variable + " is not set");
    return false;
}

std::string fresh_name() {
    return "t" + shared::to_hex(shared::random_bytes(8));
}

// The URI with its database replaced.
std::string with_database(const std::string& uri, const std::string& name) {
    const auto authority = uri.find("://") + 3;
    const auto slash = uri.find('/', authority);
    const auto query = uri.find('?', authority);
    const auto host_end = std::min({slash, query, uri.size()});
    return uri.substr(0, host_end) + "/" + name + (query == std::string::npos ? "" : uri.substr(query));
}

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

Connection connect(const std::string& uri) {
    Connection connection(PQconnectdb(uri.c_str()), PQfinish);
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    PQsetNoticeProcessor(
        connection.get(), [](void*, const char*) {}, nullptr);
    return connection;
}

std::string execute(PGconn* connection, const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection, sql.c_str()), PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        throw std::runtime_error(PQerrorMessage(connection));
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

std::string run_sql(const std::string& uri, const std::string& sql) {
    return execute(connect(uri).get(), sql);
}

}  // namespace

bool have_postgres() {
    return have("TEST_PG_URI", "PostgreSQL");
}
bool have_mongo() {
    return have("TEST_MONGO_URI", "MongoDB-protocol server");
}

PostgresDatabase::PostgresDatabase()
    : name_(fresh_name()), uri_(with_database(environment("TEST_PG_URI"), name_)) {
    run_sql(environment("TEST_PG_URI"), "CREATE DATABASE " + name_);
}

PostgresDatabase::~PostgresDatabase() {
    try {
        run_sql(environment("TEST_PG_URI"), "DROP DATABASE " + name_ + " WITH (FORCE)");
    } catch (const std::exception& e) {
        std::cerr << "cannot drop " << name_ << ": " << e.what() << '\n';
    }
}

std::string PostgresDatabase::run(const std::string& sql) const {
    return run_sql(uri_, sql);
}

HeldTransaction::HeldTransaction(const PostgresDatabase& database)
    : database_(database), connection_(connect(database.uri()).release()) {
    execute(connection_, "BEGIN");
}

HeldTransaction::~HeldTransaction() {
    PQfinish(connection_);
}

std::string HeldTransaction::run(const std::string& sql) {
    return execute(connection_, sql);
}

void HeldTransaction::commit() {
    execute(connection_, "COMMIT");
}

bool HeldTransaction::wait_blocked(int count) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < end) {
        const auto blocked = database_.run(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
            "wait_event_type = 'Lock'");
        if (std::stoi(blocked) >= count) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
}

MongoDatabase::MongoDatabase()
    : name_(fresh_name()), uri_(with_database(environment("TEST_MONGO_URI"), name_)) {}

MongoDatabase::~MongoDatabase() {
    static const bool initialized = (mongoc_init(), true);
    static_cast<void>(initialized);
    mongoc_client_t* client = mongoc_client_new(uri_.c_str());
    if (client == nullptr) return;
    mongoc_database_t* database = mongoc_client_get_database(client, name_.c_str());
    bson_error_t error;
    if (!mongoc_database_drop(database, &error))
        std::cerr << "cannot drop " << name_ << ": " << error.message << '\n';
    mongoc_database_destroy(database);
    mongoc_client_destroy(client);
}

}  // namespace test
