// What people read: IPS, students, KHS, transcript, history; and who may.
#include <catch2/catch.hpp>

#include "test/integration/acad/acad_service.hpp"

using namespace test::acad;

namespace {

struct Demo {
    Demo() { command("seed-demo", database.uri()); }
    test::PostgresDatabase database;
};

}  // namespace

TEST_CASE("IPS has the first release's keys and the right number") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    const auto own = service.get("/api/acad/ips", student("22001"));
    CHECK(own.status == 200);
    CHECK(own.body == R"({"NIM":"22001","Nama Mahasiswa":"Ahmad Fauzan","Jurusan":"Sains Data","IPS":3.5})");
    CHECK(own.header("Content-Type") == "application/json");
    CHECK(own.header("Cache-Control") == "no-store");
    CHECK(own.has_header("X-Request-Id"));
    CHECK(service.get("/api/acad/ips", student("22002")).body ==
          R"({"NIM":"22002","Nama Mahasiswa":"Nisa Rahma","Jurusan":"Sains Data","IPS":3.83})");
    CHECK(service.get("/api/acad/ips?nim=22002&semester=1", admin()).json()["IPS"].GetDouble() ==
          Approx(3.83));
    CHECK(service.get("/api/acad/ips?nim=22002&semester=20221", dosen()).json()["IPS"].GetDouble() ==
          Approx(3.83));
    CHECK(service.get("/api/acad/ips?nim=22002&semester=2", dosen()).body.find("\"IPS\":0}") !=
          std::string::npos);
}

TEST_CASE("IPS refuses what it must, each with its own answer") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    struct Row {
        std::string target, token;
        unsigned status;
        std::string code;
    };
    test::TokenClaims unlinked;
    test::TokenClaims stranger;
    stranger.role = "user";
    stranger.nim = "22001";
    test::TokenClaims expired;
    expired.nim = "22001";
    expired.lifetime = std::chrono::seconds(-120);
    const std::vector<Row> table{
        {"/api/acad/ips?nim=99999", admin(), 404, "mahasiswa_not_found"},
        {"/api/acad/ips?nim=22002", student("22001"), 403, "forbidden"},
        {"/api/acad/ips?nim=99999", student("22001"), 403, "forbidden"},
        {"/api/acad/ips", admin(), 422, "validation_failed"},
        {"/api/acad/ips", student("77777"), 404, "mahasiswa_not_found"},
        {"/api/acad/ips", test::mint_token(unlinked), 403, "nim_not_linked"},
        {"/api/acad/ips", test::mint_token(stranger), 403, "forbidden"},
        {"/api/acad/ips", test::mint_token(expired), 401, "token_invalid"},
        {"/api/acad/ips?semester=abc", student("22001"), 422, "validation_failed"},
        {"/api/acad/ips?semester=15", student("22001"), 422, "validation_failed"},
        {"/api/acad/ips?semester=99999999999999999999", student("22001"), 422, "validation_failed"},
        {"/api/acad/ips?nim=%00", admin(), 400, "malformed_target"},
        {"/api/acad/ips?nim=22001%00x", admin(), 400, "malformed_target"},
        {"/api/acad/ips?nim=%FF%FE", admin(), 400, "malformed_target"},
        {"/api/acad/ips?nim=%27%20OR%201%3D1", admin(), 404, "mahasiswa_not_found"},
        {"/api/acad/ips?nim=" + std::string(5000, '9'), admin(), 404, "mahasiswa_not_found"},
        {"/api/acad/ips?nim=%7B%7D", admin(), 404, "mahasiswa_not_found"},
    };
    for (const auto& row : table) {
        INFO(row.target.substr(0, 80));
        const auto reply = service.get(row.target, row.token);
        CHECK(reply.status == row.status);
        CHECK(code(reply) == row.code);
        CHECK(reply.header("Content-Type") == "application/problem+json");
    }
    CHECK(service.get("/api/acad/ips?nim=99999", admin()).text("detail") == "Data mahasiswa tidak ditemukan");
    const auto no_token = test::get(service.port(), "/api/acad/ips");
    CHECK(no_token.status == 401);
    CHECK(no_token.has_header("WWW-Authenticate"));
    // Identity headers are worth nothing here.
    CHECK(test::get(service.port(), "/api/acad/ips", {{"X-User-Role", "admin"}, {"X-User-Nim", "22001"}})
              .status == 401);
    CHECK(service.get("/api/acad/ips?nim=22002", student("22001")).body.find("Nisa") == std::string::npos);
}

