// What people write: students, catalogue, enrolment, grades, scales, CSV.
#include <atomic>
#include <barrier>
#include <catch2/catch.hpp>
#include <thread>

#include "test/integration/acad/acad_service.hpp"

using namespace test::acad;

namespace {

struct Demo {
    Demo() { command("seed-demo", database.uri()); }
    void open_term(int kode) const {
        database.run("INSERT INTO periode_krs VALUES (" + std::to_string(kode) +
                     ", now() - interval '1 day', now() + interval '1 day')");
    }
    test::PostgresDatabase database;
};

std::string enrolment(const std::string& kode_mk) {
    return R"({"kode_mk":")" + kode_mk + R"("})";
}

}  // namespace

TEST_CASE("an admin makes, changes and removes students, and versions guard against overwriting") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    const std::string all = "/api/acad/mahasiswa";
    const std::string one = all + "/24001";
    const std::string body = R"({"nim":"24001","nama":"Sri Wahyuni","jurusan":"Fisika","angkatan":2024})";

    const auto created = service.send("POST", all, admin(), body);
    CHECK(created.status == 201);
    CHECK(created.body == body);
    CHECK(created.header("Location") == one);
    CHECK(code(service.send("POST", all, admin(), body)) == "already_exists");
    CHECK(service.get(one, student("24001")).body == body);
    CHECK(service.get(one, student("22001")).status == 403);

    const auto etag = service.get(one, admin()).header("ETag");
    CHECK(etag == created.header("ETag"));
    const std::string changed = R"({"nama":"Sri W.","jurusan":"Fisika","angkatan":2024})";
    CHECK(service.send("PUT", one, admin(), changed, {{"If-Match", "\"v1\""}}).status == 412);
    CHECK(service.send("PUT", one, admin(), changed, {{"If-Match", "W/" + etag}}).status == 412);
    const auto put = service.send("PUT", one, admin(), changed, {{"If-Match", "\"x\", " + etag}});
    CHECK(put.status == 200);
    CHECK(put.header("ETag") != etag);
    CHECK(service.send("PUT", one, admin(), changed, {{"If-Match", etag}}).status == 412);
    CHECK(service.send("DELETE", one, admin(), "", {{"If-Match", etag}}).status == 412);
    CHECK(service.send("DELETE", one, admin(), "", {{"If-Match", "*"}}).status == 204);
    CHECK(service.send("DELETE", one, admin(), "").status == 404);
    CHECK(service.send("PUT", one, admin(), changed).status == 404);
    CHECK(code(service.send("DELETE", all + "/22001", admin(), "")) == "still_in_use");

    CHECK(service.send("POST", all, dosen(), body).status == 403);
    CHECK(service.send("PUT", all + "/22001", student("22001"), changed).status == 403);
    CHECK(service.send("DELETE", all + "/22001", student("22001"), "").status == 403);
    CHECK(demo.database.run(
              "SELECT string_agg(tindakan || ' ' || pelaku || ' ' || peran, ',' ORDER BY id_audit) FROM "
              "audit WHERE tabel = 'mahasiswa' AND pelaku NOT LIKE 'db:%'") ==
          "INSERT u-admin admin,UPDATE u-admin admin,DELETE u-admin admin");
}

