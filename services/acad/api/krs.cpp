#include "services/acad/api/krs.hpp"

#include "shared/base/text.hpp"
#include "shared/http/answers.hpp"
#include "shared/http/etag.hpp"

namespace acad::api {

namespace http = shared::http;
using shared::json::FieldError;
using shared::json::ObjectReader;

namespace {

constexpr std::size_t kNimLength = shared::domain::Nim::kMaxLength;

void write(shared::json::Writer& writer, const store::Krs& row) {
    writer.object([&] {
        writer.member("id_krs", row.id_krs);
        writer.member("nim", row.nim);
        writer.member("kode_mk", row.kode_mk);
        writer.member("nama_mk", row.nama_mk);
        writer.member("sks", row.sks);
        write_semester(writer, row.semester);
        writer.member("nilai", row.nilai);
    });
}

Response refusal(const domain::Pendaftaran& pendaftaran) {
    using domain::Keputusan;
    switch (pendaftaran.keputusan) {
        case Keputusan::mahasiswa_tidak_ada:
            return mahasiswa_not_found();
        case Keputusan::mata_kuliah_tidak_ada:
            return http::validation_failed({{"/kode_mk", "mata kuliah tidak ditemukan"}});
        case Keputusan::tidak_dibuka:
            return http::conflict("krs_closed", "Masa pengisian KRS untuk semester ini tidak dibuka");
        case Keputusan::semester_tidak_jelas:
            return http::validation_failed(
                {{"/kode_semester", "semester tidak dapat ditentukan, isi kode_semester"}});
        case Keputusan::sudah_diambil:
            return http::conflict("already_enrolled", "Mata kuliah ini sudah diambil");
        case Keputusan::lewat_batas_sks:
            return http::conflict("sks_limit_exceeded", "Batas " + std::to_string(pendaftaran.batas_sks) +
                                                            " SKS terlampaui, sudah diambil " +
                                                            std::to_string(pendaftaran.sks_terambil) +
                                                            " SKS");
        case Keputusan::penuh:
            return http::conflict("class_full", "Kuota mata kuliah ini sudah penuh");
        case Keputusan::bukan_haknya:
            return http::forbidden();
        case Keputusan::sudah_dinilai:
            return http::conflict("already_graded", "KRS yang sudah dinilai tidak dapat dihapus");
        case Keputusan::boleh:
            break;
    }
    return http::internal_error();
}

store::Enrolment read(const rapidjson::Value& body, const domain::Pelaku& pelaku,
                      std::vector<FieldError>& errors) {
    store::Enrolment enrolment;
    auto& wish = enrolment.wish;
    ObjectReader in(body, errors);
    const bool admin = pelaku.is(domain::Peran::admin);
    wish.hanya_saat_dibuka = !admin;
    enrolment.nim = admin ? in.required_text("nim", {.max_length = kNimLength})
                          : in.optional_text("nim", {.max_length = kNimLength}).value_or(pelaku.nim);
    enrolment.kode_mk = in.required_text("kode_mk", {.max_length = 10});
    if (const auto kode = in.optional_integer("kode_semester", 0, 99999)) {
        wish.kode_semester = static_cast<int>(*kode);
        if (!domain::is_kode_semester(*wish.kode_semester))
            in.error("kode_semester", "harus kode seperti 20241");
    }
    // The ordinal is for people who know better than angkatan does (leave, transfer): admin only.
    if (const auto ke = in.optional_integer("semester", 1, domain::kLastOrdinal)) {
        wish.semester_ke = static_cast<int>(*ke);
        if (!admin) in.error("semester", "hanya dapat diisi oleh admin, isi kode_semester");
    }
    in.finish();
    return enrolment;
}

}  // namespace

Response one_krs(const Request& request, unsigned status, const store::Krs& row) {
    shared::json::Writer writer;
    write(writer, row);
    return http::versioned(request, http::private_json(status, writer.str()), row.versi);
}

Response krs_not_found() {
    return http::not_found("krs_not_found", "KRS tidak ditemukan");
}

http::Refused<std::int64_t> krs_id(const Request& request) {
    const auto id = shared::parse_number<std::int64_t>(request.param("id"));
    if (!id || *id <= 0) return krs_not_found();
    return *id;
}

boost::asio::awaitable<http::Refused<store::Krs>> existing_krs(Context& context, Request& request) {
    auto id = krs_id(request);
    if (!id) co_return id.error();
    auto row = co_await context.krs.find(*id);
    if (!row) co_return database_failed(row.error());
    if (!*row) co_return krs_not_found();
    co_return std::move(**row);
}

Reply list_krs(Context& context, Request& request) {
    const auto pelaku = pelaku_of(request);
    http::Query query(request);
    store::KrsFilter filter;
    filter.nim = query.text("nim", kNimLength);
    filter.kode_mk = query.text("kode_mk", 10);
    filter.semester = read_semester(query, request);
    filter.after = query.after_id();
    const int limit = query.limit();
    if (!query.ok()) co_return query.refusal();
    if (!domain::may_list_all(pelaku)) {
        if (pelaku.is(domain::Peran::mahasiswa) && pelaku.nim.empty()) co_return no_nim();
        if (!filter.nim) filter.nim = pelaku.nim;
        if (!domain::may_read(pelaku, *filter.nim)) co_return http::forbidden();
    }
    filter.limit = limit + 1;  // one more tells whether there is a next page
    auto rows = co_await context.krs.list(std::move(filter));
    if (!rows) co_return database_failed(rows.error());
    const bool more = http::cut_to_page(*rows, limit);
    shared::json::Writer writer;
    writer.array([&] {
        for (const auto& row : *rows) write(writer, row);
    });
    auto response = http::private_json(200, writer.str());
    if (more) http::next_page(response, request, std::to_string(rows->back().id_krs));
    co_return response;
}

Reply get_krs(Context& context, Request& request) {
    auto row = co_await existing_krs(context, request);
    if (!row) co_return row.error();
    if (!domain::may_read(pelaku_of(request), row->nim)) co_return http::forbidden();
    co_return one_krs(request, 200, *row);
}

Reply create_krs(Context& context, Request& request) {
    const auto pelaku = pelaku_of(request);
    auto body = http::read_json_body(request);
    if (body.refusal) co_return std::move(*body.refusal);
    std::vector<FieldError> errors;
    auto enrolment = read(body.document, pelaku, errors);
    if (!errors.empty()) co_return http::validation_failed(std::move(errors));
    if (enrolment.nim.empty()) co_return no_nim();
    if (!domain::may_enrol(pelaku, enrolment.nim)) co_return http::forbidden();

    const auto result = co_await context.krs.enrol(pelaku, std::move(enrolment));
    if (!result) co_return database_failed(result.error());
    if (!result->row) co_return refusal(result->pendaftaran);
    auto response = one_krs(request, 201, *result->row);
    response.with("Location", "/api/acad/krs/" + std::to_string(result->row->id_krs));
    co_return response;
}

Reply remove_krs(Context& context, Request& request) {
    auto id = krs_id(request);
    if (!id) co_return id.error();
    const auto result = co_await context.krs.remove(pelaku_of(request), *id, allowed_versions(request));
    if (!result) co_return database_failed(result.error());
    if (result->outcome == store::Outcome::not_found) co_return krs_not_found();
    if (result->outcome == store::Outcome::stale) co_return http::stale();
    domain::Pendaftaran decision;
    decision.keputusan = result->keputusan;
    if (decision.keputusan != domain::Keputusan::boleh) co_return refusal(decision);
    co_return http::no_content();
}

}  // namespace acad::api
