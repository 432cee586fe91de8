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
