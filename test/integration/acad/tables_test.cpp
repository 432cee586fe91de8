// The numbers that ship in sql/acad, as text: nobody computes with them here, so a changed digit shows.
#include <catch2/catch.hpp>

#include "services/acad/domain/semester.hpp"
#include "test/integration/acad/acad_service.hpp"

using namespace test::acad;

TEST_CASE("the shipped scale, sks limits and predikat are these") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("migrate", database.uri());
    CHECK(database.run("SELECT string_agg(concat_ws(' ', jurusan, berlaku_dari), ', ') FROM skala_nilai") ==
          "0");
    CHECK(database.run(
              "SELECT string_agg(format('%s %s %s %s', nilai, coalesce(bobot::text, '-'), lulus, masuk_ip),"
              " E'\n' ORDER BY bobot DESC NULLS LAST, nilai COLLATE \"C\") FROM skala_nilai_butir") ==
          "A 4.00 t t\n"
          "A- 3.75 t t\n"
          "B+ 3.50 t t\n"
          "B 3.00 t t\n"
          "B- 2.75 t t\n"
          "C+ 2.50 t t\n"
          "C 2.00 t t\n"
          "D 1.00 t t\n"
          "E 0.00 f t\n"
          "BL - f f\n"
          "K - f f\n"
          "L - t f\n"
          "T - f f\n"
          "TL - f f");
    CHECK(
        database.run("SELECT string_agg(ips_min || ' ' || sks_maks, ', ' ORDER BY ips_min) FROM batas_sks") ==
        "-1.00 20, 0.00 12, 1.50 15, 2.00 18, 2.50 21, 3.00 24");
    CHECK(database.run("SELECT string_agg(ipk_min || ' ' || nama, ', ' ORDER BY ipk_min) FROM predikat") ==
          "2.76 memuaskan, 3.01 sangat memuaskan, 3.51 pujian");
}

TEST_CASE("a jurusan's own scale goes before a general one, and the newest that holds before older ones") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("migrate", database.uri());
    database.run(
        "INSERT INTO skala_nilai (jurusan, berlaku_dari) VALUES ('Fisika', 20221), ('Fisika', 20241), (NULL, "
        "20231)");
    struct Row {
        std::string jurusan, term, expected;
    };
    const std::vector<Row> table{
        {"'Fisika'", "20232", "Fisika 20221"},  // not the newer general one
        {"'Fisika'", "20241", "Fisika 20241"},  // from its term on
        {"'Fisika'", "20233", "Fisika 20221"},
        {"'Fisika'", "NULL", "Fisika 20241"},  // a term that is not known takes the newest
        {"'Fisika'", "20213", " 0"},           // before its first one the general
        {"'Kimia'", "20231", " 20231"},
        {"'Kimia'", "20223", " 0"},
        {"NULL", "20241", " 20231"},
    };
    for (const auto& row : table) {
        INFO(row.jurusan << " " << row.term);
        CHECK(database.run(
                  "SELECT coalesce(jurusan, '') || ' ' || berlaku_dari FROM skala_nilai WHERE id_skala = "
                  "skala_untuk(" +
                  row.jurusan + ", " + row.term + ")") == row.expected);
    }
}

TEST_CASE("the database and the service compute semesters alike, over the whole range") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("migrate", database.uri());
    const auto text = [](std::optional<int> value) {
        return value ? std::to_string(*value) : std::string("-");
    };
    std::string ordinals;
    std::string codes;
    for (int angkatan = 1898; angkatan <= 2902; ++angkatan) {
        for (int kode = (angkatan - 2) * 10; kode < (angkatan + 9) * 10; ++kode)
            ordinals += text(acad::domain::semester_ke(angkatan, kode)) + ",";
        for (int ke = -1; ke <= 16; ++ke) codes += text(acad::domain::kode_semester(angkatan, ke)) + ",";
    }
    // Compared as a whole: a difference would print a million digits.
    const bool same_ordinals =
        database.run(
            "SELECT string_agg(coalesce(semester_ke(a, k)::text, '-') || ',', '' ORDER BY a, k) FROM "
            "generate_series(1898, 2902) a, generate_series((a - 2) * 10, (a + 9) * 10 - 1) k") == ordinals;
    const bool same_codes =
        database.run(
            "SELECT string_agg(coalesce(kode_semester(a, k)::text, '-') || ',', '' ORDER BY a, k) FROM "
            "generate_series(1898, 2902) a, generate_series(-1, 16) k") == codes;
    CHECK(same_ordinals);
    CHECK(same_codes);
    CHECK(database.run("SELECT concat(semester_ke(2147483647, 20241), semester_ke(-2147483648, 20241),"
                       " semester_ke(NULL, 20241), semester_ke(2022, NULL), kode_semester(2147483647, 1),"
                       " kode_semester(2022, NULL))") == "");
}

