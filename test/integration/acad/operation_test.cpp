// Start, stop, outages, and the take-over of a database of the first release.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <thread>

#include "test/integration/acad/acad_service.hpp"
#include "test/support/gate.hpp"

using namespace test::acad;
using namespace std::chrono_literals;

namespace {

std::uint16_t server_port() {
    const std::string uri = std::getenv("TEST_PG_URI");
    const auto host = uri.find('@') == std::string::npos ? uri.find("://") + 3 : uri.find('@') + 1;
    const auto colon = uri.find(':', host);
    return colon == std::string::npos ? 5432 : static_cast<std::uint16_t>(std::stoi(uri.substr(colon + 1)));
}

// The same database through another port.
std::string through(const std::string& uri, std::uint16_t port) {
    const auto host = uri.find('@') == std::string::npos ? uri.find("://") + 3 : uri.find('@') + 1;
    const auto slash = uri.find('/', host);
    return uri.substr(0, host) + "127.0.0.1:" + std::to_string(port) + uri.substr(slash);
}

constexpr const char* kFirstRelease = R"(
    CREATE TABLE mahasiswa (nim varchar(10) PRIMARY KEY, nama varchar(100), jurusan varchar(50), angkatan int);
    CREATE TABLE mata_kuliah (kode_mk varchar(10) PRIMARY KEY, nama_mk varchar(100), sks int);
    CREATE TABLE krs (id_krs bigserial PRIMARY KEY, nim varchar(10), kode_mk varchar(10), nilai char(2), semester int);
    CREATE TABLE bobot_nilai (nilai char(2) PRIMARY KEY, bobot float);
    INSERT INTO bobot_nilai VALUES ('A', 4), ('A-', 3.75), ('B+', 3.5), ('B', 3), ('B-', 2.75), ('C+', 2.5), ('C', 2),
        ('D', 1), ('E', 0);
    INSERT INTO mahasiswa VALUES ('22001', 'Ahmad Fauzan', 'Sains Data', 2022), ('22002', 'Nisa Rahma', 'Sains Data', 2022),
        ('22003', NULL, NULL, NULL);
    INSERT INTO mata_kuliah VALUES ('IF101', 'Pemrograman Dasar', 3), ('IF102', 'Basis Data', 3),
        ('IF103', 'Aljabar Matriks', 3), ('IF104', NULL, NULL);
)";

}  // namespace

TEST_CASE("a database of the first release is taken over without losing a row") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(kFirstRelease);
    database.run(R"(
        INSERT INTO krs (id_krs, nim, kode_mk, nilai, semester) VALUES
            (1, '22001', 'IF101', 'A', 1), (2, '22001', 'IF102', 'B+', 1), (3, '22001', 'IF103', 'B ', 1),
            (4, '22002', 'IF101', 'A', 1), (5, '22002', 'IF102', 'A', 1), (6, '22002', 'IF103', 'B+', 1),
            (7, '22001', 'IF101', NULL, 1), (8, '22001', 'IF101', NULL, 1),  -- the same as 1, without a grade
            (9, '22001', 'IF102', NULL, 2),
            (10, '99999', 'IF101', 'A', 1),    -- nobody
            (11, '22002', 'XX999', 'A', 1),    -- no such course
            (12, '22002', 'IF101', 'X', 2),    -- no such grade
            (13, NULL, NULL, NULL, NULL), (14, '22003', 'IF104', 'b ', 99);)");
    command("migrate", database.uri());
    command("migrate", database.uri());  // again: nothing to do
    CHECK(database.run("SELECT count(*) FROM krs") == "14");
    CHECK(database.run("SELECT count(*) FROM mahasiswa") == "3");
    CHECK(database.run("SELECT count(*) FROM mata_kuliah") == "4");
    CHECK(database.run("SELECT count(*) FROM bobot_nilai") == "9");
    CHECK(
        database.run("SELECT string_agg(id_krs || '=' || duplikat_dari, ',' ORDER BY id_krs) FROM krs WHERE "
                     "duplikat_dari IS NOT NULL") == "7=1,8=1");
    CHECK(database.run("SELECT count(*) FROM temuan_migrasi WHERE tabel = 'krs'") != "0");
    CHECK(database.run("SELECT kode_semester FROM krs WHERE id_krs = 9") == "20222");
    CHECK(database.run("SELECT count(*) FROM skala_nilai_butir") == "14");
    CHECK(database.run("SELECT string_agg(table_name || ' ' || character_maximum_length, ', ' ORDER BY "
                       "table_name) FROM information_schema.columns WHERE column_name = 'nim'") ==
          "krs 24, mahasiswa 24, riwayat_nilai 24");

    const Service service(database.uri());
    CHECK(service.get("/api/acad/ips", student("22001")).json()["IPS"].GetDouble() == Approx(3.5));
    CHECK(service.get("/api/acad/ips?semester=1", student("22002")).json()["IPS"].GetDouble() ==
          Approx(3.83));
    CHECK(service.get("/api/acad/ips", student("22003")).body ==
          R"({"NIM":"22003","Nama Mahasiswa":"","Jurusan":"","IPS":0})");
    for (const auto* page : {"", "/khs", "/transkrip", "/riwayat"}) {
        for (const auto* nim : {"22001", "22002", "22003"}) {
            INFO(nim << page);
            CHECK(service.get(std::string("/api/acad/mahasiswa/") + nim + page, admin()).status == 200);
        }
    }
    CHECK(service.get("/api/acad/krs?limit=200", admin()).json().Size() == 12);
    CHECK(service.get("/api/acad/ekspor/akm", admin()).status == 200);
    CHECK(service.get("/api/acad/mata_kuliah", admin()).status == 200);
    // New rows get ids behind the old ones, and rules hold for them.
    const auto enrolled = service.send("POST", "/api/acad/krs", admin(),
                                       R"({"nim":"22001","kode_mk":"IF101","kode_semester":20222})");
    CHECK(enrolled.status == 201);
    CHECK(enrolled.json()["id_krs"].GetInt() > 14);
    CHECK_THROWS(
        database.run("INSERT INTO krs (nim, kode_mk, semester, sks) VALUES ('nobody', 'IF101', 1, 3)"));
    CHECK_THROWS(database.run("UPDATE krs SET nilai = 'Z' WHERE id_krs = 1"));
    CHECK_THROWS(database.run("DELETE FROM mahasiswa WHERE nim = '22001'"));
}

