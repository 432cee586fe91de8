// Real databases for tests, from TEST_PG_URI and TEST_MONGO_URI.
#pragma once

#include <string>

struct pg_conn;
using PGconn = pg_conn;

namespace test {

// True if the server is there. Where it is not: with CI=true the running test fails, elsewhere it is skipped.
// Use: if (!have_postgres()) return;
bool have_postgres();
bool have_mongo();

// A database of its own in the test server, dropped at the end.
class PostgresDatabase {
  public:
    PostgresDatabase();
    ~PostgresDatabase();
    PostgresDatabase(const PostgresDatabase&) = delete;
    PostgresDatabase& operator=(const PostgresDatabase&) = delete;

    const std::string& uri() const { return uri_; }
    const std::string& name() const { return name_; }
    // Runs SQL (several statements allowed) and returns the first column of the first row ("" if there is
    // none).
    std::string run(const std::string& sql) const;

  private:
    std::string name_;
    std::string uri_;
};

// A transaction that stays open, so that a test decides when others may go on. Rolled back at the end.
class HeldTransaction {
  public:
    explicit HeldTransaction(const PostgresDatabase& database);
    ~HeldTransaction();
    HeldTransaction(const HeldTransaction&) = delete;
    HeldTransaction& operator=(const HeldTransaction&) = delete;

    // As PostgresDatabase::run, inside the transaction.
    std::string run(const std::string& sql);
    void commit();
    // Waits until `count` other sessions of this database wait for a lock. False after 10 s.
    bool wait_blocked(int count) const;

  private:
    const PostgresDatabase& database_;
    PGconn* connection_;
};

// A mongodb:// URI with a database name nobody else uses; dropped at the end.
class MongoDatabase {
  public:
    MongoDatabase();
    ~MongoDatabase();
    MongoDatabase(const MongoDatabase&) = delete;
    MongoDatabase& operator=(const MongoDatabase&) = delete;

    const std::string& uri() const { return uri_; }
    const std::string& name() const { return name_; }

  private:
    std::string name_;
    std::string uri_;
};

}  // namespace test
