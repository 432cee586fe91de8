#include <catch2/catch.hpp>
#include <map>

#include "services/acad/domain/akses.hpp"
#include "services/acad/domain/indeks.hpp"
#include "services/acad/domain/pendaftaran.hpp"
#include "services/acad/domain/semester.hpp"
#include "services/acad/domain/studi.hpp"

using namespace acad::domain;

namespace {

const std::map<std::string, int> kBobot{{"A", 400},  {"A-", 375}, {"B+", 350}, {"B", 300}, {"B-", 275},
                                        {"C+", 250}, {"C", 200},  {"D", 100},  {"E", 0}};

// What the store hands over: a grade that is in the scale has its weight and flags.
Pengambilan row(std::string kode, int sks, const char* nilai, int ke = 1, int kode_term = 0) {
    Pengambilan result;
    result.kode_mk = std::move(kode);
    result.sks = sks;
    result.semester = {ke, kode_term != 0 ? kode_term : kode_semester(2022, ke).value()};
    if (nilai == nullptr) return result;
    result.nilai = nilai;
    if (*result.nilai == "L") result.lulus = true;
    const auto found = kBobot.find(*result.nilai);
    if (found == kBobot.end()) return result;
    result.bobot_ratus = found->second;
    result.lulus = found->second >= 100;
    result.masuk_ip = true;
    return result;
}

Pengambilan without_code(Pengambilan row) {
    row.semester.kode = 0;
    return row;
}

int ratus(std::optional<Indeks> indeks) {
    return indeks ? indeks->ratus : -1;
}

}  // namespace

TEST_CASE("a division is rounded as the setting says") {
    struct Row {
        std::int64_t sum;  // hundredths
        std::int64_t count;
        int half_up, truncate, half_even;
    };
    const std::vector<Row> table{
        {2900, 8, 363, 362, 362},                                                 // 3.625
        {29080, 80, 364, 363, 364},                                               // 3.635
        {31400, 80, 393, 392, 392},                                               // 3.925
        {1150, 3, 383, 383, 383},                                                 // 3.8333
        {1400, 4, 350, 350, 350},   {0, 3, 0, 0, 0},   {1166, 3, 389, 388, 389},  // 3.88667
        {400, 1, 400, 400, 400},    {1, 200, 0, 0, 0}, {1, 2, 1, 0, 0},          {3, 2, 2, 1, 2},
    };
    for (const auto& entry : table) {
        INFO(entry.sum << " / " << entry.count);
        CHECK(divide(entry.sum, entry.count, Rounding::half_up).ratus == entry.half_up);
        CHECK(divide(entry.sum, entry.count, Rounding::truncate).ratus == entry.truncate);
        CHECK(divide(entry.sum, entry.count, Rounding::half_even).ratus == entry.half_even);
    }
}

TEST_CASE("an index is written as the shortest decimal") {
    const std::map<int, std::string> table{{350, "3.5"},  {383, "3.83"}, {400, "4"}, {0, "0"},
                                           {305, "3.05"}, {5, "0.05"},   {300, "3"}, {10, "0.1"}};
    for (const auto& [value, text] : table) CHECK(to_decimal({value}) == text);
}

TEST_CASE("the IPS of the demo students is 3.50 and 3.83") {
    CHECK(ratus(ip({row("IF101", 3, "A"), row("IF102", 3, "B+"), row("IF103", 3, "B")}, Rounding::half_up)) ==
          350);
    CHECK(ratus(ip({row("IF101", 3, "A"), row("IF102", 3, "A"), row("IF103", 3, "B+")}, Rounding::half_up)) ==
          383);
}

