#include "services/acad/domain/semester.hpp"

#include <algorithm>

#include "shared/base/text.hpp"

namespace acad::domain {

bool is_kode_semester(int value) {
    return value >= 19000 && value < 30000 && value % 10 >= 1 && value % 10 <= 3;
}

bool is_angkatan(int year) {
    return year >= 1900 && year <= 2900;
}

std::optional<int> semester_ke(int angkatan, int kode_semester) {
    if (!is_angkatan(angkatan) || !is_kode_semester(kode_semester)) return std::nullopt;
    const int ke = (kode_semester / 10 - angkatan) * 2 + std::min(kode_semester % 10, 2);
    if (ke < 1 || ke > kLastOrdinal) return std::nullopt;
    return ke;
}

std::optional<int> kode_semester(int angkatan, int semester_ke) {
    if (!is_angkatan(angkatan) || semester_ke < 1 || semester_ke > kLastOrdinal) return std::nullopt;
    return (angkatan + (semester_ke - 1) / 2) * 10 + (semester_ke % 2 == 1 ? 1 : 2);
}

std::optional<SemesterQuery> parse_semester(std::string_view text) {
    const int value = shared::parse_number<int>(text).value_or(0);
    if ((value >= 1 && value <= kLastOrdinal) || is_kode_semester(value)) return SemesterQuery{value};
    return std::nullopt;
}

}  // namespace acad::domain
