// PostgreSQL without blocking: libpq's asynchronous calls on the caller's io_context.
#pragma once

#include <libpq-fe.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"

namespace shared::pg {

enum class Errc {
    unavailable = 1,        // cannot connect, or the connection broke: 503, the next try may work
    pool_exhausted,         // no connection became free before the deadline: 503
    timeout,                // the statement ran longer than allowed; it was cancelled
    unique_violation,       // SQLSTATE 23505
    foreign_key_violation,  // 23503
    check_violation,        // 23514, 23502, 22001, 22003: the data breaks a rule of the schema
    serialization_failure,  // 40001, 40P01: run the transaction again
    query_failed,           // any other SQLSTATE: a defect or an operator's mistake; logged with its text
};
const boost::system::error_category& category();
inline ErrorCode make_error_code(Errc e) {
    return {static_cast<int>(e), category()};
}

// The Errc of a SQLSTATE (five characters; empty: the connection broke).
Errc from_sqlstate(std::string_view sqlstate);

// Values in and out are text; NULL is nullopt. Statements never contain values. A value with a NUL byte is
// refused (check_violation): the protocol would cut it there. Name the Params before the co_await that uses
// them (g++ 12 destroys an initializer list in such a statement twice).
using Value = std::optional<std::string>;
using Params = std::vector<Value>;

class Rows {
  public:
    Rows() = default;
    explicit Rows(PGresult* result) : result_(result, PQclear) {}
    int size() const { return result_ ? PQntuples(result_.get()) : 0; }
    bool empty() const { return size() == 0; }
    bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
    std::string_view text(int row, int column) const {
        return {PQgetvalue(result_.get(), row, column),
                static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
    }
    Value value(int row, int column) const {
        if (is_null(row, column)) return std::nullopt;
        return std::string(text(row, column));
    }
    std::int64_t integer(int row, int column) const;  // throws std::logic_error if the column is no integer
    bool boolean(int row, int column) const { return text(row, column) == "t"; }
    std::int64_t affected() const;  // rows changed by INSERT, UPDATE, DELETE

  private:
    std::shared_ptr<PGresult> result_;
};

// A statement is prepared on each connection at its first use; `sql` must have static lifetime (it is the
// key).
struct Statement {
    explicit constexpr Statement(const char* text) : sql(text) {}
    const char* sql;
};

struct PoolOptions {
    std::string conninfo;  // libpq keywords or a postgresql:// URI
    std::size_t size = 8;
    std::chrono::milliseconds connect_timeout{3000};
    std::chrono::milliseconds acquire_timeout{2000};
    std::chrono::milliseconds statement_timeout{5000};  // also set on the server
    std::size_t max_waiters = 256;  // more than that waiting for a connection: pool_exhausted at once
    std::string application_name;   // seen in pg_stat_activity; empty: what conninfo says
};

class Transaction;

// For one io_context and its one thread.
class Pool {
  public:
    Pool(boost::asio::io_context& io, PoolOptions options);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // One statement in its own transaction, one round trip once prepared. A broken pooled connection is
    // replaced and the statement is sent once more only if nothing of it had been sent.
    boost::asio::awaitable<Result<Rows>> query(Statement statement, Params params);

    // BEGIN; statements; commit(). Not committed when it goes out of scope: rolled back.
    boost::asio::awaitable<Result<Transaction>> begin();

    // SELECT 1 with its own short deadline; true if the database answers. Uses a connection of its own, so
    // that a busy pool is not taken for a dead database; calls at the same time share one question.
    boost::asio::awaitable<bool> ping(std::chrono::milliseconds timeout);

    // Closes idle connections; those in use close when they come back. Later queries answer unavailable.
    void close();

    struct Counts {
        std::size_t open = 0;     // connections in use, idle, or being made
        std::size_t idle = 0;     // of those, free now
        std::size_t waiting = 0;  // coroutines that wait for a connection
    };
    Counts counts() const;

    struct Impl;

  private:
    std::shared_ptr<Impl> impl_;
};

class Transaction {
  public:
    Transaction(Transaction&&) noexcept;
    Transaction& operator=(Transaction&&) noexcept;
    ~Transaction();

    // BEGIN travels with the first statement. After an error only leaving the scope makes sense.
    boost::asio::awaitable<Result<Rows>> query(Statement statement, Params params);
    // An error unavailable here means: unknown whether it was committed.
    boost::asio::awaitable<Result<>> commit();

  private:
    friend class Pool;
    struct Impl;
    explicit Transaction(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace shared::pg

template <>
struct boost::system::is_error_code_enum<shared::pg::Errc> : std::true_type {};