TEST_CASE("an IPS weighs by sks and counts what the flags say") {
    struct Row {
        std::string name;
        Studi rows;
        int expected;  // -1: none
    };
    const std::vector<Row> table{
        {"half up at the third decimal", {row("a", 5, "A"), row("b", 3, "B")}, 363},  // 29/8
        {"3.925", {row("a", 3, "B+"), row("b", 7, "A"), row("c", 10, "A")}, 393},     // 78.5/20
        {"a failed course is in the denominator", {row("a", 3, "A"), row("b", 3, "E")}, 200},
        {"only a failed course", {row("a", 3, "E")}, 0},
        {"no grade yet", {row("a", 3, "A"), row("b", 3, nullptr)}, 400},
        {"T, BL and K are no grades",
         {row("a", 3, "A"), row("b", 3, "T"), row("c", 2, "BL"), row("d", 2, "K")},
         400},
        {"a pass without weight", {row("a", 3, "B"), row("b", 2, "L")}, 300},
        {"a grade outside the scale", {row("a", 3, "B"), row("b", 2, "X")}, 300},
        {"nothing graded", {row("a", 3, nullptr)}, -1},
        {"no course", {}, -1},
        {"a course without sks", {row("a", 0, "A")}, -1},
    };
    for (const auto& entry : table) {
        INFO(entry.name);
        CHECK(ratus(ip(entry.rows, Rounding::half_up)) == entry.expected);
    }
}

TEST_CASE("a row whose sks is not known counts nowhere") {
    auto unknown = row("a", 3, "A");
    unknown.sks.reset();
    CHECK(ratus(ip({unknown, row("b", 3, "C")}, Rounding::half_up)) == 200);
    CHECK(sks_taken({unknown, row("b", 3, "C")}) == 3);
}

TEST_CASE("the IPK takes each course once, by the best or by the last attempt") {
    const Studi rows{row("a", 3, "D", 1), row("b", 3, "B", 1), row("a", 3, "A", 2), row("a", 3, "C", 3)};
    CHECK(ratus(ipk(rows, {Rounding::half_up, RepeatRule::best})) == 350);
    CHECK(ratus(ipk(rows, {Rounding::half_up, RepeatRule::last})) == 250);
    CHECK(sks_lulus(rows, RepeatRule::best) == 6);

    const Studi in_progress{row("a", 3, "D", 1), row("a", 3, nullptr, 2)};
    CHECK(ratus(ipk(in_progress, {Rounding::half_up, RepeatRule::last})) == 100);

    const Studi first_without_grade{row("a", 3, nullptr, 1), row("a", 3, "B", 2)};
    CHECK(ratus(ipk(first_without_grade, {Rounding::half_up, RepeatRule::best})) == 300);

    const Studi failed_after_pass{row("a", 2, "L", 1), row("a", 2, "E", 2)};
    CHECK(sks_lulus(failed_after_pass, RepeatRule::best) == 2);
    CHECK(sks_lulus(failed_after_pass, RepeatRule::last) == 0);

    // The order in which rows come does not matter.
    const Studi backwards{row("a", 3, "A", 2), row("a", 3, "D", 1)};
    CHECK(ratus(ipk(backwards, {Rounding::half_up, RepeatRule::last})) == 400);
}

TEST_CASE("of attempts with the same weight the later one stands, and a pass without weight beats a fail") {
    const auto chosen = [](const Studi& rows, RepeatRule rule) {
        const auto kept = without_repeats(rows, rule);
        return kept.size() == 1 ? kept.front().semester.ke : 0;
    };
    CHECK(chosen({row("a", 3, "B", 1), row("a", 3, "B", 2)}, RepeatRule::best) == 2);
    CHECK(chosen({row("a", 3, "A", 1), row("a", 3, "B", 2)}, RepeatRule::best) == 1);
    CHECK(chosen({row("a", 3, "A", 1), row("a", 3, "B", 2)}, RepeatRule::last) == 2);
    CHECK(chosen({row("a", 3, "E", 1), row("a", 3, "L", 2)}, RepeatRule::best) == 2);
    CHECK(chosen({row("a", 3, "L", 1), row("a", 3, "E", 2)}, RepeatRule::best) == 1);
    CHECK(chosen({row("a", 3, nullptr, 1), row("a", 3, nullptr, 2)}, RepeatRule::last) == 2);
}

TEST_CASE("a term whose graded courses have no sks has no IPS") {
    const Studi rows{row("a", 3, "A", 1), row("b", 0, "B", 2)};
    CHECK(latest_graded_term(rows)->ke == 1);
    CHECK_FALSE(latest_graded_term({row("b", 0, "B", 2)}));
}