TEST_CASE("bad bodies are told what is wrong with them and never break the service") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    struct Row {
        std::string method, target, body;
        unsigned status;
        std::string contains;
    };
    const std::string good_end = R"("jurusan":"F","angkatan":2024})";
    const std::vector<Row> table{
        {"POST", "/api/acad/mahasiswa", "not json", 400, "malformed_json"},
        {"POST", "/api/acad/mahasiswa", "[]", 400, "malformed_json"},
        {"POST", "/api/acad/mahasiswa", "{", 400, "malformed_json"},
        {"POST", "/api/acad/mahasiswa", "{}", 422, "/nim"},
        {"POST", "/api/acad/mahasiswa", R"({"nim":1,"nama":"a",)" + good_end, 422, "/nim"},
        {"POST", "/api/acad/mahasiswa", R"({"nim":{"$ne":null},"nama":"a",)" + good_end, 422, "/nim"},
        {"POST", "/api/acad/mahasiswa", R"({"nim":"1234567890123456789012345","nama":"a",)" + good_end, 422,
         "/nim"},
        {"POST", "/api/acad/mahasiswa", R"({"nim":"1/2","nama":"a",)" + good_end, 422, "/nim"},
        {"POST", "/api/acad/mahasiswa", R"({"nim":"1","nama":"a\u0000b",)" + good_end, 422, "/nama"},
        {"POST", "/api/acad/mahasiswa", R"({"nim":"1","nama":"a","x":1,)" + good_end, 422, "/x"},
        {"POST", "/api/acad/mahasiswa", R"({"nim":"1","nama":"a","jurusan":"F","angkatan":"2024"})", 422,
         "/angkatan"},
        {"POST", "/api/acad/mahasiswa", R"({"nim":"1","nama":"a","jurusan":"F","angkatan":1e400})", 400,
         "malformed"},
        {"POST", "/api/acad/mahasiswa", R"({"nim":"1","nama":"a","jurusan":"F","angkatan":99999})", 422,
         "/angkatan"},
        {"PUT", "/api/acad/mahasiswa/22001", R"({"nim":"22002","nama":"a",)" + good_end, 422, "/nim"},
        {"POST", "/api/acad/mata_kuliah", R"({"kode_mk":"K","nama_mk":"a","sks":-1})", 422, "/sks"},
        {"POST", "/api/acad/mata_kuliah", R"({"kode_mk":"K","nama_mk":"a","sks":3.5})", 422, "/sks"},
        {"POST", "/api/acad/krs", R"({"kode_mk":"IF101"})", 422, "/nim"},
        {"POST", "/api/acad/krs", R"({"nim":"22001","kode_mk":"NOPE","kode_semester":20231})", 422,
         "/kode_mk"},
        {"POST", "/api/acad/krs", R"({"nim":"22001","kode_mk":"IF101","kode_semester":20230})", 422,
         "/kode_semester"},
        {"POST", "/api/acad/krs", R"({"nim":"22001","kode_mk":"IF101","kode_semester":19991})", 422,
         "/kode_semester"},
        {"POST", "/api/acad/krs", R"({"nim":"nobody","kode_mk":"IF101","kode_semester":20231})", 404,
         "mahasiswa"},
        {"DELETE", "/api/acad/krs/abc", "", 404, "krs_not_found"},
        {"DELETE", "/api/acad/krs/99999999999999999999", "", 404, "krs_not_found"},
        {"DELETE", "/api/acad/krs/-1", "", 404, "krs_not_found"},
        {"PUT", "/api/acad/krs/1/nilai", R"({"nilai":"Z"})", 422, "/nilai"},
        {"PUT", "/api/acad/krs/1/nilai", R"({"nilai":3})", 422, "/nilai"},
        {"PUT", "/api/acad/krs/1/nilai", R"({"nilai":" "})", 422, "/nilai"},
        {"PUT", "/api/acad/krs/1/nilai", R"({})", 422, "/nilai"},
        {"PUT", "/api/acad/krs/999/nilai", R"({"nilai":"A"})", 404, "krs_not_found"},
        {"PUT", "/api/acad/periode_krs/20241", R"({"buka":"tomorrow","tutup":"infinity"})", 422, "/buka"},
        {"PUT", "/api/acad/periode_krs/20241",
         R"({"buka":"2024-13-01T00:00:00Z","tutup":"2024-12-01T00:00:00Z"})", 422, "/tutup"},
        {"PUT", "/api/acad/periode_krs/3",
         R"({"buka":"2024-01-01T00:00:00Z","tutup":"2024-12-01T00:00:00Z"})", 404, ""},
        {"PUT", "/api/acad/skala_nilai", R"({"butir":[]})", 422, "/butir"},
        {"PUT", "/api/acad/skala_nilai",
         R"({"butir":[{"nilai":"A","bobot":4.001,"lulus":true,"masuk_ip":true}]})", 422, "/butir/0/bobot"},
        {"PUT", "/api/acad/skala_nilai", R"({"butir":[{"nilai":"A","lulus":true,"masuk_ip":true}]})", 422,
         "bobot"},
        {"POST", "/api/acad/impor/mahasiswa", "{}", 415, "unsupported_media_type"},
        {"PATCH", "/api/acad/mahasiswa/22001", "{}", 405, "method_not_allowed"},
        {"POST", "/api/acad/nothing", "{}", 404, "not_found"},
    };
    for (const auto& row : table) {
        INFO(row.method << " " << row.target << " " << row.body);
        const auto reply = service.send(row.method, row.target, admin(), row.body);
        CHECK(reply.status == row.status);
        CHECK(reply.body.find(row.contains) != std::string::npos);
        CHECK(reply.header("Content-Type") == "application/problem+json");
    }
    CHECK(service.send("POST", "/api/acad/mahasiswa", admin(), std::string(9 * 1024 * 1024, ' ')).status ==
          413);
    CHECK(service.get("/health", "").status == 200);
}

