// The two ways a semester is written: the ordinal of a student's studies (1..14) and the code YYYYS of the
// term (20241 ganjil, 20242 genap, 20243 pendek).
#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace acad::domain {

inline constexpr int kLastOrdinal = 14;

// Both are 0 where they are not known (rows of the first release). Ordered in time: a short term follows the
// even one and shares its ordinal.
struct Semester {
    int ke = 0;
    int kode = 0;
    auto operator<=>(const Semester&) const = default;
};

bool is_kode_semester(int value);
// The years that a new row may have; rows of the first release may have others, which say nothing about
// terms.
bool is_angkatan(int year);

// The formula between angkatan, ordinal and code, the same as the functions of this name in
// sql/acad/0006_semester_nim.sql. The ordinal of a term for somebody who began in `angkatan`; nullopt
// outside 1..14.
std::optional<int> semester_ke(int angkatan, int kode_semester);
// The regular term of an ordinal 1..14: 3 for angkatan 2022 is 20231.
std::optional<int> kode_semester(int angkatan, int semester_ke);

// What a caller asks for by ?semester=: "3" or "20231". nullopt: neither.
struct SemesterQuery {
    int value = 0;
    bool matches(const Semester& semester) const {
        return value <= kLastOrdinal ? semester.ke == value : semester.kode == value;
    }
};
std::optional<SemesterQuery> parse_semester(std::string_view text);

}  // namespace acad::domain
