#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "shared/base/random.hpp"
#include "shared/pg/migrate.hpp"
#include "test/support/database.hpp"
#include "test/support/gate.hpp"
#include "test/unit/shared/pg_support.hpp"

namespace fs = std::filesystem;
namespace pg = shared::pg;

namespace {

class Folder {
  public:
    Folder() : path_(fs::temp_directory_path() / ("migrations_" + shared::random_id())) {
        fs::create_directory(path_);
    }
    ~Folder() { fs::remove_all(path_); }
    void write(const std::string& name, const std::string& sql) const { std::ofstream(path_ / name) << sql; }
    void remove(const std::string& name) const { fs::remove(path_ / name); }
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

}  // namespace

TEST_CASE("migrations run in order, once", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    Folder folder;
    folder.write("0002_more.sql", "ALTER TABLE a ADD COLUMN name text;\nINSERT INTO a VALUES (1, 'satu');");
    folder.write("0001_first.sql", "CREATE TABLE a (id int);");
    folder.write("notes.txt", "not for us");
    CHECK(pg::migrate(database.uri(), folder.path()) == 2);
    CHECK(pg::migrate(database.uri(), folder.path()) == 0);
    folder.write("0003_third.sql", "INSERT INTO a VALUES (2, 'dua');");
    CHECK(pg::migrate(database.uri(), folder.path()) == 1);
    CHECK(database.run("SELECT string_agg(name, ',' ORDER BY id) FROM a") == "satu,dua");
    // A release that knows fewer files still starts.
    folder.remove("0003_third.sql");
    CHECK(pg::migrate(database.uri(), folder.path()) == 0);
}

TEST_CASE("a migration that fails leaves nothing and says which file it was", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    Folder folder;
    folder.write("0001_first.sql", "CREATE TABLE a (id int);");
    folder.write("0002_bad.sql", "CREATE TABLE b (id int); INSERT INTO nowhere VALUES (1);");
    CHECK_THROWS_WITH(pg::migrate(database.uri(), folder.path()),
                      Catch::Contains("0002_bad.sql") && Catch::Contains("nowhere"));
    CHECK(database.run("SELECT to_regclass('a') IS NOT NULL") == "t");
    CHECK(database.run("SELECT to_regclass('b') IS NULL") == "t");
    folder.write("0002_bad.sql", "CREATE TABLE b (id int);");
    CHECK(pg::migrate(database.uri(), folder.path()) == 1);
}

TEST_CASE("a file that ends its own transaction is refused", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    Folder folder;
    folder.write("0001_first.sql", "CREATE TABLE a (id int); COMMIT;");
    CHECK_THROWS_WITH(pg::migrate(database.uri(), folder.path()), Catch::Contains("0001_first.sql"));
}

TEST_CASE("a changed, doubled, misnamed or late file is refused before anything is done", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    Folder folder;
    folder.write("0002_first.sql", "CREATE TABLE a (id int);\n");
    CHECK(pg::migrate(database.uri(), folder.path()) == 1);

    folder.write("0002_first.sql", "CREATE TABLE a (id int);\r\n");  // another line end is the same file
    CHECK(pg::migrate(database.uri(), folder.path()) == 0);

    folder.write("0003_next.sql", "CREATE TABLE c (id int);");
    folder.write("0002_first.sql", "CREATE TABLE a (id bigint);\n");
    CHECK_THROWS_WITH(pg::migrate(database.uri(), folder.path()), Catch::Contains("0002_first.sql"));
    CHECK(database.run("SELECT to_regclass('c') IS NULL") == "t");

    folder.write("0002_first.sql", "CREATE TABLE a (id int);\n");
    folder.write("0001_late.sql", "CREATE TABLE b (id int);");
    CHECK_THROWS_WITH(pg::migrate(database.uri(), folder.path()), Catch::Contains("0001_late.sql"));
    folder.remove("0001_late.sql");
    folder.write("0003_twin.sql", "SELECT 1;");
    CHECK_THROWS_WITH(pg::migrate(database.uri(), folder.path()), Catch::Contains("number"));
    folder.remove("0003_twin.sql");
    folder.write("4_short.sql", "SELECT 1;");
    CHECK_THROWS_WITH(pg::migrate(database.uri(), folder.path()), Catch::Contains("4_short.sql"));
}

TEST_CASE("two services keep their numbers apart in one database", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    Folder one;
    Folder two;
    one.write("0001_first.sql", "CREATE TABLE a (id int);");
    two.write("0001_first.sql", "CREATE TABLE b (id int);");
    CHECK(pg::migrate(database.uri(), one.path(), "acad") == 1);
    CHECK(pg::migrate(database.uri(), two.path(), "auth") == 1);
}

TEST_CASE("replicas that start at the same time apply every file once", "[pg]") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    Folder folder;
    for (int i = 1; i <= 5; ++i) {
        const auto number = std::to_string(i);
        folder.write("000" + number + "_x.sql", "CREATE TABLE t" + number + " (id int); INSERT INTO t" +
                                                    number + " VALUES (1); SELECT pg_sleep(0.05);");
    }
    std::atomic<int> applied{0};
    std::atomic<int> failed{0};
    std::vector<std::thread> replicas;
    for (int i = 0; i < 6; ++i) {
        replicas.emplace_back([&] {
            try {
                applied += pg::migrate(database.uri(), folder.path());
            } catch (const std::exception&) {
                ++failed;
            }
        });
    }
    for (auto& replica : replicas) replica.join();
    CHECK(failed == 0);
    CHECK(applied == 5);
    CHECK(database.run("SELECT count(*) FROM t5") == "1");
}

TEST_CASE("a database that cannot be reached is worth another try, a wrong file is not", "[pg]") {
    if (!test::have_postgres()) return;
    Folder folder;
    folder.write("0001_first.sql", "SELECT 1;");
    test::Gate gate(test::pg::server_port());
    gate.shut();
    const test::PostgresDatabase database;
    CHECK_THROWS_AS(pg::migrate(test::pg::through(database.uri(), "127.0.0.1", gate.port()), folder.path()),
                    pg::MigrationUnavailable);
    folder.write("0001_first.sql", "SELEC 1;");
    try {
        pg::migrate(database.uri(), folder.path());
        FAIL("accepted");
    } catch (const pg::MigrationUnavailable&) {
        FAIL("a wrong file is not an outage");
    } catch (const std::runtime_error& error) {
        CHECK_THAT(error.what(), Catch::Contains("0001_first.sql"));
    }
}
