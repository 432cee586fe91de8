// /api/acad/mahasiswa: the students. A mahasiswa sees the own row only.
#pragma once

#include "services/acad/api/resource.hpp"
#include "services/acad/store/mahasiswa.hpp"

namespace acad::api {

inline constexpr Resource kMahasiswa{
    .table = store::kMahasiswa,
    .path = "/api/acad/mahasiswa",
    .key_name = "NIM",
    .not_found_code = "mahasiswa_not_found",
    .not_found = "Data mahasiswa tidak ditemukan",
    .taken = "Mahasiswa dengan NIM ini sudah ada",
    .in_use = "Mahasiswa masih memiliki KRS",
    .personal = true,
};

Reply list_mahasiswa(Context& context, Request& request);
Reply get_mahasiswa(Context& context, Request& request);

}  // namespace acad::api
