#include "services/acad/domain/pendaftaran.hpp"

#include <algorithm>

namespace acad::domain {
namespace {

// By the code where both have one: an ordinal may have been set by hand.
bool same_term(const Semester& a, const Semester& b) {
    return a.kode != 0 && b.kode != 0 ? a.kode == b.kode : a.ke == b.ke;
}

bool is_open(const std::vector<MasaKrs>& masa, int kode_semester) {
    return std::any_of(masa.begin(), masa.end(),
                       [&](const auto& row) { return row.terbuka && row.kode_semester == kode_semester; });
}

std::optional<int> newest_open(const std::vector<MasaKrs>& masa) {
    const auto open = std::find_if(masa.begin(), masa.end(), [](const auto& row) { return row.terbuka; });
    if (open == masa.end()) return std::nullopt;
    return open->kode_semester;
}

// nullopt: the wish and angkatan do not say it.
std::optional<Semester> term_of(const Permintaan& wish, std::optional<int> angkatan,
                                const std::vector<MasaKrs>& masa) {
    auto kode = wish.kode_semester;
    if (!kode)
        kode = wish.semester_ke && angkatan ? kode_semester(*angkatan, *wish.semester_ke) : newest_open(masa);
    if (!kode) return std::nullopt;
    const auto ke = wish.semester_ke || !angkatan ? wish.semester_ke : semester_ke(*angkatan, *kode);
    if (!ke) return std::nullopt;
    return Semester{*ke, *kode};
}

}  // namespace

Tujuan target_term(const Permintaan& wish, std::optional<int> angkatan, const std::vector<MasaKrs>& masa) {
    const auto term = term_of(wish, angkatan, masa);
    if (!wish.hanya_saat_dibuka)
        return term ? Tujuan{Keputusan::boleh, *term} : Tujuan{Keputusan::semester_tidak_jelas, {}};
    // To a student, a time without any window is "closed", not "unclear".
    if (!term && newest_open(masa)) return {Keputusan::semester_tidak_jelas, {}};
    if (!term || !is_open(masa, term->kode)) return {Keputusan::tidak_dibuka, {}};
    return {Keputusan::boleh, *term};
}

Pendaftaran decide(const Studi& rows, const std::string& kode_mk, std::optional<int> sks,
                   const Semester& target, const std::vector<BatasSks>& table, Rounding rounding) {
    Pendaftaran result;
    if (!sks) {
        result.keputusan = Keputusan::mata_kuliah_tidak_ada;
        return result;
    }
    Studi current;
    Studi earlier;
    for (const auto& row : rows) {
        if (same_term(row.semester, target)) {
            current.push_back(row);
        } else if (row.semester < target) {
            earlier.push_back(row);
        }
    }
    std::optional<Indeks> last_ips;
    if (const auto last = latest_graded_term(earlier)) last_ips = ip(of_term(earlier, *last), rounding);

    result.batas_sks = sks_limit(table, last_ips);
    result.sks_terambil = sks_taken(current);
    const bool taken =
        std::any_of(current.begin(), current.end(), [&](const auto& row) { return row.kode_mk == kode_mk; });
    if (taken) {
        result.keputusan = Keputusan::sudah_diambil;
    } else if (result.sks_terambil + *sks > result.batas_sks) {
        result.keputusan = Keputusan::lewat_batas_sks;
    }
    return result;
}

Keputusan decide_place(std::optional<std::int64_t> kuota, std::int64_t taken) {
    return kuota && taken >= *kuota ? Keputusan::penuh : Keputusan::boleh;
}

Keputusan decide_drop(bool graded, bool only_while_open, int kode_semester,
                      const std::vector<MasaKrs>& masa) {
    if (graded) return Keputusan::sudah_dinilai;
    if (only_while_open && !is_open(masa, kode_semester)) return Keputusan::tidak_dibuka;
    return Keputusan::boleh;
}

}  // namespace acad::domain