TEST_CASE("terms are in time order and the latest with an IPS is found") {
    const Studi rows{row("c", 3, nullptr, 3), row("a", 3, "A", 1), row("d", 3, "B", 2, 20223),
                     row("b", 3, "B", 2)};
    const auto found = terms(rows);
    REQUIRE(found.size() == 4);
    CHECK(found[1].kode == 20222);
    CHECK(found[2].kode == 20223);
    CHECK(latest_graded_term(rows)->kode == 20223);
    CHECK_FALSE(latest_graded_term({row("a", 3, nullptr), row("b", 2, "L")}));
    CHECK(until(rows, found[1]).size() == 2);
    CHECK(of_semester(rows, {2}).size() == 2);
    CHECK(of_semester(rows, {20223}).size() == 1);
    CHECK(of_term(rows, found[2]).size() == 1);
}

TEST_CASE("ordinals and codes of semesters belong together") {
    struct Row {
        int angkatan, kode, ke;  // ke 0: none
    };
    const std::vector<Row> table{{2022, 20221, 1},  {2022, 20222, 2}, {2022, 20223, 2}, {2022, 20231, 3},
                                 {2022, 20282, 14}, {2022, 20291, 0}, {2022, 20212, 0}, {2022, 20224, 0},
                                 {2022, 20220, 0},  {2022, 1, 0}};
    for (const auto& entry : table) {
        INFO(entry.kode);
        CHECK(semester_ke(entry.angkatan, entry.kode).value_or(0) == entry.ke);
    }
    for (int ke = 1; ke <= 14; ++ke) CHECK(semester_ke(2022, kode_semester(2022, ke).value()) == ke);
}

TEST_CASE("a year that nobody begins in has no terms") {
    CHECK(semester_ke(1900, 19001) == 1);
    CHECK(semester_ke(2900, 29001) == 1);
    CHECK(kode_semester(2900, 14) == 29062);
    CHECK(kode_semester(1900, 1) == 19001);
    for (const int bad : {-2147483647, 0, 22, 1899, 2901, 2147483647}) {
        INFO(bad);
        CHECK_FALSE(semester_ke(bad, 20241));
        CHECK_FALSE(kode_semester(bad, 1));
    }
    CHECK_FALSE(semester_ke(1899, 19001));
    CHECK_FALSE(semester_ke(2901, 29011));
    CHECK_FALSE(kode_semester(2022, 0));
    CHECK_FALSE(kode_semester(2022, 15));
}

TEST_CASE("a semester in a query is an ordinal or a code and nothing else") {
    for (const auto* good : {"1", "14", "20241", "20243"}) CHECK(parse_semester(good));
    for (const auto* bad :
         {"", "0", "15", "-1", "1.5", "ganjil", "20244", "20240", "2024", "99999999999", " 1", "1 "}) {
        INFO(bad);
        CHECK_FALSE(parse_semester(bad));
    }
}

TEST_CASE("the first and the last ordinal and code are what they say") {
    CHECK(is_kode_semester(19001));
    CHECK(is_kode_semester(29993));
    for (const int bad : {0, 18993, 19000, 19004, 29990, 29994, 30001}) {
        INFO(bad);
        CHECK_FALSE(is_kode_semester(bad));
    }
    CHECK(parse_semester("19001"));
    CHECK(parse_semester("14")->matches({14, 20282}));
    CHECK_FALSE(parse_semester("14")->matches({13, 20281}));
    CHECK(parse_semester("1")->matches({1, 0}));
    CHECK(parse_semester("20282")->matches({14, 20282}));
    CHECK_FALSE(parse_semester("20282")->matches({14, 0}));
}

TEST_CASE("the sks limit follows the IPS of the last semester") {
    const std::vector<BatasSks> table{{Indeks{300}, 24}, {std::nullopt, 20}, {Indeks{0}, 12},
                                      {Indeks{250}, 21}, {Indeks{150}, 15},  {Indeks{200}, 18}};
    const std::map<int, int> expected{{400, 24}, {300, 24}, {299, 21}, {250, 21},
                                      {249, 18}, {150, 15}, {149, 12}, {0, 12}};
    for (const auto& [ips, sks] : expected) {
        INFO(ips);
        CHECK(sks_limit(table, Indeks{ips}) == sks);
    }
    CHECK(sks_limit(table, std::nullopt) == 20);
    CHECK(sks_limit({}, Indeks{400}) == 0);
    CHECK(sks_limit({}, std::nullopt) == 0);
}

