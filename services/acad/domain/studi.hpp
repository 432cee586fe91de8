// A student's record and what is computed from it: IPS, IPK, credits, predikat, sks limit. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/acad/domain/indeks.hpp"
#include "services/acad/domain/semester.hpp"

namespace acad::domain {

// One enrolment with the meaning its grade has in the scale of its jurusan and term.
struct Pengambilan {
    std::int64_t id_krs = 0;
    std::string kode_mk;
    std::string nama_mk;
    std::optional<int> sks;  // unknown only for rows of the first release whose course is gone
    Semester semester;
    std::optional<std::string> nilai;
    std::optional<int> bobot_ratus;  // 3.75 is 375; absent for pass/fail grades and where there is no grade
    bool lulus = false;              // gives its credits
    bool masuk_ip = false;           // counts in IPS and IPK

    bool counts() const { return masuk_ip && bobot_ratus && sks; }
};
using Studi = std::vector<Pengambilan>;

// Of several attempts at one course, which one is in the IPK.
enum class RepeatRule { best, last };
std::optional<RepeatRule> parse_repeat_rule(std::string_view name);

struct Ketentuan {
    Rounding rounding = Rounding::half_up;
    RepeatRule repeat = RepeatRule::best;
};

// Σ(sks × bobot) / Σ sks over the rows that count; nullopt if there is none. A failed course (E) counts in
// the denominator, one that is not graded in neither sum.
std::optional<Indeks> ip(const Studi& rows, Rounding rounding);

// The rows of one semester, or of one term.
Studi of_semester(const Studi& rows, SemesterQuery query);
Studi of_term(const Studi& rows, const Semester& term);

// One row a course: the best or the last attempt with a result, else the last attempt. Order of the first
// attempts.
Studi without_repeats(const Studi& rows, RepeatRule rule);

// All terms in time order, and the last one that has an IPS.
std::vector<Semester> terms(const Studi& rows);
std::optional<Semester> latest_graded_term(const Studi& rows);

// Everything up to and including a term.
Studi until(const Studi& rows, const Semester& term);

std::optional<Indeks> ipk(const Studi& rows, const Ketentuan& ketentuan);
// Credits of what is passed, each course once.
int sks_lulus(const Studi& rows, RepeatRule rule);
int sks_taken(const Studi& rows);

// Tables of the university, as the database has them, in any order.
struct BatasSks {
    std::optional<Indeks> ips_min;  // nullopt: for those without an IPS
    int sks_maks = 0;
};
struct Predikat {
    Indeks ipk_min;
    std::string nama;
};
// The row with the highest limit not above the (rounded) IPS; 0 if the table has none.
int sks_limit(const std::vector<BatasSks>& table, std::optional<Indeks> ips);
std::optional<std::string> predikat(const std::vector<Predikat>& table, std::optional<Indeks> ipk);

}  // namespace acad::domain
