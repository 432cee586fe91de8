#include "services/acad/api/ekspor.hpp"

#include "services/acad/api/csv.hpp"

namespace acad::api {

using shared::http::Access;

namespace {

// Read page by page, so that one export neither holds a snapshot of the table nor a long statement.
constexpr int kPage = 2000;
constexpr int kStudentsPage = 200;

std::string number(std::optional<int> value) {
    return value && *value != 0 ? std::to_string(*value) : "";
}

Response csv(CsvWriter& writer, const char* name) {
    Response response(200);
    response.content_type = "text/csv; charset=utf-8; header=present";
    response.body = writer.take();
    response.with("Cache-Control", "no-store");
    response.with("Content-Disposition", std::string("attachment; filename=\"") + name + ".csv\"");
    return response;
}

}  // namespace

Ekspor::Ekspor(shared::pg::Pool& pool, domain::Ketentuan ketentuan)
    : mahasiswa_(pool), mata_kuliah_(pool), krs_(pool, ketentuan), studi_(pool), ketentuan_(ketentuan) {}

void Ekspor::routes(Routes& routes) {
    const auto admin = Access::roles({"admin"});
    const std::string base = "/api/acad/ekspor/";
    routes.add("GET", base + "mahasiswa", admin, [this](Request& request) { return mahasiswa(request); });
    routes.add("GET", base + "mata_kuliah", admin, [this](Request& request) { return mata_kuliah(request); });
    routes.add("GET", base + "krs", admin, [this](Request& request) { return krs(request); });
    routes.add("GET", base + "akm", admin, [this](Request& request) { return akm(request); });
}

Reply Ekspor::mahasiswa(Request&) {
    CsvWriter writer;
    writer.value("nim").value("nama").value("jurusan").value("angkatan").end_row();
    store::MahasiswaFilter filter;
    filter.limit = kPage;
    while (true) {
        const auto rows = co_await mahasiswa_.list(filter);
        if (!rows) co_return database_failed(rows.error());
        for (const auto& row : *rows) {
            writer.value(row.nim).text(row.nama).text(row.jurusan).value(number(row.angkatan)).end_row();
        }
        if (rows->size() < static_cast<std::size_t>(kPage)) break;
        filter.after = rows->back().nim;
    }
    co_return csv(writer, "mahasiswa");
}

Reply Ekspor::mata_kuliah(Request&) {
    CsvWriter writer;
    writer.value("kode_mk").value("nama_mk").value("sks").value("kuota").end_row();
    store::MataKuliahFilter filter;
    filter.limit = kPage;
    while (true) {
        const auto rows = co_await mata_kuliah_.list(filter);
        if (!rows) co_return database_failed(rows.error());
        for (const auto& row : *rows) {
            writer.value(row.kode_mk).text(row.nama_mk);
            writer.value(row.sks ? std::to_string(*row.sks) : "")
                .value(row.kuota ? std::to_string(*row.kuota) : "");
            writer.end_row();
        }
        if (rows->size() < static_cast<std::size_t>(kPage)) break;
        filter.after = rows->back().kode_mk;
    }
    co_return csv(writer, "mata_kuliah");
}

Reply Ekspor::krs(Request&) {
    CsvWriter writer;
    writer.value("nim").value("kode_mk").value("semester").value("kode_semester").value("nilai").end_row();
    store::KrsFilter filter;
    filter.limit = kPage;
    while (true) {
        const auto rows = co_await krs_.list(filter);
        if (!rows) co_return database_failed(rows.error());
        for (const auto& row : *rows) {
            writer.value(row.nim)
                .value(row.kode_mk)
                .value(number(row.semester.ke))
                .value(number(row.semester.kode));
            writer.value(row.nilai.value_or("")).end_row();
        }
        if (rows->size() < static_cast<std::size_t>(kPage)) break;
        filter.after = rows->back().id_krs;
    }
    co_return csv(writer, "krs");
}

Reply Ekspor::akm(Request&) {
    CsvWriter writer;
    writer.value("nim").value("nama").value("jurusan").value("semester").value("kode_semester").value("ips");
    writer.value("sks_semester").value("ipk").value("sks_total").end_row();
    store::MahasiswaFilter filter;
    filter.limit = kStudentsPage;
    while (true) {
        const auto students = co_await mahasiswa_.list(filter);
        if (!students) co_return database_failed(students.error());
        std::vector<std::string> page;
        for (const auto& row : *students) page.push_back(row.nim);
        const auto records = co_await studi_.find_many(page);
        if (!records) co_return database_failed(records.error());
        for (const auto& rekam : *records) {
            for (const auto& term : domain::terms(rekam.studi)) {
                const auto rows = domain::of_term(rekam.studi, term);
                const auto so_far = domain::until(rekam.studi, term);
                const auto ips = domain::ip(rows, ketentuan_.rounding);
                const auto ipk = domain::ipk(so_far, ketentuan_);
                writer.value(rekam.mahasiswa.nim).text(rekam.mahasiswa.nama).text(rekam.mahasiswa.jurusan);
                writer.value(number(term.ke)).value(number(term.kode));
                writer.value(ips ? domain::to_decimal(*ips) : "")
                    .value(std::to_string(domain::sks_taken(rows)));
                writer.value(ipk ? domain::to_decimal(*ipk) : "");
                writer.value(std::to_string(domain::sks_lulus(so_far, ketentuan_.repeat))).end_row();
            }
        }
        if (students->size() < static_cast<std::size_t>(kStudentsPage)) break;
        filter.after = students->back().nim;
    }
    co_return csv(writer, "akm");
}

}  // namespace acad::api