TEST_CASE("a later change of the catalogue does not rewrite what was enrolled") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    const std::string one = "/api/acad/mata_kuliah/IF101";
    CHECK(service.get(one, student("22001")).body ==
          R"({"kode_mk":"IF101","nama_mk":"Pemrograman Dasar","sks":3,"kuota":null})");
    CHECK(service.send("PUT", one, admin(), R"({"nama_mk":"Pemrograman","sks":6,"kuota":40})").status == 200);
    CHECK(service.get("/api/acad/ips", student("22001")).json()["IPS"].GetDouble() == Approx(3.5));
    CHECK(service.send("PUT", one, dosen(), R"({"nama_mk":"x","sks":6})").status == 403);
    CHECK(code(service.send("DELETE", one, admin(), "")) == "still_in_use");
    CHECK(
        service
            .send("POST", "/api/acad/mata_kuliah", admin(), R"({"kode_mk":"IF900","nama_mk":"Baru","sks":2})")
            .status == 201);
    CHECK(service.get("/api/acad/mata_kuliah?limit=2", student("22001")).header("Link").find("after=") !=
          std::string::npos);
    CHECK(service.get("/api/acad/mata_kuliah?q=baru", student("22001")).json().Size() == 1);
    CHECK(service.send("DELETE", "/api/acad/mata_kuliah/IF900", admin(), "").status == 204);
    CHECK(service.get("/api/acad/mata_kuliah/IF900", admin()).status == 404);
}

TEST_CASE("a student enrols only while the term is open, once a course, and within the sks limit") {
    if (!test::have_postgres()) return;
    const Demo demo;
    // 22001 has an IPS of 3.50: 24 sks.
    demo.database.run(
        "INSERT INTO mata_kuliah (kode_mk, nama_mk, sks) SELECT 'K' || i, 'Kuliah ' || i, 6 FROM "
        "generate_series(1, 5) i");
    const Service service(demo.database.uri());
    const auto me = student("22001");
    CHECK(code(service.send("POST", "/api/acad/krs", me, enrolment("K1"))) == "krs_closed");
    CHECK(service
              .send("PUT", "/api/acad/periode_krs/20222", admin(),
                    R"({"buka":"2020-01-01T00:00:00+07:00","tutup":"2999-01-01T00:00:00Z"})")
              .status == 200);
    const auto first = service.send("POST", "/api/acad/krs", me, enrolment("K1"));
    REQUIRE(first.status == 201);
    CHECK(first.json()["kode_semester"].GetInt() == 20222);
    CHECK(first.json()["semester"].GetInt() == 2);
    CHECK(first.json()["sks"].GetInt() == 6);
    CHECK(code(service.send("POST", "/api/acad/krs", me, enrolment("K1"))) == "already_enrolled");
    for (const auto* kode : {"K2", "K3", "K4"}) {
        CHECK(service.send("POST", "/api/acad/krs", me, enrolment(kode)).status == 201);
    }
    const auto over = service.send("POST", "/api/acad/krs", me, enrolment("K5"));
    CHECK(over.status == 409);
    CHECK(code(over) == "sks_limit_exceeded");
    CHECK(over.text("detail").find("24 SKS") != std::string::npos);
    CHECK(service.send("POST", "/api/acad/krs", me, R"({"kode_mk":"IF101","kode_semester":20231})").status ==
          409);
    CHECK(service.send("POST", "/api/acad/krs", me, R"({"nim":"22002","kode_mk":"K1"})").status == 403);
    CHECK(service.send("POST", "/api/acad/krs", me, R"({"kode_mk":"K5","semester":7})").status == 422);
    CHECK(service.send("POST", "/api/acad/krs", dosen(), enrolment("K1")).status == 403);

    const auto location = first.header("Location");
    CHECK(service.get(location, me).status == 200);
    CHECK(service.get(location, student("22002")).status == 403);
    CHECK(service.send("DELETE", location, student("22002"), "").status == 403);
    CHECK(service.send("DELETE", location, me, "", {{"If-Match", "\"v0\""}}).status == 412);
    CHECK(service.send("DELETE", location, me, "").status == 204);
    CHECK(service.send("DELETE", location, me, "").status == 404);
    CHECK(service.send("POST", "/api/acad/krs", me, enrolment("K5")).status == 201);

    CHECK(service.get("/api/acad/krs?semester=2", me).json().Size() == 4);
    CHECK(service.get("/api/acad/krs?nim=22002", me).status == 403);
    CHECK(service.get("/api/acad/krs?nim=22002", dosen()).json().Size() == 3);
    CHECK(service.get("/api/acad/krs?kode_mk=IF101&semester=20221", dosen()).json().Size() == 2);
    CHECK(service.get("/api/acad/krs?limit=4", admin()).header("Link").find("limit=4&after=") !=
          std::string::npos);
    demo.database.run("UPDATE periode_krs SET tutup = now() - interval '1 minute'");
    CHECK(code(service.send("DELETE", "/api/acad/krs/" + demo.database.run("SELECT max(id_krs) FROM krs"), me,
                            "")) == "krs_closed");
    CHECK(code(service.send("DELETE", "/api/acad/krs/1", admin(), "")) == "already_graded");
}

