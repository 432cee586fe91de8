// What all resources have in common: queries, pages, versions, keys.
#include <algorithm>
#include <catch2/catch.hpp>

#include "services/acad/api/endpoints.hpp"
#include "test/integration/acad/acad_service.hpp"
#include "test/support/openapi_document.hpp"

using namespace test::acad;

namespace {

struct Demo {
    Demo() { command("seed-demo", database.uri()); }
    test::PostgresDatabase database;
};

std::string next_of(const test::Reply& page) {
    const auto link = page.header("Link");
    return link.empty() ? "" : link.substr(1, link.find('>') - 1);
}

std::string body_of(const std::string& nim) {
    return R"({"nim":")" + nim + R"(","nama":"A","jurusan":"F","angkatan":2024})";
}

}  // namespace

TEST_CASE("query keys that a call does not name, and keys given twice, are refused") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    struct Row {
        std::string target, parameter;  // "": taken
    };
    const std::vector<Row> table{
        {"ips?nim=22001&semester=1", ""},
        {"ips?nim=22001&semester=", ""},
        {"ips?nim=22001&smester=1", "smester"},
        {"ips?nim=22001&nim=22002", "nim"},
        {"mahasiswa?q=a&jurusan=F&angkatan=2022&nim=22001&limit=1", ""},
        {"mahasiswa?Nim=22001", "Nim"},
        {"mahasiswa?limit=5&limit=6", "limit"},
        {"mahasiswa/22001?x=1", "x"},
        {"mahasiswa/22001/khs?semester=1", ""},
        {"mahasiswa/22001/khs?limit=1", "limit"},
        {"mahasiswa/22001/transkrip?semester=1", "semester"},
        {"mahasiswa/22001/riwayat?semester=1", "semester"},
        {"mata_kuliah?q=a&limit=1", ""},
        {"mata_kuliah?nim=1", "nim"},
        {"krs?nim=22001&kode_mk=IF101&semester=1&limit=1", ""},
        {"krs?jurusan=F", "jurusan"},
        {"periode_krs?after=1", "after"},
        {"skala_nilai?jurusan=F", "jurusan"},
        {"ekspor/akm?nim=22001", "nim"},
    };
    for (const auto& row : table) {
        INFO(row.target);
        const auto reply = service.get("/api/acad/" + row.target, admin());
        CHECK(reply.status == (row.parameter.empty() ? 200 : 422));
        if (!row.parameter.empty())
            CHECK(reply.body.find("\"parameter\":\"" + row.parameter + "\"") != std::string::npos);
    }
    CHECK(service.send("PUT", "/api/acad/mahasiswa/22001?x=1", admin(), body_of("22001")).status == 422);
    CHECK(service.send("DELETE", "/api/acad/krs/1?paksa=true", admin(), "").status == 422);
    CHECK(test::get(service.port(), "/health?x=1&x=2").status == 200);
}

TEST_CASE("a cursor is good for its own list only") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    const auto next = next_of(service.get("/api/acad/mahasiswa?limit=1", admin()));
    REQUIRE_FALSE(next.empty());
    const auto second = service.get(next, admin());
    CHECK(second.json()[0]["nim"].GetString() == std::string("22002"));
    CHECK(next_of(second).empty());
    const auto cursor = next.substr(next.find("after="));
    CHECK(service.get("/api/acad/mata_kuliah?" + cursor, admin()).status == 422);
    CHECK(service.get("/api/acad/mahasiswa?after=MjIwMDE", admin()).status == 422);  // "22001" as it is
    const auto rows = service.get("/api/acad/krs?limit=5", admin());
    CHECK(rows.json().Size() == 5);
    const auto rest = service.get(next_of(rows), admin());
    CHECK(rest.json().Size() == 1);
    CHECK(next_of(rest).empty());
}

TEST_CASE("a row that has not changed since is not sent again") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    for (const std::string one :
         {"/api/acad/mahasiswa/22001", "/api/acad/mata_kuliah/IF101", "/api/acad/krs/1"}) {
        INFO(one);
        const auto get = [&](const std::string& tag) {
            return test::get(service.port(), one, {test::bearer(admin()), {"If-None-Match", tag}});
        };
        const auto etag = service.get(one, admin()).header("ETag");
        REQUIRE(etag.substr(0, 2) == "\"v");
        const auto same = get("\"x\", W/" + etag);
        CHECK(same.status == 304);
        CHECK(same.body.empty());
        CHECK(same.header("ETag") == etag);
        CHECK(get("\"v0\"").status == 200);
    }
    // Nobody learns by it what is not theirs.
    CHECK(
        test::get(service.port(), "/api/acad/krs/1", {test::bearer(student("22002")), {"If-None-Match", "*"}})
            .status == 403);
}

