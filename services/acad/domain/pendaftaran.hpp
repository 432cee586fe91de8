// Whether a student may take one more course. The caller holds the student's row, so that nothing changes
// between this decision and the insert.
#pragma once

#include "services/acad/domain/studi.hpp"

namespace acad::domain {

enum class Keputusan {
    boleh,
    sudah_diambil,    // the same course in the same term
    lewat_batas_sks,  // more sks than the last IPS allows
};

struct Pendaftaran {
    Keputusan keputusan = Keputusan::boleh;
    int batas_sks = 0;
    int sks_terambil = 0;  // in that term, without the new course
};

Pendaftaran decide(const Studi& rows, const std::string& kode_mk, int sks, const Semester& target,
                   const std::vector<BatasSks>& table, Rounding rounding);

}  // namespace acad::domain