TEST_CASE("everyone enrolling in the same minute: limits and places hold, and nobody is in twice") {
    if (!test::have_postgres()) return;
    const Demo demo;
    demo.open_term(20222);
    demo.database.run(R"(
        INSERT INTO mata_kuliah (kode_mk, nama_mk, sks, kuota) VALUES ('RAME', 'Rebutan', 2, 10);
        INSERT INTO mata_kuliah (kode_mk, nama_mk, sks) SELECT 'K' || i, 'Kuliah ' || i, 4 FROM generate_series(1, 12) i;
        INSERT INTO mahasiswa SELECT '225' || lpad(i::text, 2, '0'), 'Orang', 'Sains Data', 2022 FROM generate_series(1, 40) i;
    )");
    const Service one(demo.database.uri());
    const Service two(demo.database.uri());  // replicas share nothing but the database
    std::atomic<int> unexpected{0};
    std::barrier start(8);
    std::vector<std::thread> crowd;
    for (int worker = 0; worker < 8; ++worker) {
        crowd.emplace_back([&, worker] {
            const auto& service = worker % 2 == 0 ? one : two;
            const auto post = [&](const std::string& nim, const std::string& kode_mk) {
                const auto status =
                    service.send("POST", "/api/acad/krs", student(nim), enrolment(kode_mk)).status;
                if (status != 201 && status != 409 && status != 503) ++unexpected;
            };
            // Each student sends twice from two replicas, all for one limited course; and 22001 takes
            // everything.
            start.arrive_and_wait();
            for (int i = 1; i <= 20; ++i) {
                const int student_number = (worker / 2) * 10 + (i % 10) + 1;
                post("225" + std::string(student_number < 10 ? "0" : "") + std::to_string(student_number),
                     "RAME");
            }
            for (int i = 1; i <= 12; ++i) post("22001", "K" + std::to_string(i));
        });
    }
    for (auto& thread : crowd) thread.join();
    CHECK(unexpected == 0);
    CHECK(demo.database.run("SELECT count(*) FROM krs WHERE kode_mk = 'RAME'") == "10");
    CHECK(demo.database.run("SELECT count(DISTINCT nim) FROM krs WHERE kode_mk = 'RAME'") == "10");
    CHECK(demo.database.run("SELECT sum(sks) FROM krs WHERE nim = '22001' AND kode_semester = 20222") ==
          "24");
    CHECK(demo.database.run(
              "SELECT count(*) - count(DISTINCT kode_mk) FROM krs WHERE nim = '22001' AND kode_semester "
              "= 20222") == "0");
}

