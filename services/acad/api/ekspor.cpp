#include "services/acad/api/ekspor.hpp"

#include "services/acad/api/csv.hpp"
#include "services/acad/store/mahasiswa.hpp"

namespace acad::api {

namespace {

// Read page by page, so that one export neither holds a snapshot of the table nor a long statement.
constexpr int kPage = 2000;
constexpr int kStudentsPage = 200;

std::string number(std::optional<int> value) {
    return value && *value != 0 ? std::to_string(*value) : "";
}

Response csv(CsvWriter& writer, std::string_view name) {
    Response response(200);
    response.content_type = "text/csv; charset=utf-8; header=present";
    response.body = writer.take();
    response.with("Cache-Control", "no-store");
    response.with("Content-Disposition", "attachment; filename=\"" + std::string(name) + ".csv\"");
    return response;
}

}  // namespace

Reply export_csv(Context& context, const store::Table& table) {
    CsvWriter writer;
    for (const auto& column : table.columns) writer.value(column.name);
    writer.end_row();
    store::RecordFilter filter;
    filter.limit = kPage;
    while (true) {
        const auto rows = co_await context.records.list(table, filter);
        if (!rows) co_return database_failed(rows.error());
        for (const auto& row : *rows) {
            for (std::size_t i = 0; i < table.columns.size(); ++i) {
                const auto text = row.values[i].value_or("");
                table.columns[i].kind == store::Kind::text ? writer.text(text) : writer.value(text);
            }
            writer.end_row();
        }
        if (rows->size() < static_cast<std::size_t>(kPage)) break;
        filter.after = rows->back().key();
    }
    co_return csv(writer, table.name);
}

Reply export_krs(Context& context, Request&) {
    CsvWriter writer;
    writer.value("nim").value("kode_mk").value("semester").value("kode_semester").value("nilai").end_row();
    store::KrsFilter filter;
    filter.limit = kPage;
    while (true) {
        const auto rows = co_await context.krs.list(filter);
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

Reply export_akm(Context& context, Request&) {
    CsvWriter writer;
    writer.value("nim").value("nama").value("jurusan").value("semester").value("kode_semester").value("ips");
    writer.value("sks_semester").value("ipk").value("sks_total").end_row();
    store::RecordFilter filter;
    filter.limit = kStudentsPage;
    while (true) {
        const auto students = co_await context.records.list(store::kMahasiswa, filter);
        if (!students) co_return database_failed(students.error());
        std::vector<std::string> page;
        for (const auto& row : *students) page.push_back(row.key());
        const auto records = co_await context.studi.find_many(page);
        if (!records) co_return database_failed(records.error());
        for (const auto& rekam : *records) {
            for (const auto& term : domain::terms(rekam.studi)) {
                const auto rows = domain::of_term(rekam.studi, term);
                const auto so_far = domain::until(rekam.studi, term);
                const auto ips = domain::ip(rows, context.ketentuan.rounding);
                const auto ipk = domain::ipk(so_far, context.ketentuan);
                writer.value(rekam.mahasiswa.nim).text(rekam.mahasiswa.nama).text(rekam.mahasiswa.jurusan);
                writer.value(number(term.ke)).value(number(term.kode));
                writer.value(ips ? domain::to_decimal(*ips) : "")
                    .value(std::to_string(domain::sks_taken(rows)));
                writer.value(ipk ? domain::to_decimal(*ipk) : "");
                writer.value(std::to_string(domain::sks_lulus(so_far, context.ketentuan.repeat))).end_row();
            }
        }
        if (students->size() < static_cast<std::size_t>(kStudentsPage)) break;
        filter.after = students->back().key();
    }
    co_return csv(writer, "akm");
}

}  // namespace acad::api
