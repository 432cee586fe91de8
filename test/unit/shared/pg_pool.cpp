#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <chrono>

#include "shared/pg/pg.hpp"
#include "test/support/database.hpp"
#include "test/support/gate.hpp"
#include "test/unit/shared/pg_support.hpp"

namespace asio = boost::asio;
namespace pg = shared::pg;
using namespace std::chrono_literals;
using test::pg::run;

namespace {

constexpr pg::Statement kAdd("SELECT $1::int + $2::int");
constexpr pg::Statement kBackend("SELECT pg_backend_pid()");
constexpr pg::Statement kSleep("SELECT pg_sleep($1::float8)");
constexpr pg::Statement kInsert("INSERT INTO t (id, parent, name) VALUES ($1, $2, $3)");
constexpr pg::Statement kCount("SELECT count(*) FROM t");

constexpr const char* kTable =
    "CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES t (id), name varchar(5) NOT NULL CHECK (name "
    "<> 'x'))";

pg::PoolOptions options(std::string uri, std::size_t size = 4) {
    pg::PoolOptions result;
    result.conninfo = std::move(uri);
    result.size = size;
    return result;
}

asio::awaitable<void> sleep(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

pg::Params insert(const char* id, pg::Value parent, const char* name) {
    return {id, std::move(parent), name};
}

}  // namespace

TEST_CASE("a query sends its values and reads the rows", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    asio::io_context io;
    pg::Pool pool(io, options(database.uri()));
    run(io, [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) {  // the first one prepares, the others do not
            const pg::Params params{std::to_string(i), "40"};
            const auto rows = co_await pool.query(kAdd, params);
            REQUIRE(rows.has_value());
            CHECK(rows->integer(0, 0) == 40 + i);
        }
        const pg::Params with_null{"1", std::nullopt};
        const auto rows = co_await pool.query(kAdd, with_null);
        REQUIRE(rows.has_value());
        CHECK(rows->is_null(0, 0));
        CHECK_THROWS_AS(rows->integer(0, 0), std::logic_error);
        CHECK(pool.counts().open == 1);
        CHECK(pool.counts().idle == 1);
    });
}

TEST_CASE("the first use of a statement takes one round trip", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(std::string(kTable));
    asio::io_context io;
    pg::Pool pool(io, options(database.uri(), 1));
    run(io, [&]() -> asio::awaitable<void> {
        const pg::Params none;
        static constexpr pg::Statement kPrepared(
            "SELECT name FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1%'");
        const pg::Params params{"1", "2"};
        co_await pool.query(kAdd, params);
        const auto names = co_await pool.query(kPrepared, none);
        REQUIRE(names.has_value());
        CHECK(names->size() == 1);
    });
}

TEST_CASE("what the server refuses comes back as the layer's own error and the connection stays", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(kTable);
    asio::io_context io;
    pg::Pool pool(io, options(database.uri(), 1));
    run(io, [&]() -> asio::awaitable<void> {
        const pg::Params none;
        const auto before = co_await pool.query(kBackend, none);
        auto first = co_await pool.query(kInsert, insert("1", std::nullopt, "a"));
        REQUIRE(first.has_value());
        CHECK(first->affected() == 1);
        struct Row {
            pg::Params params;
            pg::Errc expected;
        };
        const std::vector<Row> table{
            {insert("1", std::nullopt, "b"), pg::Errc::unique_violation},
            {insert("2", "99", "b"), pg::Errc::foreign_key_violation},
            {insert("2", std::nullopt, "x"), pg::Errc::check_violation},
            {insert("2", std::nullopt, "much too long"), pg::Errc::check_violation},
            {insert("no number", std::nullopt, "b"), pg::Errc::check_violation},
            {insert("99999999999", std::nullopt, "b"), pg::Errc::check_violation},
            {{"2", std::nullopt, std::nullopt}, pg::Errc::check_violation},
            {{"2", std::nullopt, std::string("a\0b", 3)}, pg::Errc::check_violation},
            {{"2", std::nullopt, "\xff\xfe"}, pg::Errc::check_violation},
        };
        for (const auto& row : table) {
            const auto result = co_await pool.query(kInsert, row.params);
            REQUIRE(result.has_error());
            CHECK(result.error() == row.expected);
        }
        static constexpr pg::Statement kBroken("SELECT * FROM no_such_table");
        for (int i = 0; i < 2; ++i) {  // a statement that could not be prepared is not taken for prepared
            const auto broken = co_await pool.query(kBroken, none);
            CHECK(broken.error() == pg::Errc::query_failed);
        }
        const auto after = co_await pool.query(kBackend, none);
        REQUIRE(after.has_value());
        CHECK(after->text(0, 0) == before->text(0, 0));
        const auto count = co_await pool.query(kCount, none);
        CHECK(count->integer(0, 0) == 1);
    });
}