TEST_CASE("each change of a grade is kept with who, when, old, new and why") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    const std::string nilai = "/api/acad/krs/3/nilai";
    const auto put = service.send("PUT", nilai, dosen(), R"({"nilai":"b- ","alasan":"salah hitung"})");
    REQUIRE(put.status == 200);
    CHECK(put.text("nilai") == "B-");
    const auto etag = put.header("ETag");
    CHECK(service.send("PUT", nilai, dosen(), R"({"nilai":"B-"})").status == 200);  // no change, no record
    CHECK(service.send("PUT", nilai, dosen(), R"({"nilai":"A"})", {{"If-Match", etag}}).status == 412);
    CHECK(service.send("PUT", nilai, admin(), R"({"nilai":null})").status == 200);
    CHECK(service.send("PUT", nilai, student("22001"), R"({"nilai":"A"})").status == 403);
    CHECK(service.get(nilai + "/riwayat", student("22001")).status == 403);

    const auto history = service.get(nilai + "/riwayat", dosen()).json();
    REQUIRE(history.Size() == 3);  // the first is the demo data's
    CHECK(history[1]["lama"].GetString() == std::string("B"));
    CHECK(history[1]["baru"].GetString() == std::string("B-"));
    CHECK(history[1]["alasan"].GetString() == std::string("salah hitung"));
    CHECK(history[1]["oleh"].GetString() == std::string("u-dosen"));
    CHECK(std::string(history[1]["waktu"].GetString()).size() == 24);
    CHECK(history[2]["baru"].IsNull());
    CHECK(history[2]["oleh"].GetString() == std::string("u-admin"));
    CHECK(service.get("/api/acad/ips", student("22001")).json()["IPS"].GetDouble() == Approx(3.75));
}

TEST_CASE("another scale needs data only, and holds for its jurusan and term") {
    if (!test::have_postgres()) return;
    const Demo demo;
    demo.database.run(
        "INSERT INTO krs (nim, kode_mk, semester, kode_semester, sks) VALUES ('22001', 'IF101', 2, 20222, "
        "3)");
    const Service service(demo.database.uri());
    const std::string scale = R"({"jurusan":"Sains Data","berlaku_dari":20222,"butir":[
        {"nilai":"A+","bobot":4,"lulus":true,"masuk_ip":true},{"nilai":"A","bobot":3.5,"lulus":true,"masuk_ip":true},
        {"nilai":"E","bobot":0,"lulus":false,"masuk_ip":true},{"nilai":"L","bobot":null,"lulus":true,"masuk_ip":false}]})";
    CHECK(service.send("PUT", "/api/acad/krs/7/nilai", dosen(), R"({"nilai":"A+"})").status == 422);
    CHECK(service.send("PUT", "/api/acad/skala_nilai", dosen(), scale).status == 403);
    CHECK(service.send("PUT", "/api/acad/skala_nilai", admin(), scale).status == 200);
    CHECK(service.send("PUT", "/api/acad/krs/7/nilai", dosen(), R"({"nilai":"B"})").status == 422);
    CHECK(service.send("PUT", "/api/acad/krs/7/nilai", dosen(), R"({"nilai":"A"})").status == 200);
    CHECK(service.get("/api/acad/ips", student("22001")).json()["IPS"].GetDouble() ==
          Approx(3.5));  // the new A
    CHECK(service.get("/api/acad/ips?semester=1", student("22001")).json()["IPS"].GetDouble() == Approx(3.5));
    CHECK(service.get("/api/acad/ips?semester=1", student("22002")).json()["IPS"].GetDouble() ==
          Approx(3.83));

    // A scale without a grade that was given is refused, and nothing of it stays.
    const auto refused = service.send(
        "PUT", "/api/acad/skala_nilai", admin(),
        R"({"jurusan":"Sains Data","berlaku_dari":20222,"butir":[{"nilai":"B","bobot":3,"lulus":true,"masuk_ip":true}]})");
    CHECK(code(refused) == "grade_in_use");
    const auto scales = service.get("/api/acad/skala_nilai", student("22001")).json();
    REQUIRE(scales.Size() == 2);
    CHECK(scales[0]["jurusan"].IsNull());
    CHECK(scales[0]["butir"].Size() == 14);
    CHECK(scales[0]["butir"][1]["bobot"].GetDouble() == Approx(3.75));
    CHECK(scales[1]["butir"].Size() == 4);
}