TEST_CASE("the predikat compares the rounded IPK") {
    const std::vector<Predikat> table{{{301}, "sangat memuaskan"}, {{276}, "memuaskan"}, {{351}, "pujian"}};
    const std::map<int, std::string> expected{{400, "pujian"},
                                              {351, "pujian"},
                                              {350, "sangat memuaskan"},
                                              {301, "sangat memuaskan"},
                                              {300, "memuaskan"},
                                              {276, "memuaskan"},
                                              {275, ""},
                                              {0, ""}};
    for (const auto& [value, name] : expected) {
        INFO(value);
        CHECK(predikat(table, Indeks{value}).value_or("") == name);
    }
    CHECK_FALSE(predikat(table, std::nullopt));
}

TEST_CASE("the term of an enrolment comes from the wish, angkatan and the open windows") {
    const std::vector<MasaKrs> open{{20231, false}, {20223, true}, {20222, true}, {20221, false}};
    const std::vector<MasaKrs> closed{{20222, false}};
    const std::optional<int> none;
    struct Row {
        std::string name;
        Permintaan wish;
        std::optional<int> angkatan;
        std::vector<MasaKrs> masa;
        Keputusan expected;
        Semester semester;
    };
    const std::vector<Row> table{
        {"the newest open one", {none, none, true}, 2022, open, Keputusan::boleh, {2, 20223}},
        {"an open one by its code", {none, 20222, true}, 2022, open, Keputusan::boleh, {2, 20222}},
        {"a closed one by its code", {none, 20231, true}, 2022, open, Keputusan::tidak_dibuka, {}},
        {"one without a window", {none, 20241, true}, 2022, open, Keputusan::tidak_dibuka, {}},
        {"nothing is open", {none, none, true}, 2022, closed, Keputusan::tidak_dibuka, {}},
        {"nothing is open, and angkatan is not known",
         {none, 20222, true},
         none,
         closed,
         Keputusan::tidak_dibuka,
         {}},
        {"angkatan is not known", {none, none, true}, none, open, Keputusan::semester_tidak_jelas, {}},
        {"begun after that term", {none, 20222, true}, 2023, open, Keputusan::semester_tidak_jelas, {}},
        {"an admin needs no window", {none, 20231, false}, 2022, closed, Keputusan::boleh, {3, 20231}},
        {"an admin by the ordinal", {5, none, false}, 2022, closed, Keputusan::boleh, {5, 20241}},
        {"the ordinal given beats the derived one",
         {7, 20231, false},
         2022,
         closed,
         Keputusan::boleh,
         {7, 20231}},
        {"an ordinal serves where angkatan is not known",
         {7, 20231, false},
         none,
         closed,
         Keputusan::boleh,
         {7, 20231}},
        {"an ordinal without angkatan takes the open term",
         {7, none, false},
         none,
         open,
         Keputusan::boleh,
         {7, 20223}},
        {"an admin, and nothing says the term",
         {none, none, false},
         2022,
         closed,
         Keputusan::semester_tidak_jelas,
         {}},
        {"the fifteenth semester", {none, 20291, false}, 2022, open, Keputusan::semester_tidak_jelas, {}},
    };
    for (const auto& entry : table) {
        INFO(entry.name);
        const auto result = target_term(entry.wish, entry.angkatan, entry.masa);
        CHECK(result.keputusan == entry.expected);
        CHECK(result.semester == entry.semester);
    }
}

TEST_CASE("places, drops and courses that are not there are decided") {
    CHECK(decide_place(std::nullopt, 1'000'000) == Keputusan::boleh);
    CHECK(decide_place(3, 2) == Keputusan::boleh);
    CHECK(decide_place(3, 3) == Keputusan::penuh);
    CHECK(decide_place(3, 4) == Keputusan::penuh);
    CHECK(decide_place(0, 0) == Keputusan::penuh);

    const std::vector<MasaKrs> masa{{20222, false}, {20221, true}};
    CHECK(decide_drop(false, true, 20221, masa) == Keputusan::boleh);
    CHECK(decide_drop(false, true, 20222, masa) == Keputusan::tidak_dibuka);
    CHECK(decide_drop(false, true, 20231, masa) == Keputusan::tidak_dibuka);
    CHECK(decide_drop(false, false, 20222, masa) == Keputusan::boleh);
    CHECK(decide_drop(true, false, 20221, masa) == Keputusan::sudah_dinilai);
    CHECK(decide_drop(true, true, 20222, masa) == Keputusan::sudah_dinilai);

    const auto result = decide({}, "x", std::nullopt, {1, 20221}, {{std::nullopt, 20}}, Rounding::half_up);
    CHECK(result.keputusan == Keputusan::mata_kuliah_tidak_ada);
}