TEST_CASE("a value larger than every socket buffer arrives whole", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    asio::io_context io;
    pg::Pool pool(io, options(database.uri(), 1));
    run(io, [&]() -> asio::awaitable<void> {
        static constexpr pg::Statement kEcho("SELECT length($1), $1::text");
        const pg::Params params{std::string(24 * 1024 * 1024, 'y')};
        const auto rows = co_await pool.query(kEcho, params);
        REQUIRE(rows.has_value());
        CHECK(rows->integer(0, 0) == 24 * 1024 * 1024);
        CHECK(rows->text(0, 1).size() == 24 * 1024 * 1024);
    });
}

TEST_CASE("an idle connection that the server ended is replaced without an error", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    asio::io_context io;
    pg::Pool pool(io, options(database.uri(), 2));
    run(io, [&]() -> asio::awaitable<void> {
        const pg::Params none;
        for (int round = 0; round < 5; ++round) {
            const auto rows = co_await pool.query(kBackend, none);
            REQUIRE(rows.has_value());
            // Returns when the backend has gone, so that its farewell has been sent.
            database.run("SELECT pg_terminate_backend(" + std::string(rows->text(0, 0)) + ", 5000)");
        }
        CHECK(pool.counts().open == 1);
    });
}

TEST_CASE("a connection that ends during a statement is an error, and the next query works", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    asio::io_context io;
    pg::Pool pool(io, options(database.uri(), 1));
    bool ended = false;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            const pg::Params params{"30"};
            const auto rows = co_await pool.query(kSleep, params);
            CHECK(rows.error() == pg::Errc::unavailable);
            ended = true;
        },
        [](std::exception_ptr failure) { CHECK_FALSE(failure); });
    run(io, [&]() -> asio::awaitable<void> {
        co_await sleep(300ms);
        database.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()");
        const pg::Params params{"1", "2"};
        const auto rows = co_await pool.query(kAdd, params);  // waits for the one place
        CHECK(rows.has_value());
        CHECK(ended);
    });
}

TEST_CASE("a statement that takes too long is ended by the server and the connection stays", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    asio::io_context io;
    auto settings = options(database.uri(), 1);
    settings.statement_timeout = 200ms;
    pg::Pool pool(io, settings);
    run(io, [&]() -> asio::awaitable<void> {
        const pg::Params none;
        const auto before = co_await pool.query(kBackend, none);
        REQUIRE(before.has_value());
        const pg::Params params{"30"};
        const auto slow = co_await pool.query(kSleep, params);
        CHECK(slow.error() == pg::Errc::timeout);
        const auto after = co_await pool.query(kBackend, none);
        REQUIRE(after.has_value());
        CHECK(after->text(0, 0) == before->text(0, 0));
    });
}

TEST_CASE("a server that falls silent is given up at the deadline", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    test::Gate gate(test::pg::server_port());
    asio::io_context io;
    auto settings = options(test::pg::through(database.uri(), "127.0.0.1", gate.port()), 1);
    settings.statement_timeout = 100ms;
    settings.connect_timeout = 300ms;
    pg::Pool pool(io, settings);
    run(io, [&]() -> asio::awaitable<void> {
        const pg::Params params{"1", "2"};
        const auto good = co_await pool.query(kAdd, params);
        REQUIRE(good.has_value());
        gate.set_silent(true);
        const auto start = std::chrono::steady_clock::now();
        const auto silent = co_await pool.query(kAdd, params);
        CHECK(silent.error() == pg::Errc::unavailable);             // it has not ended the statement itself
        const auto connecting = co_await pool.query(kAdd, params);  // the connection was thrown away
        CHECK(connecting.error() == pg::Errc::unavailable);
        CHECK(std::chrono::steady_clock::now() - start < 5s);
        gate.set_silent(false);
        const auto again = co_await pool.query(kAdd, params);
        CHECK(again.has_value());
    });
}

TEST_CASE("an outage gives unavailable, and the pool recovers by itself", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    test::Gate gate(test::pg::server_port());
    asio::io_context io;
    pg::Pool pool(io, options(test::pg::through(database.uri(), "127.0.0.1", gate.port()), 3));
    run(io, [&]() -> asio::awaitable<void> {
        const pg::Params params{"1", "2"};
        const auto good = co_await pool.query(kAdd, params);
        REQUIRE(good.has_value());
        const bool up = co_await pool.ping(1s);
        CHECK(up);
        gate.shut();
        co_await sleep(50ms);
        for (int i = 0; i < 10; ++i) {
            const auto down = co_await pool.query(kAdd, params);
            CHECK(down.error() == pg::Errc::unavailable);
        }
        const bool still_up = co_await pool.ping(1s);
        CHECK_FALSE(still_up);
        CHECK(pool.counts().open == 0);
        gate.open();
        const auto back = co_await pool.query(kAdd, params);
        CHECK(back.has_value());
        const bool up_again = co_await pool.ping(1s);
        CHECK(up_again);
    });
}

