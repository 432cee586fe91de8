// docs/openapi/acad.yaml and the service agree: each described call is made, and each answer is as described.
#include <catch2/catch.hpp>
#include <set>

#include "test/integration/acad/acad_service.hpp"
#include "test/support/openapi_document.hpp"

using namespace test::acad;

TEST_CASE("every call that the document describes answers as described") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("seed-demo", database.uri());
    const Service service(database.uri());
    const test::OpenApiDocument document("acad");
    struct Call {
        std::string method, path, target, token, body;
        unsigned status;
    };
    const std::string acad = "/api/acad/";
    const std::string student_body = R"({"nim":"24001","nama":"A","jurusan":"F","angkatan":2024})";
    const std::string course_body = R"({"kode_mk":"K1","nama_mk":"A","sks":2})";
    const std::string students_csv = "nim,nama,jurusan,angkatan\n24002,B,F,2024\n";
    const std::vector<Call> calls{
        {"GET", "/health", "/health", "", "", 200},
        {"GET", acad + "health", acad + "health", "", "", 200},
        {"GET", "/livez", "/livez", "", "", 200},
        {"GET", "/metrics", "/metrics", "", "", 200},
        {"GET", acad + "ips", acad + "ips", student("22001"), "", 200},
        {"GET", acad + "ips", acad + "ips", "", "", 401},
        {"GET", acad + "ips", acad + "ips?nim=22002", student("22001"), "", 403},
        {"GET", acad + "ips", acad + "ips?nim=0", admin(), "", 404},
        {"GET", acad + "ips", acad + "ips", admin(), "", 422},
        {"GET", acad + "mahasiswa", acad + "mahasiswa", admin(), "", 200},
        {"GET", acad + "mahasiswa", acad + "mahasiswa?limit=0", admin(), "", 422},
        {"POST", acad + "mahasiswa", acad + "mahasiswa", admin(), student_body, 201},
        {"POST", acad + "mahasiswa", acad + "mahasiswa", admin(), student_body, 409},
        {"POST", acad + "mahasiswa", acad + "mahasiswa", admin(), "{", 400},
        {"POST", acad + "mahasiswa", acad + "mahasiswa", admin(), "{}", 422},
        {"POST", acad + "mahasiswa", acad + "mahasiswa", dosen(), student_body, 403},
        {"GET", acad + "mahasiswa/{nim}", acad + "mahasiswa/24001", admin(), "", 200},
        {"PUT", acad + "mahasiswa/{nim}", acad + "mahasiswa/24001", admin(), student_body, 200},
        {"DELETE", acad + "mahasiswa/{nim}", acad + "mahasiswa/24001", admin(), "", 204},
        {"DELETE", acad + "mahasiswa/{nim}", acad + "mahasiswa/24001", admin(), "", 404},
        {"DELETE", acad + "mahasiswa/{nim}", acad + "mahasiswa/22001", admin(), "", 409},
        {"GET", acad + "mahasiswa/{nim}/khs", acad + "mahasiswa/22001/khs", student("22001"), "", 200},
        {"GET", acad + "mahasiswa/{nim}/khs", acad + "mahasiswa/22001/khs?semester=5", admin(), "", 404},
        {"GET", acad + "mahasiswa/{nim}/transkrip", acad + "mahasiswa/22001/transkrip", dosen(), "", 200},
        {"GET", acad + "mahasiswa/{nim}/riwayat", acad + "mahasiswa/22001/riwayat", dosen(), "", 200},
        {"GET", acad + "mahasiswa/{nim}/riwayat", acad + "mahasiswa/0/riwayat", dosen(), "", 404},
        {"GET", acad + "mata_kuliah", acad + "mata_kuliah", student("22001"), "", 200},
        {"POST", acad + "mata_kuliah", acad + "mata_kuliah", admin(), course_body, 201},
        {"POST", acad + "mata_kuliah", acad + "mata_kuliah", admin(), course_body, 409},
        {"GET", acad + "mata_kuliah/{kode_mk}", acad + "mata_kuliah/K1", dosen(), "", 200},
        {"PUT", acad + "mata_kuliah/{kode_mk}", acad + "mata_kuliah/K1", admin(), course_body, 200},
        {"DELETE", acad + "mata_kuliah/{kode_mk}", acad + "mata_kuliah/K1", admin(), "", 204},
        {"GET", acad + "krs", acad + "krs", student("22001"), "", 200},
        {"POST", acad + "krs", acad + "krs", student("22001"), R"({"kode_mk":"IF101"})", 409},
        {"POST", acad + "krs", acad + "krs", admin(),
         R"({"nim":"22001","kode_mk":"IF101","kode_semester":20222})", 201},
        {"GET", acad + "krs/{id}", acad + "krs/7", student("22001"), "", 200},
        {"DELETE", acad + "krs/{id}", acad + "krs/7", admin(), "", 204},
        {"DELETE", acad + "krs/{id}", acad + "krs/1", admin(), "", 409},
        {"PUT", acad + "krs/{id}/nilai", acad + "krs/1/nilai", dosen(), R"({"nilai":"B","alasan":"x"})", 200},
        {"PUT", acad + "krs/{id}/nilai", acad + "krs/1/nilai", dosen(), R"({"nilai":"Z"})", 422},
        {"GET", acad + "krs/{id}/nilai/riwayat", acad + "krs/1/nilai/riwayat", dosen(), "", 200},
        {"PUT", acad + "periode_krs/{kode_semester}", acad + "periode_krs/20241", admin(),
         R"({"buka":"2024-08-01T00:00:00+07:00","tutup":"2024-09-01T00:00:00+07:00"})", 200},
        {"GET", acad + "periode_krs", acad + "periode_krs", student("22001"), "", 200},
        {"GET", acad + "skala_nilai", acad + "skala_nilai", student("22001"), "", 200},
        {"PUT", acad + "skala_nilai", acad + "skala_nilai", admin(),
         R"({"jurusan":"F","berlaku_dari":20241,"butir":[{"nilai":"A","bobot":4,"lulus":true,"masuk_ip":true}]})",
         200},
        {"PUT", acad + "skala_nilai", acad + "skala_nilai", admin(),
         R"({"butir":[{"nilai":"A","bobot":4,"lulus":true,"masuk_ip":true}]})", 409},
        {"POST", acad + "impor/mahasiswa", acad + "impor/mahasiswa", admin(), students_csv, 200},
        {"POST", acad + "impor/mahasiswa", acad + "impor/mahasiswa", admin(), "nim\n", 422},
        {"POST", acad + "impor/mahasiswa", acad + "impor/mahasiswa", admin(), "{}", 415},
        {"POST", acad + "impor/mata_kuliah", acad + "impor/mata_kuliah?dry_run=true", admin(),
         "kode_mk,nama_mk,sks\nX,Y,2\n", 200},
        {"POST", acad + "impor/krs", acad + "impor/krs", admin(), "nim,kode_mk,semester\n22001,IF102,2\n",
         200},
        {"GET", acad + "ekspor/mahasiswa", acad + "ekspor/mahasiswa", admin(), "", 200},
        {"GET", acad + "ekspor/mata_kuliah", acad + "ekspor/mata_kuliah", admin(), "", 200},
        {"GET", acad + "ekspor/krs", acad + "ekspor/krs", admin(), "", 200},
        {"GET", acad + "ekspor/akm", acad + "ekspor/akm", admin(), "", 200},
        {"GET", acad + "ekspor/akm", acad + "ekspor/akm", dosen(), "", 403},
    };
    std::set<std::string> succeeded;
    for (const auto& call : calls) {
        test::HeaderList headers;
        if (!call.token.empty()) headers.push_back(test::bearer(call.token));
        if (!call.body.empty())
            headers.emplace_back("Content-Type", call.body.front() == '{' ? "application/json" : "text/csv");
        const auto reply = test::request(service.port(), call.method, call.target, headers, call.body);
        INFO(call.method << " " << call.target << " -> " << reply.status << " " << reply.body);
        CHECK(reply.status == call.status);
        CHECK(document.check({call.method, call.path}, reply) == std::vector<std::string>{});
        if (reply.status < 400) succeeded.insert(call.method + " " + call.path);
    }
    for (const auto& operation : document.operations()) {
        INFO(operation.method << " " << operation.path << " is described but no call of it succeeded here");
        CHECK(succeeded.contains(operation.method + " " + operation.path));
    }
}
