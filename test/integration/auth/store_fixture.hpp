// A database of its own for a test, behind the store interface, on MongoDB's protocol or on PostgreSQL.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/auth/store/database.hpp"
#include "test/support/system.hpp"

namespace auth_test {

// Runs a coroutine to its end and returns its value.
template <class T>
T run(boost::asio::io_context& io, boost::asio::awaitable<T> task) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr error, T value) {
        failure = error;
        result.emplace(std::move(value));
    });
    io.restart();
    // Pools keep their own timers and connections: run until the result is there, not until nothing is left.
    while (!result) io.run_one();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
}

// Runs all of them at once.
template <class T>
std::vector<T> run_all(boost::asio::io_context& io, std::vector<boost::asio::awaitable<T>>& tasks) {
    std::vector<T> results;
    const std::size_t count = tasks.size();
    for (auto& task : tasks)
        boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr error, T value) {
            if (error) std::rethrow_exception(error);
            results.push_back(std::move(value));
        });
    io.restart();
    while (results.size() < count) io.run_one();
    return results;
}

class StoreFixture {
  public:
    // `prepared`: with schema and indexes.
    explicit StoreFixture(test::UserStore kind, bool prepared = true);

    boost::asio::io_context io;
    auth::store::Database& database() { return *database_; }
    auth::store::UserStore& users() { return database_->users(); }
    auth::store::SessionStore& sessions() { return database_->sessions(); }
    auth::store::ThrottleStore& throttle() { return database_->throttle(); }
    auth::store::AuditStore& audit() { return database_->audit(); }
    const std::string& uri() const { return uri_; }

    // A second replica's view of the same database.
    std::unique_ptr<auth::store::Database> open_again();

  private:
    std::unique_ptr<test::PostgresDatabase> postgres_;
    std::unique_ptr<test::MongoDatabase> mongo_;
    std::string uri_;
    std::unique_ptr<auth::store::Database> database_;
};

// An account that can be inserted as it is.
auth::store::NewAccount new_account(const std::string& username);

}  // namespace auth_test
