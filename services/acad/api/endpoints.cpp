#include "services/acad/api/endpoints.hpp"

#include "services/acad/api/ekspor.hpp"
#include "services/acad/api/health.hpp"
#include "services/acad/api/impor.hpp"
#include "services/acad/api/ips.hpp"
#include "services/acad/api/krs.hpp"
#include "services/acad/api/mahasiswa.hpp"
#include "services/acad/api/mata_kuliah.hpp"
#include "services/acad/api/nilai.hpp"
#include "services/acad/api/periode.hpp"
#include "services/acad/api/skala.hpp"
#include "services/acad/api/studi.hpp"

namespace acad::api {
namespace {

using shared::http::Access;
using shared::http::Body;
using shared::http::Rate;
using shared::http::RouteRules;

constexpr auto kOpen = Access::open();
constexpr auto kAnyRole = Access::any_token();
constexpr auto kAdmin = Access::roles({"admin"});
constexpr auto kEnrollers = Access::roles({"admin", "mahasiswa"});
constexpr auto kGraders = Access::roles({"admin", "dosen"});

constexpr RouteRules kProbe{.query = shared::http::kAnyQuery, .before_ready = true, .at_once = true};
constexpr RouteRules kJson{.body = Body::json};
// As long as BODY_LIMIT_BYTES says.
constexpr RouteRules kCsv{.query = "dry_run",
                          .body = Body::streamed,
                          .content_type = "text/csv",
                          .body_limit_bytes = shared::http::kServerLimit,
                          .rate = Rate::costly};
constexpr RouteRules kExport{.rate = Rate::costly};

constexpr shared::http::Endpoint<Context> kEndpoints[] = {
    {"GET", "/health", kOpen, health, kProbe},
    {"GET", "/api/acad/health", kOpen, health, kProbe},
    {"GET", "/livez", kOpen, live, kProbe},
    {"GET", "/metrics", kOpen, metrics, kProbe},

    {"GET", "/api/acad/ips", kAnyRole, get_ips, {.query = "nim semester"}},

    {"GET", "/api/acad/mahasiswa", kAnyRole, list_mahasiswa, {.query = "q jurusan angkatan nim limit after"}},
    {"POST", "/api/acad/mahasiswa", kAdmin, create_row<kMahasiswa>, kJson},
    {"GET", "/api/acad/mahasiswa/{nim}", kAnyRole, get_mahasiswa},
    {"PUT", "/api/acad/mahasiswa/{nim}", kAdmin, replace_row<kMahasiswa>, kJson},
    {"DELETE", "/api/acad/mahasiswa/{nim}", kAdmin, remove_row<kMahasiswa>},
    {"GET", "/api/acad/mahasiswa/{nim}/khs", kAnyRole, get_khs, {.query = "semester"}},
    {"GET", "/api/acad/mahasiswa/{nim}/transkrip", kAnyRole, get_transkrip},
    {"GET", "/api/acad/mahasiswa/{nim}/riwayat", kAnyRole, get_riwayat},

    {"GET", "/api/acad/mata_kuliah", kAnyRole, list_rows<kMataKuliah>, {.query = "q limit after"}},
    {"POST", "/api/acad/mata_kuliah", kAdmin, create_row<kMataKuliah>, kJson},
    {"GET", "/api/acad/mata_kuliah/{kode_mk}", kAnyRole, get_row<kMataKuliah>},
    {"PUT", "/api/acad/mata_kuliah/{kode_mk}", kAdmin, replace_row<kMataKuliah>, kJson},
    {"DELETE", "/api/acad/mata_kuliah/{kode_mk}", kAdmin, remove_row<kMataKuliah>},

    {"GET", "/api/acad/krs", kAnyRole, list_krs, {.query = "nim kode_mk semester limit after"}},
    {"POST", "/api/acad/krs", kEnrollers, create_krs, kJson},
    {"GET", "/api/acad/krs/{id}", kAnyRole, get_krs},
    {"DELETE", "/api/acad/krs/{id}", kEnrollers, remove_krs},
    {"PUT", "/api/acad/krs/{id}/nilai", kGraders, put_nilai, kJson},
    {"GET", "/api/acad/krs/{id}/nilai/riwayat", kGraders, list_nilai_changes},

    {"GET", "/api/acad/periode_krs", kAnyRole, list_periode},
    {"PUT", "/api/acad/periode_krs/{kode_semester}", kAdmin, put_periode, kJson},
    {"GET", "/api/acad/skala_nilai", kAnyRole, list_skala},
    {"PUT", "/api/acad/skala_nilai", kAdmin, put_skala, kJson},

    {"POST", "/api/acad/impor/mahasiswa", kAdmin, import_rows<kMahasiswa>, kCsv},
    {"POST", "/api/acad/impor/mata_kuliah", kAdmin, import_rows<kMataKuliah>, kCsv},
    {"POST", "/api/acad/impor/krs", kAdmin, import_krs, kCsv},
    {"GET", "/api/acad/ekspor/mahasiswa", kAdmin, export_rows<kMahasiswa>, kExport},
    {"GET", "/api/acad/ekspor/mata_kuliah", kAdmin, export_rows<kMataKuliah>, kExport},
    {"GET", "/api/acad/ekspor/krs", kAdmin, export_krs, kExport},
    {"GET", "/api/acad/ekspor/akm", kAdmin, export_akm, kExport},
};

}  // namespace

std::span<const shared::http::Endpoint<Context>> endpoints() {
    return kEndpoints;
}

shared::http::Router make_router(Context& context, std::function<bool()> ready) {
    return shared::http::make_router(kEndpoints, context, std::move(ready));
}

}  // namespace acad::api