TEST_CASE("host names are resolved without blocking and an unknown one is unavailable", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    asio::io_context io;
    test::Gate gate(test::pg::server_port());
    pg::Pool by_name(io, options(test::pg::through(database.uri(), "localhost", gate.port())));
    pg::Pool unknown(io, options(test::pg::through(database.uri(), "no-such-host.invalid", gate.port())));
    run(io, [&]() -> asio::awaitable<void> {
        const pg::Params params{"1", "2"};
        const auto good = co_await by_name.query(kAdd, params);
        CHECK(good.has_value());
        const auto bad = co_await unknown.query(kAdd, params);
        CHECK(bad.error() == pg::Errc::unavailable);
    });
}

TEST_CASE("beyond the pool's size queries wait, and fail at their deadline or when too many wait", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    asio::io_context io;
    auto settings = options(database.uri(), 2);
    settings.acquire_timeout = 300ms;
    settings.max_waiters = 3;
    pg::Pool pool(io, settings);
    int fine = 0;
    int exhausted = 0;
    int finished = 0;
    const auto query = [&](const char* seconds) -> asio::awaitable<void> {
        const pg::Params params{seconds};
        const auto rows = co_await pool.query(kSleep, params);
        if (rows) ++fine;
        if (!rows && rows.error() == pg::Errc::pool_exhausted) ++exhausted;
        ++finished;
    };
    const auto on_end = [](std::exception_ptr failure) { CHECK_FALSE(failure); };
    run(io, [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 2; ++i) asio::co_spawn(io, query("1.5"), on_end);
        co_await sleep(200ms);
        for (int i = 0; i < 5; ++i) asio::co_spawn(io, query("0"), on_end);
        co_await sleep(100ms);
        CHECK(exhausted == 2);  // three wait, the others are told at once
        CHECK(pool.counts().waiting == 3);
        co_await sleep(500ms);
        CHECK(exhausted == 5);
        while (finished < 7) co_await sleep(20ms);
        CHECK(fine == 2);
        for (int i = 0; i < 5; ++i) asio::co_spawn(io, query("0.02"), on_end);  // and now there is room again
        while (finished < 12) co_await sleep(20ms);
        CHECK(fine == 7);
        CHECK(pool.counts().open == 2);
    });
}

TEST_CASE("many queries at once through a small pool all get their own answer", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    asio::io_context io;
    auto settings = options(database.uri(), 3);
    settings.max_waiters = 1000;
    settings.acquire_timeout = 20s;
    pg::Pool pool(io, settings);
    int finished = 0;
    int right = 0;
    const auto query = [&](int i) -> asio::awaitable<void> {
        const pg::Params params{std::to_string(i), std::to_string(1000)};
        const auto rows = co_await pool.query(kAdd, params);
        if (rows && rows->integer(0, 0) == i + 1000) ++right;
        ++finished;
    };
    run(io, [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 500; ++i) asio::co_spawn(io, query(i), [](std::exception_ptr) {});
        while (finished < 500) co_await sleep(10ms);
        CHECK(right == 500);
        CHECK(pool.counts().open <= 3);
    });
}

TEST_CASE("a transaction that is not committed leaves nothing, and its connection is free again", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(kTable);
    asio::io_context io;
    pg::Pool pool(io, options(database.uri(), 1));
    run(io, [&]() -> asio::awaitable<void> {
        const pg::Params none;
        {
            auto transaction = co_await pool.begin();
            REQUIRE(transaction.has_value());
            const auto inserted = co_await transaction->query(kInsert, insert("1", std::nullopt, "a"));
            REQUIRE(inserted.has_value());
        }
        auto count =
            co_await pool.query(kCount, none);  // the pool has one connection: this waits for the rollback
        CHECK(count->integer(0, 0) == 0);
        {
            auto transaction = co_await pool.begin();
            REQUIRE(transaction.has_value());
            const auto inserted = co_await transaction->query(kInsert, insert("1", std::nullopt, "a"));
            REQUIRE(inserted.has_value());
            const auto committed = co_await transaction->commit();
            CHECK(committed.has_value());
        }
        count = co_await pool.query(kCount, none);
        CHECK(count->integer(0, 0) == 1);
        {
            auto transaction = co_await pool.begin();
            const auto twice = co_await transaction->query(kInsert, insert("1", std::nullopt, "a"));
            CHECK(twice.error() == pg::Errc::unique_violation);
        }
        {
            auto unused = co_await pool.begin();
            CHECK(unused.has_value());
        }
        count = co_await pool.query(kCount, none);
        CHECK(count->integer(0, 0) == 1);
        CHECK(pool.counts().open == 1);
    });
}