TEST_CASE("a view of somebody's own keeps its column as narrow as it was, and the take-over says so") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(kFirstRelease);
    database.run("CREATE VIEW daftar AS SELECT nim, nama FROM mahasiswa");
    command("migrate", database.uri());
    CHECK(database.run("SELECT string_agg(tabel || ' ' || kunci, ', ') FROM temuan_migrasi WHERE temuan LIKE "
                       "'kolom tidak dilebarkan%'") == "mahasiswa nim");
    CHECK(database.run("SELECT count(*) FROM daftar") == "3");
}

TEST_CASE("a duplicate of the first release counts nowhere, whatever its grade") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(kFirstRelease);
    database.run(R"(
        INSERT INTO krs (id_krs, nim, kode_mk, nilai, semester) VALUES
            (1, '22001', 'IF101', 'E', 1), (2, '22001', 'IF102', 'E', 1), (3, '22001', 'IF103', 'E', 1),
            (4, '22001', 'IF101', 'A', 1), (5, '22001', 'IF102', 'B+', 1), (6, '22001', 'IF103', 'B', 1);)");
    const Service service(database.uri());
    CHECK(
        database.run("SELECT string_agg(id_krs || '=' || duplikat_dari, ',' ORDER BY id_krs) FROM krs WHERE "
                     "duplikat_dari IS NOT NULL") == "1=4,2=5,3=6");
    CHECK(service.get("/api/acad/ips", student("22001")).json()["IPS"].GetDouble() == Approx(3.5));
    const auto khs = service.get("/api/acad/mahasiswa/22001/khs", student("22001")).json();
    CHECK(khs["sks"].GetInt() == 9);
    CHECK(khs["mata_kuliah"].Size() == 3);
    CHECK(service.get("/api/acad/krs", student("22001")).json().Size() == 3);
    CHECK(service.get("/api/acad/krs/1", admin()).status == 404);
    CHECK(service.send("PUT", "/api/acad/krs/1/nilai", dosen(), R"({"nilai":"A"})").status == 404);
    CHECK(service.get("/api/acad/krs/1/nilai/riwayat", dosen()).status == 404);
    CHECK(service.send("DELETE", "/api/acad/krs/1", admin(), "").status == 404);
    CHECK(database.run("SELECT nilai FROM krs WHERE id_krs = 1") == "E");
    const auto exported = service.get("/api/acad/ekspor/krs", admin()).body;
    CHECK(std::count(exported.begin(), exported.end(), '\n') == 4);

    // Two places, one of them taken by 4 (and not by 1, too).
    database.run("UPDATE mata_kuliah SET kuota = 2 WHERE kode_mk = 'IF101'");
    const std::string enrolment = R"({"nim":"22002","kode_mk":"IF101","kode_semester":20221})";
    CHECK(service.send("POST", "/api/acad/krs", admin(), enrolment).status == 201);
}