TEST_CASE("CSV comes in whole or not at all, and goes out as it came") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    const auto impor = [&](const std::string& what, const std::string& csv,
                           const std::string& type = "text/csv") {
        return test::request(service.port(), "POST", "/api/acad/impor/" + what,
                             {test::bearer(admin()), {"Content-Type", type}}, csv);
    };
    const std::string students =
        "\xEF\xBB\xBFnim;nama;jurusan;angkatan\r\n24001;\"Siti \"\"Ani\"\"; S.\";Fisika;2024\r\n"
        "22001;Ahmad Fauzan;Sains Data;2022\r\n22002;'=Nisa;Sains Data;2022\r\n";
    const auto dry = impor("mahasiswa?dry_run=true", students);
    CHECK(dry.body == R"({"dry_run":true,"baris":3,"ditambah":1,"diubah":1})");
    CHECK(demo.database.run("SELECT count(*) FROM mahasiswa") == "2");
    CHECK(impor("mahasiswa", students, "text/csv; charset=utf-8").body ==
          R"({"dry_run":false,"baris":3,"ditambah":1,"diubah":1})");
    CHECK(demo.database.run("SELECT nama FROM mahasiswa WHERE nim = '24001'") == "Siti \"Ani\"; S.");
    CHECK(demo.database.run("SELECT nama FROM mahasiswa WHERE nim = '22002'") == "=Nisa");

    const auto exported = service.get("/api/acad/ekspor/mahasiswa", admin());
    CHECK(exported.body ==
          "nim,nama,jurusan,angkatan\r\n22001,Ahmad Fauzan,Sains Data,2022\r\n"
          "22002,'=Nisa,Sains Data,2022\r\n24001,\"Siti \"\"Ani\"\"; S.\",Fisika,2024\r\n");
    CHECK(exported.header("Content-Type").find("text/csv") == 0);
    CHECK(exported.header("Cache-Control") == "no-store");
    CHECK(impor("mahasiswa", exported.body).body == R"({"dry_run":false,"baris":3,"ditambah":0,"diubah":0})");
    const auto all_krs = service.get("/api/acad/ekspor/krs", admin()).body;
    CHECK(impor("krs", all_krs).body == R"({"dry_run":false,"baris":6,"ditambah":0,"diubah":0})");

    CHECK(impor("mata_kuliah", "kode_mk,nama_mk,sks\nFI101,Mekanika,4\n").status == 200);
    const auto krs = impor("krs", "nim,kode_mk,semester,nilai\n24001,FI101,1,a-\n24001,IF101,1,\n");
    CHECK(krs.body == R"({"dry_run":false,"baris":2,"ditambah":2,"diubah":0})");
    CHECK(service.get("/api/acad/ips?nim=24001", admin()).json()["IPS"].GetDouble() == Approx(3.75));
    CHECK(demo.database.run("SELECT oleh || ' ' || alasan FROM riwayat_nilai WHERE nim = '24001'") ==
          "u-admin impor");

    struct Row {
        std::string what, csv;
        unsigned status;
        std::vector<std::string> pointers;
    };
    const std::vector<Row> table{
        {"mahasiswa",
         "nim,nama,jurusan,angkatan\n1,a,b,2024\n2,,b,x\n1,c,d,2024\n",
         422,
         {"/3/nama", "/3/angkatan", "/4/nim"}},
        {"mahasiswa", "nim,nama,jurusan\n1,a,b\n", 422, {"/1/angkatan"}},
        {"mahasiswa", "nim,nama,jurusan,angkatan,hobi\n", 422, {"/1/hobi"}},
        {"mahasiswa", "nim,nama,jurusan,angkatan\n1,a,b\n", 422, {"/2/"}},
        {"mahasiswa", "nim,nama,jurusan,angkatan\n1,\"a,b,2024\n", 422, {"/2/"}},
        {"mahasiswa", "", 422, {"/1/"}},
        {"mahasiswa", "nim,nama,jurusan,angkatan\n1,\xFF,b,2024\n", 400, {}},
        {"krs",
         "nim,kode_mk,semester,nilai\n22001,IF101,2,\nnobody,IF101,1,\n22001,NOPE,1,\n22001,IF102,2,Z\n22001,"
         "IF103,,\n",
         422,
         {"/6/semester"}},
        {"krs",
         "nim,kode_mk,semester,nilai\n22001,IF101,2,\nnobody,IF101,1,\n22001,NOPE,1,\n22001,IF102,2,Z\n",
         422,
         {"/3/nim", "/4/kode_mk", "/5/nilai"}},
        {"krs", "nim,kode_mk,kode_semester\n22001,IF101,20244\n", 422, {"/2/kode_semester"}},
        {"krs", "nim,kode_mk,semester\n22001,IF101,2\n22001,IF101,2\n", 422, {"/2/kode_mk", "/3/kode_mk"}},
    };
    const auto before =
        demo.database.run("SELECT (SELECT count(*) FROM mahasiswa) + (SELECT count(*) FROM krs)");
    for (const auto& row : table) {
        INFO(row.csv);
        const auto reply = impor(row.what, row.csv);
        CHECK(reply.status == row.status);
        for (const auto& pointer : row.pointers) {
            CHECK(reply.body.find("\"pointer\":\"" + pointer + "\"") != std::string::npos);
        }
    }
    CHECK(demo.database.run("SELECT (SELECT count(*) FROM mahasiswa) + (SELECT count(*) FROM krs)") ==
          before);
    CHECK(test::request(service.port(), "POST", "/api/acad/impor/krs",
                        {test::bearer(dosen()), {"Content-Type", "text/csv"}}, "nim\n")
              .status == 403);
    CHECK(service.get("/api/acad/ekspor/krs", dosen()).status == 403);
    CHECK(service.get("/api/acad/ekspor/akm", admin())
              .body.find("22001,Ahmad Fauzan,Sains Data,1,20221,3.5,9,3.5,9\r\n") != std::string::npos);
    CHECK(service.get("/api/acad/ekspor/mata_kuliah", admin()).body.find("FI101,Mekanika,4,\r\n") !=
          std::string::npos);
}