TEST_CASE("a new NIM has the one shape, and rows with another one stay readable") {
    if (!test::have_postgres()) return;
    const Demo demo;
    demo.database.run("INSERT INTO mahasiswa VALUES ('A/1', 'Lama', 'Fisika', 2020)");
    demo.database.run(
        "INSERT INTO krs (nim, kode_mk, semester, kode_semester, sks, nilai) VALUES ('A/1', 'IF101', 1, "
        "20201, 3, "
        "'A')");
    const Service service(demo.database.uri());
    const std::string all = "/api/acad/mahasiswa";
    const std::string longest(24, '7');
    for (const auto& good : {longest, std::string("a.B_c-9"), std::string("2021E"), std::string("22001.5")}) {
        INFO(good);
        CHECK(service.send("POST", all, admin(), body_of(good)).status == 201);
        CHECK(service.get(all + "/" + good, admin()).status == 200);
    }
    for (const auto& bad : {longest + "7", std::string("-1"), std::string(".a"), std::string("2021E5"),
                            std::string("22001.0"), std::string("a/b"), std::string("a b")}) {
        INFO(bad);
        const auto reply = service.send("POST", all, admin(), body_of(bad));
        CHECK(reply.status == 422);
        CHECK(reply.body.find("\"/nim\"") != std::string::npos);
    }
    CHECK(service.get(all + "?nim=A%2F1", admin()).json()[0]["nama"].GetString() == std::string("Lama"));
    CHECK(service.get(all + "/A%2F1", student("A/1")).status == 200);
    CHECK(service.get("/api/acad/ips?nim=A%2F1", admin()).json()["IPS"].GetDouble() == Approx(4));
    CHECK(service.get("/api/acad/krs", student("A/1")).json().Size() == 1);
    CHECK(service.send("PUT", all + "/A%2F1", admin(), R"({"nama":"B","jurusan":"F","angkatan":2020})")
              .status == 200);
    CHECK(service.get("/api/acad/ekspor/mahasiswa", admin()).body.find("\r\nA/1,B,F,2020\r\n") !=
          std::string::npos);

    // Through a file: a student is new there, an enrolment refers to one that is there.
    const auto impor = [&](const std::string& what, const std::string& csv) {
        return test::request(service.port(), "POST", "/api/acad/impor/" + what,
                             {test::bearer(admin()), {"Content-Type", "text/csv"}}, csv);
    };
    CHECK(impor("mahasiswa", "nim,nama,jurusan,angkatan\n2021E5,A,F,2021\n").body.find("/2/nim") !=
          std::string::npos);
    CHECK(impor("mahasiswa", "nim,nama,jurusan,angkatan\n" + longest + "1,A,F,2021\n").status == 422);
    CHECK(impor("krs", "nim,kode_mk,semester\nA/1,IF102,2\n").body ==
          R"({"dry_run":false,"baris":1,"ditambah":1,"diubah":0})");
}

TEST_CASE("a student asks the list for the own row or for nobody's") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    const std::string all = "/api/acad/mahasiswa";
    CHECK(service.get(all + "?nim=22001", student("22001")).json().Size() == 1);
    CHECK(service.get(all + "?nim=22002", student("22001")).status == 403);
    CHECK(service.get(all + "?q=Nisa", student("22001")).json().Size() == 0);
    CHECK(service.get(all, student("")).body == "[]");
    CHECK(service.get(all + "?nim=22002", dosen()).json().Size() == 1);
}

TEST_CASE("rows of the first release that leave things out are shown as they are") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    database.run(
        "CREATE TABLE mahasiswa (nim varchar(10) PRIMARY KEY, nama varchar(100), jurusan varchar(50), "
        "angkatan int);"
        "CREATE TABLE mata_kuliah (kode_mk varchar(10) PRIMARY KEY, nama_mk varchar(100), sks int);"
        "INSERT INTO mahasiswa VALUES ('22003', NULL, NULL, NULL);"
        "INSERT INTO mata_kuliah VALUES ('IF104', NULL, NULL)");
    const Service service(database.uri());
    CHECK(service.get("/api/acad/mahasiswa/22003", admin()).body ==
          R"({"nim":"22003","nama":"","jurusan":"","angkatan":null})");
    CHECK(service.get("/api/acad/mata_kuliah", admin()).body ==
          R"([{"kode_mk":"IF104","nama_mk":"","sks":null,"kuota":null}])");
    CHECK(service.get("/api/acad/ekspor/mahasiswa", admin()).body ==
          "nim,nama,jurusan,angkatan\r\n22003,,,\r\n");
}

TEST_CASE("the table of endpoints and the document describe the same calls") {
    const test::OpenApiDocument document("acad");
    std::vector<std::string> described;
    for (const auto& operation : document.operations())
        described.push_back(operation.method + " " + operation.path);
    std::vector<std::string> served;
    for (const auto& endpoint : acad::api::endpoints())
        served.push_back(std::string(endpoint.method) + " " + std::string(endpoint.pattern));
    std::sort(described.begin(), described.end());
    std::sort(served.begin(), served.end());
    CHECK(served == described);
}

TEST_CASE("only probes are open, and whoever changes something is named") {
    for (const auto& endpoint : acad::api::endpoints()) {
        INFO(endpoint.method << " " << endpoint.pattern);
        const bool probe = endpoint.rules.before_ready;
        CHECK(endpoint.access.needs_token() != probe);
        if (endpoint.method == "GET") continue;
        CHECK(endpoint.access.allows("admin"));
        CHECK_FALSE(endpoint.access.allows(""));
        CHECK_FALSE(endpoint.access.allows("user"));
    }
}