TEST_CASE("a row of the first release without a term has the weight of its grade") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(kFirstRelease);
    database.run(
        "INSERT INTO krs (nim, kode_mk, nilai, semester) VALUES ('22003', 'IF101', 'A', 5), ('22003', "
        "'IF102', '', "
        "5)");
    const Service service(database.uri());
    CHECK(database.run("SELECT bool_and(kode_semester IS NULL) FROM krs") == "t");
    CHECK(database.run("SELECT nilai IS NULL FROM krs WHERE kode_mk = 'IF102'") ==
          "t");  // blanks are no grade
    CHECK(service.get("/api/acad/ips?semester=5&nim=22003", admin()).json()["IPS"].GetDouble() == Approx(4));
}

TEST_CASE("a first release with cascading keys and a scale of its own keeps both its rows and its scale") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(kFirstRelease);
    database.run(R"(
        ALTER TABLE krs ADD FOREIGN KEY (nim) REFERENCES mahasiswa ON DELETE CASCADE;
        DELETE FROM bobot_nilai;
        INSERT INTO bobot_nilai VALUES ('A+', 4), ('A', 3.5), ('B', 2.75), ('F', 'NaN');
        INSERT INTO krs (nim, kode_mk, nilai, semester) VALUES ('22001', 'IF101', 'A', 1), ('22001', 'IF102', 'B', 1);)");
    const Service service(database.uri());
    CHECK(service.get("/api/acad/ips", student("22001")).json()["IPS"].GetDouble() == Approx(3.13));  // 3.125
    CHECK(code(service.send("DELETE", "/api/acad/mahasiswa/22001", admin(), "")) == "still_in_use");
    CHECK(database.run("SELECT count(*) FROM krs") == "2");
}

TEST_CASE("a scale that is there already is taken over as it is, and nothing is added to it but marks") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(kFirstRelease);
    database.run(R"(
        DELETE FROM bobot_nilai;
        INSERT INTO bobot_nilai VALUES ('a', 3), ('A', 3.5), ('b+', 2.755), ('D', 1), ('F', 0.99), ('Z', 4.01), ('', 2);)");
    command("migrate", database.uri());
    CHECK(database.run(
              "SELECT string_agg(format('%s %s %s %s', nilai, coalesce(bobot::text, '-'), lulus, masuk_ip),"
              " ', ' ORDER BY bobot DESC NULLS LAST, nilai COLLATE \"C\") FROM skala_nilai_butir") ==
          "A 3.50 t t, B+ 2.76 t t, D 1.00 t t, F 0.99 f t, BL - f f, K - f f, L - t f, T - f f, TL - f f");
    CHECK(database.run("SELECT string_agg(kunci, ',') FROM temuan_migrasi WHERE tabel = 'bobot_nilai'") ==
          "Z");
}

TEST_CASE("an empty database becomes ready by itself, and demo data may be loaded twice") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    const Service service(database.uri());
    CHECK(service.get("/api/acad/mahasiswa", admin()).body == "[]");
    CHECK(code(service.get("/api/acad/ips?nim=22001", admin())) == "mahasiswa_not_found");
    command("seed-demo", database.uri());
    command("seed-demo", database.uri());
    CHECK(database.run("SELECT count(*) FROM krs") == "6");
    CHECK(service.get("/api/acad/ips?nim=22001", admin()).status == 200);
}

TEST_CASE("wrong settings stop the start, all of them named at once, and no secret shown") {
    const auto output_of = [](std::map<std::string, std::string> environment, int& exit_code) {
        test::Process process(test::binary("acad-service"), {}, std::move(environment));
        exit_code = process.wait_exit();
        return process.output();
    };
    int exit_code = 0;
    const auto nothing = output_of({}, exit_code);
    CHECK(exit_code == 1);
    for (const auto* name : {"DB_HOST", "DB_NAME", "DB_USER", "DB_PASSWORD", "JWT_SECRET"}) {
        INFO(name);
        CHECK(nothing.find(name) != std::string::npos);
    }
    const auto wrong = output_of({{"DATABASE_URL", "postgresql://u:s3cretword@h/d?nonsense=1"},
                                  {"JWT_SECRET", "short"},
                                  {"PORT", "70000"},
                                  {"ROUNDING", "up"},
                                  {"AUTH_FEED_URL", "nonsense"},
                                  {"SQL_DIR", "/nowhere"}},
                                 exit_code);
    CHECK(exit_code == 1);
    for (const auto* name : {"DATABASE_URL", "JWT_SECRET", "PORT", "ROUNDING", "AUTH_FEED_URL", "SQL_DIR"}) {
        INFO(name);
        CHECK(wrong.find(name) != std::string::npos);
    }
    CHECK(wrong.find("s3cretword") == std::string::npos);
    test::Process unknown(test::binary("acad-service"), {"fly"}, {});
    CHECK(unknown.wait_exit() == 2);
}

