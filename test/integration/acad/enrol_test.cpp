// Enrolment and grading at the same moment. The database holds back every write until all are on their way,
// so that a lock that is missing is noticed each time and not by chance.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "test/integration/acad/acad_service.hpp"

using namespace test::acad;

namespace {

// One student has half of the connections: enough for twelve writes.
const std::map<std::string, std::string> kManyConnections{{"DB_POOL_SIZE", "32"},
                                                          {"DB_STATEMENT_TIMEOUT_MS", "30000"}};

struct Demo {
    Demo() {
        command("seed-demo", database.uri());
        database.run(
            "INSERT INTO periode_krs VALUES (20222, now() - interval '1 day', now() + interval '1 day')");
    }
    test::PostgresDatabase database;
};

struct Wish {
    std::string nim;
    std::string kode_mk;
};

// Sends all of them; none can be stored before each of them waits, for krs or for the one before it. Returns
// how many came through.
int enrol_at_once(const Service& service, const Demo& demo, const std::vector<Wish>& wishes) {
    test::HeldTransaction barrier(demo.database);
    barrier.run("LOCK TABLE krs IN SHARE MODE");
    std::atomic<int> done{0};
    std::atomic<int> unexpected{0};
    std::vector<std::thread> crowd;
    for (const auto& wish : wishes) {
        crowd.emplace_back([&service, &done, &unexpected, wish] {
            const auto body = R"({"kode_mk":")" + wish.kode_mk + R"("})";
            const auto status = service.send("POST", "/api/acad/krs", student(wish.nim), body).status;
            if (status == 201) ++done;
            if (status != 201 && status != 409) ++unexpected;
        });
    }
    const bool all_wait = barrier.wait_blocked(static_cast<int>(wishes.size()));
    barrier.commit();
    for (auto& thread : crowd) thread.join();
    CHECK(all_wait);
    CHECK(unexpected == 0);
    return done;
}

}  // namespace

TEST_CASE("twelve courses posted at one moment stay within the student's sks limit") {
    if (!test::have_postgres()) return;
    const Demo demo;
    demo.database.run(
        "INSERT INTO mata_kuliah (kode_mk, nama_mk, sks) SELECT 'K' || i, 'Kuliah', 4 FROM "
        "generate_series(1, "
        "12) i");
    const Service service(demo.database.uri(), kManyConnections);
    std::vector<Wish> wishes;
    for (int i = 1; i <= 12; ++i) wishes.push_back({"22001", "K" + std::to_string(i)});
    CHECK(enrol_at_once(service, demo, wishes) == 6);
    CHECK(demo.database.run("SELECT sum(sks) FROM krs WHERE nim = '22001' AND kode_semester = 20222") ==
          "24");
}

TEST_CASE("twelve students at one moment get no more than the places of a course") {
    if (!test::have_postgres()) return;
    const Demo demo;
    demo.database.run(R"(
        INSERT INTO mata_kuliah (kode_mk, nama_mk, sks, kuota) VALUES ('RAME', 'Rebutan', 2, 3);
        INSERT INTO mahasiswa SELECT '225' || lpad(i::text, 2, '0'), 'Orang', 'Sains Data', 2022 FROM generate_series(10, 21) i;)");
    const Service service(demo.database.uri(), kManyConnections);
    std::vector<Wish> wishes;
    for (int i = 10; i <= 21; ++i) wishes.push_back({"225" + std::to_string(i), "RAME"});
    CHECK(enrol_at_once(service, demo, wishes) == 3);
    CHECK(demo.database.run("SELECT count(*) FROM krs WHERE kode_mk = 'RAME'") == "3");
}

TEST_CASE("the places of a course are those of one term, and the last one is given away") {
    if (!test::have_postgres()) return;
    const Demo demo;
    demo.database.run(
        "INSERT INTO mata_kuliah (kode_mk, nama_mk, sks, kuota) VALUES ('SEMPIT', 'Satu kursi', 3, 1),"
        " ('TUTUP', 'Tanpa kursi', 3, 0)");
    const Service service(demo.database.uri());
    const auto enrol = [&](const std::string& nim, const std::string& kode_mk, const std::string& term) {
        return service.send(
            "POST", "/api/acad/krs", admin(),
            R"({"nim":")" + nim + R"(","kode_mk":")" + kode_mk + R"(","kode_semester":)" + term + "}");
    };
    CHECK(enrol("22001", "SEMPIT", "20221").status == 201);
    CHECK(enrol("22002", "SEMPIT", "20222").status == 201);
    CHECK(code(enrol("22001", "SEMPIT", "20222")) == "class_full");
    CHECK(code(enrol("22001", "TUTUP", "20222")) == "class_full");
}

TEST_CASE("a scale is not changed while a grade is being given, and the reverse") {
    if (!test::have_postgres()) return;
    const Demo demo;
    const Service service(demo.database.uri());
    // The lock of sql/acad/0005_kunci_skala.sql, as a writer of a grade holds it.
    const std::string scale =
        R"({"jurusan":"Fisika","berlaku_dari":20241,"butir":[{"nilai":"A","bobot":4,"lulus":true,"masuk_ip":true}]})";
    const auto waits = [&](const std::string& lock, auto&& send) {
        test::HeldTransaction held(demo.database);
        held.run("SELECT " + lock + "(7316842501173)");
        std::atomic<unsigned> status{0};
        std::thread writer([&] { status = send().status; });
        const bool waited = held.wait_blocked(1);
        CHECK(status == 0);
        held.commit();
        writer.join();
        CHECK(waited);
        CHECK(status == 200);
    };
    waits("pg_advisory_xact_lock_shared",
          [&] { return service.send("PUT", "/api/acad/skala_nilai", admin(), scale); });
    waits("pg_advisory_xact_lock",
          [&] { return service.send("PUT", "/api/acad/krs/1/nilai", dosen(), R"({"nilai":"B"})"); });
}