TEST_CASE("a large import and its export fit") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    std::string csv = "nim,nama,jurusan,angkatan\n";
    for (int i = 10000; i < 17500; ++i)
        csv += "M" + std::to_string(i) + ",Nama " + std::to_string(i) + ",Fisika,2024\n";
    const auto reply = test::request(service.port(), "POST", "/api/acad/impor/mahasiswa",
                                     {test::bearer(admin()), {"Content-Type", "text/csv"}}, csv);
    CHECK(reply.body == R"({"dry_run":false,"baris":7500,"ditambah":7500,"diubah":0})");
    const auto exported = service.get("/api/acad/ekspor/mahasiswa", admin());
    CHECK(std::count(exported.body.begin(), exported.body.end(), '\n') == 7503);
    CHECK(exported.body.ends_with("M17499,Nama 17499,Fisika,2024\r\n"));
    CHECK(exported.header("Transfer-Encoding") == "chunked");
    const auto head =
        test::request(service.port(), "HEAD", "/api/acad/ekspor/mahasiswa", {test::bearer(admin())});
    CHECK(head.status == 200);
    CHECK(head.body.empty());
}

TEST_CASE("an import of another type or beyond the limit is refused by its head, before its body has come") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri(), {{"BODY_LIMIT_BYTES", "2048"}});
    const auto answer = [&](const std::string& type, int length, const std::string& sent) {
        test::RawConnection connection(service.port());
        connection.send("POST /api/acad/impor/mahasiswa HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " +
                        admin() + "\r\nContent-Type: " + type +
                        "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" + sent);
        return connection.read_until("\r\n\r\n", std::chrono::seconds(5)).substr(0, 12);
    };
    CHECK(answer("application/json", 1000, "{") == "HTTP/1.1 415");
    CHECK(answer("text/csv", 2049, "nim") == "HTTP/1.1 413");
    std::string csv = "nim,nama,jurusan,angkatan\n";
    csv += std::string(2048 - csv.size(), '\n');
    CHECK(answer("text/csv", 2048, csv) == "HTTP/1.1 200");
}