TEST_CASE("students are listed page by page, filtered, and a student sees one row") {
    if (!test::have_postgres()) return;
    const Demo demo;
    demo.database.run(
        "INSERT INTO mahasiswa SELECT '23' || lpad(i::text, 3, '0'), 'Orang 50%_' || i, 'Fisika', 2023 FROM "
        "generate_series(1, 120) i");
    const Service service(demo.database.uri());
    CHECK(service.get("/api/acad/mahasiswa?jurusan=Sains%20Data", admin()).body ==
          R"([{"nim":"22001","nama":"Ahmad Fauzan","jurusan":"Sains Data","angkatan":2022},)"
          R"({"nim":"22002","nama":"Nisa Rahma","jurusan":"Sains Data","angkatan":2022}])");
    CHECK(service.get("/api/acad/mahasiswa", student("22002")).body ==
          R"([{"nim":"22002","nama":"Nisa Rahma","jurusan":"Sains Data","angkatan":2022}])");
    CHECK(service.get("/api/acad/mahasiswa?q=nisa", dosen()).json().Size() == 1);
    CHECK(service.get("/api/acad/mahasiswa?q=NISA&angkatan=2023", dosen()).json().Size() == 0);
    CHECK(service.get("/api/acad/mahasiswa?q=%25&limit=200", dosen()).json().Size() == 120);  // no wildcard
    CHECK(service.get("/api/acad/mahasiswa?q=_", dosen()).json().Size() == 50);

    std::string target = "/api/acad/mahasiswa?limit=50&angkatan=2023";
    std::size_t seen = 0;
    int pages = 0;
    while (!target.empty() && pages < 10) {
        const auto page = service.get(target, admin());
        REQUIRE(page.status == 200);
        seen += page.json().Size();
        ++pages;
        const auto link = page.header("Link");
        target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
        if (!link.empty()) CHECK(link.find("rel=\"next\"") != std::string::npos);
    }
    CHECK(seen == 120);
    CHECK(pages == 3);

    for (const auto* bad : {"limit=0", "limit=201", "limit=x", "after=***", "after=AA", "angkatan=abc"}) {
        INFO(bad);
        const auto reply = service.get(std::string("/api/acad/mahasiswa?") + bad, admin());
        CHECK(reply.status == 422);
        CHECK(reply.body.find("\"parameter\"") != std::string::npos);
    }
}

