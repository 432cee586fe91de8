// The rules of enrolment: which term is meant, and whether a student may take or drop a course. The store
// reads the facts, in this order, and holds the student's row (and the course's, where places are limited)
// from reading to writing, so that nothing changes in between.
#pragma once

#include "services/acad/domain/studi.hpp"

namespace acad::domain {

// How a wish to take or drop a course is decided; the only list of reasons, which the API turns into answers.
enum class Keputusan {
    boleh,
    mahasiswa_tidak_ada,
    semester_tidak_jelas,  // neither given nor to be derived, or outside 1..14
    tidak_dibuka,          // students: outside the term's window
    mata_kuliah_tidak_ada,
    sudah_diambil,    // the same course in the same term
    lewat_batas_sks,  // more sks than the last IPS allows
    penuh,            // no place left in the term
    bukan_haknya,     // somebody else's enrolment
    sudah_dinilai,
};

// The window of one term, as the database's clock sees it now.
struct MasaKrs {
    int kode_semester = 0;
    bool terbuka = false;
};

// Which term somebody asks for. An ordinal that is given beats the one from angkatan.
struct Permintaan {
    std::optional<int> semester_ke;    // nullopt: from angkatan and term
    std::optional<int> kode_semester;  // nullopt: the ordinal's, else the newest open term
    bool hanya_saat_dibuka = true;     // an admin is not bound by the window
};

struct Tujuan {
    Keputusan keputusan = Keputusan::boleh;
    Semester semester;  // with `boleh`: both parts are known
};
// `masa`: newest term first.
Tujuan target_term(const Permintaan& wish, std::optional<int> angkatan, const std::vector<MasaKrs>& masa);

struct Pendaftaran {
    Keputusan keputusan = Keputusan::boleh;
    int batas_sks = 0;
    int sks_terambil = 0;  // in that term, without the new course
};
// `sks`: of the course; nullopt: there is no such course, or its sks is not known.
Pendaftaran decide(const Studi& rows, const std::string& kode_mk, std::optional<int> sks,
                   const Semester& target, const std::vector<BatasSks>& table, Rounding rounding);

// `taken`: places of that course in that term; `kuota`: nullopt for no limit.
Keputusan decide_place(std::optional<std::int64_t> kuota, std::int64_t taken);

// Dropping an enrolment of the term `kode_semester`, by somebody who may enrol that student.
Keputusan decide_drop(bool graded, bool only_while_open, int kode_semester, const std::vector<MasaKrs>& masa);

}  // namespace acad::domain
