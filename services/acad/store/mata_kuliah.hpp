// Table mata_kuliah: the catalogue. A change of sks leaves what was enrolled as it was.
#pragma once

#include "services/acad/store/table.hpp"

namespace acad::store {

inline constexpr Column kMataKuliahColumns[] = {
    kode_column("kode_mk"), text_column("nama_mk", 100), number_column("sks", 0, 24),
    optional(number_column("kuota", 0, 100'000)),  // places in a term; NULL: no limit
};
inline constexpr Filter kMataKuliahFilters[] = {
    {text_column("q", 100), "nama_mk ILIKE $ OR kode_mk ILIKE $", true},
};
inline constexpr Table kMataKuliah{"mata_kuliah", kMataKuliahColumns, kMataKuliahFilters};

}  // namespace acad::store
