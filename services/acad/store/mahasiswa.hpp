// Table mahasiswa: the students.
#pragma once

#include "services/acad/store/table.hpp"

namespace acad::store {

inline constexpr Column kMahasiswaColumns[] = {
    nim_column(),
    text_column("nama", 100),
    text_column("jurusan", 50),
    number_column("angkatan", 1900, 2900),
};
inline constexpr Filter kMahasiswaFilters[] = {
    {text_column("q", 100), "nama ILIKE $ OR nim ILIKE $", true},
    {text_column("jurusan", 50), "jurusan = $"},
    {number_column("angkatan", 1, 9999), "angkatan = $::int"},
    {nim_column(), "nim = $"},
};
inline constexpr Table kMahasiswa{"mahasiswa", kMahasiswaColumns, kMahasiswaFilters};

}  // namespace acad::store
