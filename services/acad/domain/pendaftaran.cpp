#include "services/acad/domain/pendaftaran.hpp"

#include <algorithm>

namespace acad::domain {
namespace {

// By the code where both have one: an ordinal may have been set by hand.
bool same_term(const Semester& a, const Semester& b) {
    return a.kode != 0 && b.kode != 0 ? a.kode == b.kode : a.ke == b.ke;
}

}  // namespace

Pendaftaran decide(const Studi& rows, const std::string& kode_mk, int sks, const Semester& target,
                   const std::vector<BatasSks>& table, Rounding rounding) {
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

    Pendaftaran result;
    result.batas_sks = sks_limit(table, last_ips);
    result.sks_terambil = sks_taken(current);
    const bool taken =
        std::any_of(current.begin(), current.end(), [&](const auto& row) { return row.kode_mk == kode_mk; });
    if (taken) {
        result.keputusan = Keputusan::sudah_diambil;
    } else if (result.sks_terambil + sks > result.batas_sks) {
        result.keputusan = Keputusan::lewat_batas_sks;
    }
    return result;
}

}  // namespace acad::domain