TEST_CASE("the database keeps its rules, whoever writes") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("seed-demo", database.uri());
    const auto student = [](const std::string& nim, const std::string& nama, const std::string& angkatan) {
        return "INSERT INTO mahasiswa VALUES ('" + nim + "', " + nama + ", 'F', " + angkatan + ")";
    };
    const auto enrolment = [](const std::string& semester, const std::string& sks) {
        return "INSERT INTO krs (nim, kode_mk, semester, sks) VALUES ('22001', 'IF101', " + semester + ", " +
               sks + ")";
    };
    const std::vector<std::string> refused{
        student("1", "''", "2024"),
        student("1", "NULL", "2024"),
        student("1", "'A'", "1899"),
        student("1", "'A'", "2901"),
        "INSERT INTO mata_kuliah (kode_mk, nama_mk, sks) VALUES ('X', 'X', 25)",
        "INSERT INTO mata_kuliah (kode_mk, nama_mk, sks) VALUES ('X', 'X', -1)",
        "INSERT INTO mata_kuliah (kode_mk, nama_mk, sks, kuota) VALUES ('X', 'X', 1, -1)",
        enrolment("0", "3"),
        enrolment("15", "3"),
        enrolment("2", "25"),
        enrolment("2", "-1"),
        enrolment("2", "NULL"),
        "INSERT INTO periode_krs VALUES (20241, '2024-08-01', '2024-08-01')",
        "INSERT INTO periode_krs VALUES (20244, '2024-08-01', '2024-08-02')",
        "INSERT INTO krs (nim, kode_mk, semester, sks, nilai) VALUES ('22001', 'IF101', 2, 3, 'Z')",
        "INSERT INTO krs (nim, kode_mk, semester, kode_semester, sks) VALUES ('22001', 'IF101', 1, 20221, 3)",
        "DELETE FROM mata_kuliah WHERE kode_mk = 'IF101'",
    };
    for (const auto& sql : refused) {
        INFO(sql);
        CHECK_THROWS(database.run(sql));
    }
    const std::vector<std::string> taken{
        student("1", "'A'", "1900"),
        student("2", "'A'", "2900"),
        "INSERT INTO mata_kuliah (kode_mk, nama_mk, sks, kuota) VALUES ('X', 'X', 24, 0), ('Y', 'Y', 0, "
        "NULL)",
        enrolment("14", "24"),
        "INSERT INTO krs (nim, kode_mk, semester, sks, nilai) VALUES ('22001', 'IF102', 2, 0, 'b-')",
        "INSERT INTO periode_krs VALUES (20243, '2024-08-01', '2024-08-02')",
    };
    for (const auto& sql : taken) {
        INFO(sql);
        CHECK_NOTHROW(database.run(sql));
    }
    CHECK(database.run("SELECT nilai FROM krs WHERE kode_mk = 'IF102' AND semester = 2") == "B-");

    database.run("UPDATE mahasiswa SET nim = '22009' WHERE nim = '22001'");
    database.run("UPDATE mata_kuliah SET kode_mk = 'IF109' WHERE kode_mk = 'IF103'");
    CHECK(database.run("SELECT count(*) FROM krs WHERE nim = '22009'") == "5");
    CHECK(database.run("SELECT count(*) FROM krs WHERE kode_mk = 'IF109'") == "2");
}

TEST_CASE("each change has a new version and a line in the audit that says who, where, before and after") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("seed-demo", database.uri());
    for (const auto* table : {"mahasiswa", "mata_kuliah", "krs"}) {
        INFO(table);
        const std::string first = "SELECT min(versi) FROM " + std::string(table);
        const auto before = database.run(first);
        database.run("UPDATE " + std::string(table) + " SET versi = versi");
        CHECK(std::stoi(database.run(first)) > std::stoi(before));
    }
    database.run("DELETE FROM audit");
    database.run(R"(
        SELECT set_config('acad.pelaku', 'u-7', false), set_config('acad.peran', 'admin', false),
               set_config('acad.request_id', 'r-7', false);
        UPDATE mahasiswa SET nama = 'B' WHERE nim = '22001';
        UPDATE mata_kuliah SET nama_mk = 'B' WHERE kode_mk = 'IF101';
        UPDATE krs SET nilai = 'C' WHERE id_krs = 1;
        INSERT INTO periode_krs VALUES (20241, '2024-08-01', '2024-08-02');
        INSERT INTO skala_nilai (jurusan, berlaku_dari) VALUES ('F', 0);
        UPDATE skala_nilai_butir SET bobot = 3.9 WHERE nilai = 'A';
        UPDATE batas_sks SET sks_maks = 23 WHERE ips_min = 3;
        DELETE FROM predikat WHERE ipk_min = 3.51;)");
    CHECK(database.run(
              "SELECT string_agg(concat_ws(' ', tabel, tindakan, pelaku, peran, request_id, (lama IS NOT "
              "NULL)::int, (baru IS NOT NULL)::int), E'\n' ORDER BY id_audit) FROM audit") ==
          "mahasiswa UPDATE u-7 admin r-7 1 1\n"
          "mata_kuliah UPDATE u-7 admin r-7 1 1\n"
          "krs UPDATE u-7 admin r-7 1 1\n"
          "periode_krs INSERT u-7 admin r-7 0 1\n"
          "skala_nilai INSERT u-7 admin r-7 0 1\n"
          "skala_nilai_butir UPDATE u-7 admin r-7 1 1\n"
          "batas_sks UPDATE u-7 admin r-7 1 1\n"
          "predikat DELETE u-7 admin r-7 1 0");
    CHECK(database.run("SELECT concat_ws(' ', lama ->> 'nama', baru ->> 'nama') FROM audit WHERE tabel = "
                       "'mahasiswa'") == "Ahmad Fauzan B");
    // Around the service it is the database's user.
    database.run("UPDATE krs SET nilai = NULL WHERE id_krs = 1");
    CHECK(database.run("SELECT pelaku = 'db:' || session_user FROM audit ORDER BY id_audit DESC LIMIT 1") ==
          "t");
    CHECK(database.run(
              "SELECT string_agg(concat_ws('>', coalesce(lama, '-'), coalesce(baru, '-'), oleh = 'u-7'), "
              "' ' ORDER BY id_riwayat) FROM riwayat_nilai WHERE id_krs = 1") == "->A>f A>C>t C>->f");
}