TEST_CASE("a port that is in use stops the start with one clear message") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    const Service first(database.uri());
    auto environment = settings(database.uri());
    environment["PORT"] = std::to_string(first.port());
    test::Process second(test::binary("acad-service"), {}, environment);
    CHECK(second.wait_exit() == 1);
    CHECK(second.output().find("PORT") != std::string::npos);
}

TEST_CASE("the service starts without its database, and serves as soon as it is there") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    test::Gate gate(server_port());
    gate.shut();
    const Service service(through(database.uri(), gate.port()), {}, false);
    const auto health = test::get(service.port(), "/health");
    CHECK(health.status == 503);
    CHECK(health.body == R"({"status":"unavailable","database":"down","keys":"known","sessions":"known"})");
    const auto down = service.get("/api/acad/mahasiswa", admin());
    CHECK(down.status == 503);
    CHECK(down.has_header("Retry-After"));
    CHECK(service.get("/api/acad/mahasiswa", "nonsense").status == 401);  // tokens need no database
    gate.open();
    service.wait_health(200);
    CHECK(service.get("/api/acad/mahasiswa", admin()).status == 200);
}

TEST_CASE("an outage of the database is 503 with Retry-After, and ends without a restart") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("seed-demo", database.uri());
    test::Gate gate(server_port());
    const Service service(through(database.uri(), gate.port()));
    for (int round = 0; round < 2; ++round) {
        CHECK(service.get("/api/acad/ips", student("22001")).status == 200);
        gate.shut();
        for (int i = 0; i < 5; ++i) {
            const auto reply = service.get("/api/acad/ips", student("22001"));
            CHECK(reply.status == 503);
            CHECK(code(reply) == "database_unavailable");
            CHECK(reply.has_header("Retry-After"));
            CHECK(reply.body.find("127.0.0.1") == std::string::npos);
        }
        CHECK(test::get(service.port(), "/health").status == 503);
        gate.open();
        CHECK(service.get("/api/acad/ips", student("22001")).status == 200);  // the very next request
        CHECK(test::get(service.port(), "/health").status == 200);
    }
    // Backends that the server ends while they are idle are not even noticed by a client.
    database.run(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = "
        "current_database() "
        "AND pid <> pg_backend_pid()");
    CHECK(service.get("/api/acad/ips", student("22001")).status == 200);
}

TEST_CASE("a migration that cannot work ends the process with its file's name") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run("CREATE VIEW krs AS SELECT 1 AS id_krs");
    test::Process process(test::binary("acad-service"), {}, settings(database.uri()));
    CHECK(process.wait_exit() == 1);
    CHECK(process.output().find("0003_krs.sql") != std::string::npos);
}

TEST_CASE("SIGTERM ends the service in order and at once when it is idle") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    Service service(database.uri());
    CHECK(service.get("/api/acad/mahasiswa", admin()).status == 200);
    service.process().signal(SIGTERM);
    CHECK(service.process().wait_exit(5s) == 0);
    // The server's side of a connection ends a moment after ours.
    std::string backends;
    for (int i = 0; i < 250 && backends != "0"; ++i) {
        if (i > 0) std::this_thread::sleep_for(20ms);
        backends = database.run(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid "
            "<> pg_backend_pid()");
    }
    CHECK(backends == "0");
}

TEST_CASE("with a drain delay the service says that it stops, and serves until others are found") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    Service service(database.uri(), {{"DRAIN_DELAY_MS", "1500"}});
    test::RawConnection kept(service.port());
    kept.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    kept.read_until("}");
    service.process().signal(SIGTERM);
    service.wait_health(503);
    CHECK(test::get(service.port(), "/health").text("status") == "stopping");
    CHECK(test::get(service.port(), "/livez").status == 200);
    CHECK(service.get("/api/acad/mahasiswa", admin()).status == 200);
    kept.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(kept.read_to_end(1s).find("Connection: close") != std::string::npos);
    CHECK(kept.closed_by_peer());
    CHECK(service.process().wait_exit(5s) == 0);
}

TEST_CASE("metrics are served, and memory stays small after work") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("seed-demo", database.uri());
    Service service(database.uri());
    for (int i = 0; i < 300; ++i) CHECK(service.get("/api/acad/ips", student("22001")).status == 200);
    const auto metrics = test::get(service.port(), "/metrics");
    CHECK(metrics.status == 200);
    CHECK(metrics.body.find("http_requests_total{route=\"/api/acad/ips\",status=\"200\"} 300") !=
          std::string::npos);
    CHECK(metrics.body.find("db_connections_open 1") != std::string::npos);
    std::ifstream status("/proc/" + std::to_string(service.process().pid()) + "/status");
    std::string word;
    long resident_kb = 0;
    while (status >> word) {
        if (word == "VmRSS:") status >> resident_kb;
    }
    CHECK(resident_kb > 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(resident_kb < 40 * 1024);
#endif
}
