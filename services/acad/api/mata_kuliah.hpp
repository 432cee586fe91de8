// /api/acad/mata_kuliah: the catalogue.
#pragma once

#include "services/acad/api/resource.hpp"
#include "services/acad/store/mata_kuliah.hpp"

namespace acad::api {

inline constexpr Resource kMataKuliah{
    .table = store::kMataKuliah,
    .path = "/api/acad/mata_kuliah",
    .key_name = "kode",
    .not_found_code = "mata_kuliah_not_found",
    .not_found = "Mata kuliah tidak ditemukan",
    .taken = "Mata kuliah dengan kode ini sudah ada",
    .in_use = "Mata kuliah masih dipakai dalam KRS",
};

}  // namespace acad::api