TEST_CASE("KHS, transcript and history follow the rules of grades") {
    if (!test::have_postgres()) return;
    const Demo demo;
    demo.database.run(R"(
        INSERT INTO mata_kuliah (kode_mk, nama_mk, sks) VALUES ('IF201', 'Statistika', 4), ('IF202', 'Seminar', 2);
        INSERT INTO krs (nim, kode_mk, semester, kode_semester, sks, nilai) VALUES
            ('22001', 'IF103', 2, 20222, 3, 'A'),    -- repeated: B before
            ('22001', 'IF201', 2, 20222, 4, 'E'),    -- failed: in the denominator
            ('22001', 'IF202', 2, 20222, 2, 'L'),    -- pass without weight
            ('22001', 'IF101', 3, 20231, 3, NULL);   -- running)");
    const Service service(demo.database.uri());
    const std::string base = "/api/acad/mahasiswa/22001/";

    const auto khs = service.get(base + "khs?semester=2", student("22001")).json();
    CHECK(khs["ips"].GetDouble() == Approx(1.71));  // (3*4 + 4*0) / 7
    CHECK(khs["sks"].GetInt() == 9);
    CHECK(khs["ipk"].GetDouble() == Approx(2.65));  // (3*4 + 3*3.5 + 3*4 + 4*0) / 13
    CHECK(khs["sks_lulus"].GetInt() == 11);
    CHECK(khs["batas_sks_berikutnya"].GetInt() == 15);
    CHECK(khs["kode_semester"].GetInt() == 20222);
    REQUIRE(khs["mata_kuliah"].Size() == 3);
    CHECK(khs["mata_kuliah"][0]["mutu"].GetDouble() == Approx(12));
    CHECK(khs["mata_kuliah"][2]["bobot"].IsNull());
    CHECK(khs["mata_kuliah"][2]["lulus"].GetBool());
    // Without a semester: the latest with a grade, not the running one.
    CHECK(service.get(base + "khs", student("22001")).json()["semester"].GetInt() == 2);
    CHECK(service.get(base + "khs?semester=3", student("22001")).json()["ips"].IsNull());
    CHECK(service.get(base + "khs?semester=9", student("22001")).status == 404);
    CHECK(service.get("/api/acad/ips", student("22001")).json()["IPS"].GetDouble() == Approx(1.71));

    const auto transkrip = service.get(base + "transkrip", dosen()).json();
    CHECK(transkrip["mata_kuliah"].Size() == 5);  // each course once
    CHECK(transkrip["ipk"].GetDouble() == Approx(2.65));
    CHECK(transkrip["predikat"].IsNull());
    CHECK(service.get("/api/acad/mahasiswa/22002/transkrip", admin()).json()["predikat"].GetString() ==
          std::string("pujian"));

    const auto riwayat = service.get(base + "riwayat", student("22001")).json();
    REQUIRE(riwayat["semester"].Size() == 3);
    CHECK(riwayat["semester"][0]["ips"].GetDouble() == Approx(3.5));
    CHECK(riwayat["semester"][0]["ipk"].GetDouble() == Approx(3.5));
    CHECK(riwayat["semester"][2]["ips"].IsNull());
    CHECK(riwayat["semester"][2]["ipk"].GetDouble() == Approx(2.65));

    for (const auto* page : {"khs", "transkrip", "riwayat"}) {
        INFO(page);
        CHECK(service.get(std::string("/api/acad/mahasiswa/22002/") + page, student("22001")).status == 403);
        CHECK(service.get(std::string("/api/acad/mahasiswa/nobody/") + page, admin()).status == 404);
        CHECK(service.get(base + page, student("22001")).header("Cache-Control") == "no-store");
    }
}

TEST_CASE("rounding and the repeat rule are settings") {
    if (!test::have_postgres()) return;
    const Demo demo;
    demo.database.run(R"(
        INSERT INTO mata_kuliah (kode_mk, nama_mk, sks) VALUES ('X5', 'Lima', 5);
        UPDATE mata_kuliah SET sks = 3;
        INSERT INTO mahasiswa VALUES ('24001', 'Uji', 'Sains Data', 2024);
        INSERT INTO krs (nim, kode_mk, semester, kode_semester, sks, nilai) VALUES
            ('24001', 'X5', 1, 20241, 5, 'A'), ('24001', 'IF101', 1, 20241, 3, 'B'), ('24001', 'X5', 2, 20242, 5, 'C');)");
    const std::string first = "/api/acad/ips?nim=24001&semester=1";
    const std::string transkrip = "/api/acad/mahasiswa/24001/transkrip";
    {
        const Service service(demo.database.uri());
        CHECK(service.get(first, admin()).json()["IPS"].GetDouble() == Approx(3.63));  // 3.625
        CHECK(service.get(transkrip, admin()).json()["ipk"].GetDouble() == Approx(3.63));
    }
    const Service service(demo.database.uri(), {{"ROUNDING", "truncate"}, {"REPEAT_RULE", "last"}});
    CHECK(service.get(first, admin()).json()["IPS"].GetDouble() == Approx(3.62));
    CHECK(service.get(transkrip, admin()).json()["ipk"].GetDouble() == Approx(2.37));  // 2.375
}