TEST_CASE("a transaction whose connection breaks is an error at the next statement", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(kTable);
    asio::io_context io;
    pg::Pool pool(io, options(database.uri(), 1));
    run(io, [&]() -> asio::awaitable<void> {
        const pg::Params none;
        {
            auto transaction = co_await pool.begin();
            const auto inserted = co_await transaction->query(kInsert, insert("1", std::nullopt, "a"));
            REQUIRE(inserted.has_value());
            database.run(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = "
                "current_database() AND "
                "pid <> pg_backend_pid()");
            const auto broken = co_await transaction->query(kInsert, insert("2", std::nullopt, "a"));
            CHECK(broken.error() == pg::Errc::unavailable);
            const auto committed = co_await transaction->commit();
            CHECK(committed.has_error());
        }
        const auto count = co_await pool.query(kCount, none);
        REQUIRE(count.has_value());
        CHECK(count->integer(0, 0) == 0);
    });
}

TEST_CASE("two transactions that lock each other end with a serialization failure, not with a hang", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(std::string(kTable) + "; INSERT INTO t VALUES (1, NULL, 'a'), (2, NULL, 'b')");
    asio::io_context io;
    pg::Pool pool(io, options(database.uri(), 2));
    int deadlocks = 0;
    int finished = 0;
    const auto work = [&](const char* first, const char* second) -> asio::awaitable<void> {
        static constexpr pg::Statement kTouch("UPDATE t SET name = name WHERE id = $1");
        auto transaction = co_await pool.begin();
        const pg::Params one{first};
        const pg::Params two{second};
        const auto touched = co_await transaction->query(kTouch, one);
        CHECK(touched.has_value());
        co_await sleep(200ms);
        const auto second_touched = co_await transaction->query(kTouch, two);
        if (!second_touched && second_touched.error() == pg::Errc::serialization_failure) ++deadlocks;
        ++finished;
    };
    run(io, [&]() -> asio::awaitable<void> {
        asio::co_spawn(io, work("1", "2"), [](std::exception_ptr) {});
        asio::co_spawn(io, work("2", "1"), [](std::exception_ptr) {});
        while (finished < 2) co_await sleep(20ms);
        CHECK(deadlocks == 1);
    });
}

TEST_CASE("a pool that is closed refuses, and pings at the same time share one answer", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    asio::io_context io;
    pg::Pool pool(io, options(database.uri(), 1));
    int alive = 0;
    int finished = 0;
    const auto ping = [&]() -> asio::awaitable<void> {
        const bool up = co_await pool.ping(2s);
        if (up) ++alive;
        ++finished;
    };
    run(io, [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 20; ++i) asio::co_spawn(io, ping(), [](std::exception_ptr) {});
        while (finished < 20) co_await sleep(10ms);
        CHECK(alive == 20);
        const auto backends = database.run(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
            "pg_backend_pid()");
        CHECK(backends == "1");
        pool.close();
        const pg::Params params{"1", "2"};
        const auto refused = co_await pool.query(kAdd, params);
        CHECK(refused.error() == pg::Errc::unavailable);
        const bool up = co_await pool.ping(1s);
        CHECK_FALSE(up);
    });
}

TEST_CASE("a pool may go while its queries run", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    asio::io_context io;
    auto pool = std::make_unique<pg::Pool>(io, options(database.uri(), 1));
    run(io, [&]() -> asio::awaitable<void> {
        int finished = 0;
        const auto query = [&](pg::Pool& target) -> asio::awaitable<void> {
            const pg::Params params{"0.2"};
            auto operation = target.query(kSleep, params);
            co_await std::move(operation);
            ++finished;
        };
        asio::co_spawn(io, query(*pool), [](std::exception_ptr) {});
        asio::co_spawn(io, query(*pool), [](std::exception_ptr) {});
        co_await sleep(100ms);
        pool.reset();
        while (finished < 2) co_await sleep(20ms);
    });
}

TEST_CASE("a connection string that libpq cannot read stops the start without showing it", "[pg]") {
    asio::io_context io;
    try {
        pg::Pool pool(io, options("postgresql://user:geheim@host/db?nonsense=1"));
        FAIL("accepted");
    } catch (const std::runtime_error& error) {
        CHECK(std::string(error.what()).find("geheim") == std::string::npos);
    }
}