TEST_CASE("an enrolment is decided by the term's courses and the IPS before it") {
    const std::vector<BatasSks> table{{std::nullopt, 20}, {Indeks{0}, 12}, {Indeks{300}, 24}};
    const Semester second{2, 20222};
    struct Row {
        std::string name;
        Studi rows;
        std::string kode;
        int sks;
        Keputusan expected;
        int limit, taken;
    };
    const std::vector<Row> cases{
        {"a freshman", {}, "x", 20, Keputusan::boleh, 20, 0},
        {"a freshman with too much", {}, "x", 21, Keputusan::lewat_batas_sks, 20, 0},
        {"good marks", {row("a", 3, "A", 1), row("b", 20, nullptr, 2)}, "x", 4, Keputusan::boleh, 24, 20},
        {"one sks too many",
         {row("a", 3, "A", 1), row("b", 20, nullptr, 2)},
         "x",
         5,
         Keputusan::lewat_batas_sks,
         24,
         20},
        {"bad marks", {row("a", 3, "D", 1)}, "x", 13, Keputusan::lewat_batas_sks, 12, 0},
        {"a repeat is no duplicate", {row("a", 3, "D", 1)}, "a", 3, Keputusan::boleh, 12, 0},
        {"the same again", {row("a", 3, nullptr, 2)}, "a", 3, Keputusan::sudah_diambil, 20, 3},
        {"the same with an ordinal set by hand",
         {row("a", 3, nullptr, 5, 20222)},
         "a",
         3,
         Keputusan::sudah_diambil,
         20,
         3},
        {"the same, and too much besides",
         {row("a", 20, nullptr, 2)},
         "a",
         3,
         Keputusan::sudah_diambil,
         20,
         20},
        {"rows without a code are of the term with their ordinal",
         {without_code(row("a", 3, nullptr, 2)), without_code(row("b", 3, "D", 1))},
         "a",
         3,
         Keputusan::sudah_diambil,
         12,
         3},
        {"the short term has the even one's ordinal and is another term",
         {row("a", 3, nullptr, 2, 20223)},
         "a",
         20,
         Keputusan::boleh,
         20,
         0},
        {"marks of this and later terms say nothing",
         {row("a", 3, "A", 2), row("b", 3, "A", 3)},
         "x",
         18,
         Keputusan::lewat_batas_sks,
         20,
         3},
    };
    for (const auto& entry : cases) {
        INFO(entry.name);
        const auto result = decide(entry.rows, entry.kode, entry.sks, second, table, Rounding::half_up);
        CHECK(result.keputusan == entry.expected);
        CHECK(result.batas_sks == entry.limit);
        CHECK(result.sks_terambil == entry.taken);
    }
}

TEST_CASE("only the student, dosen and admin see a student's data") {
    struct Row {
        const char* role;
        const char* own_nim;
        bool read, list, enrol;
    };
    const std::vector<Row> table{
        {"admin", "", true, true, true},           {"dosen", "", true, true, false},
        {"mahasiswa", "22001", true, false, true}, {"mahasiswa", "22002", false, false, false},
        {"mahasiswa", "", false, false, false},    {"", "22001", false, false, false},
        {"Admin", "22001", false, false, false},   {"user", "22001", false, false, false},
        {"dosen", "22001", true, true, false},
    };
    for (const auto& entry : table) {
        INFO(entry.role << " " << entry.own_nim);
        const Pelaku pelaku{"u", parse_peran(entry.role), entry.own_nim, ""};
        CHECK(may_read(pelaku, "22001") == entry.read);
        CHECK(may_list_all(pelaku) == entry.list);
        CHECK(may_enrol(pelaku, "22001") == entry.enrol);
    }
    CHECK_FALSE(may_read({"u", Peran::mahasiswa, "", ""}, ""));
}
