#include "services/acad/domain/studi.hpp"

#include <algorithm>
#include <iterator>

namespace acad::domain {
namespace {

template <class Keep>
Studi filter(const Studi& rows, Keep keep) {
    Studi kept;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept), keep);
    return kept;
}

bool has_result(const Pengambilan& row) {
    return row.counts() || row.lulus;
}

// Whether a later attempt takes the place of an earlier one.
bool replaces(const Pengambilan& later, const Pengambilan& earlier, RepeatRule rule) {
    if (!has_result(earlier)) return true;
    if (!has_result(later)) return false;
    if (rule == RepeatRule::last) return true;
    // A weight beats a bare pass only if it passes too; among weights the higher one wins, and the later of
    // equals.
    if (later.lulus != earlier.lulus) return later.lulus;
    return later.bobot_ratus.value_or(0) >= earlier.bobot_ratus.value_or(0);
}

}  // namespace

std::optional<RepeatRule> parse_repeat_rule(std::string_view name) {
    if (name == "best") return RepeatRule::best;
    if (name == "last") return RepeatRule::last;
    return std::nullopt;
}

std::optional<Indeks> ip(const Studi& rows, Rounding rounding) {
    std::int64_t mutu = 0;
    std::int64_t sks = 0;
    for (const auto& row : rows) {
        if (!row.counts()) continue;
        mutu += std::int64_t{*row.sks} * *row.bobot_ratus;
        sks += *row.sks;
    }
    if (sks <= 0) return std::nullopt;
    return divide(mutu, sks, rounding);
}

Studi of_semester(const Studi& rows, SemesterQuery query) {
    return filter(rows, [&](const auto& row) { return query.matches(row.semester); });
}

Studi of_term(const Studi& rows, const Semester& term) {
    return filter(rows, [&](const auto& row) { return row.semester == term; });
}

Studi until(const Studi& rows, const Semester& term) {
    return filter(rows, [&](const auto& row) { return row.semester <= term; });
}

Studi without_repeats(const Studi& rows, RepeatRule rule) {
    Studi ordered = rows;
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const auto& a, const auto& b) { return a.semester < b.semester; });
    Studi chosen;
    for (auto& row : ordered) {
        const auto same = std::find_if(chosen.begin(), chosen.end(),
                                       [&](const auto& other) { return other.kode_mk == row.kode_mk; });
        if (same == chosen.end()) {
            chosen.push_back(std::move(row));
        } else if (replaces(row, *same, rule)) {
            *same = std::move(row);
        }
    }
    return chosen;
}

std::vector<Semester> terms(const Studi& rows) {
    std::vector<Semester> found;
    for (const auto& row : rows) found.push_back(row.semester);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

std::optional<Semester> latest_graded_term(const Studi& rows) {
    std::optional<Semester> latest;
    for (const auto& row : rows) {
        if (row.counts() && *row.sks > 0 && (!latest || *latest < row.semester)) latest = row.semester;
    }
    return latest;
}

std::optional<Indeks> ipk(const Studi& rows, const Ketentuan& ketentuan) {
    return ip(without_repeats(rows, ketentuan.repeat), ketentuan.rounding);
}

int sks_lulus(const Studi& rows, RepeatRule rule) {
    int sum = 0;
    for (const auto& row : without_repeats(rows, rule)) {
        if (row.lulus) sum += row.sks.value_or(0);
    }
    return sum;
}

int sks_taken(const Studi& rows) {
    int sum = 0;
    for (const auto& row : rows) sum += row.sks.value_or(0);
    return sum;
}

int sks_limit(const std::vector<BatasSks>& table, std::optional<Indeks> ips) {
    const BatasSks* best = nullptr;
    for (const auto& row : table) {
        if (row.ips_min.has_value() != ips.has_value()) continue;
        if (ips && *row.ips_min > *ips) continue;
        if (best == nullptr || *row.ips_min > *best->ips_min) best = &row;
    }
    return best == nullptr ? 0 : best->sks_maks;
}

std::optional<std::string> predikat(const std::vector<Predikat>& table, std::optional<Indeks> ipk) {
    if (!ipk) return std::nullopt;
    const Predikat* best = nullptr;
    for (const auto& row : table) {
        if (row.ipk_min > *ipk) continue;
        if (best == nullptr || row.ipk_min > best->ipk_min) best = &row;
    }
    if (best == nullptr) return std::nullopt;
    return best->nama;
}

}  // namespace acad::domain
