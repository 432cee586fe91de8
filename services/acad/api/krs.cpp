#include "services/acad/api/krs.hpp"

#include <charconv>

namespace acad::api {

using shared::http::Access;
using shared::json::FieldError;
using shared::json::ObjectReader;

void write_krs(shared::json::Writer& writer, const store::Krs& row) {
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

Response krs_not_found() {
    return shared::http::problem_response(404, "krs_not_found", "KRS tidak ditemukan");
}

std::optional<std::int64_t> krs_id(const Request& request) {
    const auto& text = request.param("id");
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size() || id <= 0) return std::nullopt;
    return id;
}

namespace {

Response refusal(const domain::Pendaftaran& pendaftaran) {
    using domain::Keputusan;
    switch (pendaftaran.keputusan) {
        case Keputusan::mahasiswa_tidak_ada:
            return mahasiswa_not_found();
        case Keputusan::mata_kuliah_tidak_ada:
            return shared::http::validation_failed({{"/kode_mk", "mata kuliah tidak ditemukan"}});
        case Keputusan::tidak_dibuka:
            return conflict("krs_closed", "Masa pengisian KRS untuk semester ini tidak dibuka");
        case Keputusan::semester_tidak_jelas:
            return shared::http::validation_failed(
                {{"/kode_semester", "semester tidak dapat ditentukan, isi kode_semester"}});
        case Keputusan::sudah_diambil:
            return conflict("already_enrolled", "Mata kuliah ini sudah diambil");
        case Keputusan::lewat_batas_sks:
            return conflict("sks_limit_exceeded", "Batas " + std::to_string(pendaftaran.batas_sks) +
                                                      " SKS terlampaui, sudah diambil " +
                                                      std::to_string(pendaftaran.sks_terambil) + " SKS");
        case Keputusan::penuh:
            return conflict("class_full", "Kuota mata kuliah ini sudah penuh");
        case Keputusan::bukan_haknya:
            return forbidden();
        case Keputusan::sudah_dinilai:
            return conflict("already_graded", "KRS yang sudah dinilai tidak dapat dihapus");
        case Keputusan::boleh:
            break;
    }
    return shared::http::problem_response(500, "internal_error", "Terjadi kesalahan pada layanan");
}

store::Enrolment read(const rapidjson::Value& body, const domain::Pelaku& pelaku,
                      std::vector<FieldError>& errors) {
    store::Enrolment enrolment;
    auto& wish = enrolment.wish;
    ObjectReader in(body, errors);
    const bool admin = pelaku.is(domain::Peran::admin);
    wish.hanya_saat_dibuka = !admin;
    enrolment.nim = admin ? in.required_text("nim", {.max_length = 10})
                          : in.optional_text("nim", {.max_length = 10}).value_or(pelaku.nim);
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

void Krs::routes(Routes& routes) {
    const auto enrollers = Access::roles({"admin", "mahasiswa"});
    routes.add("GET", "/api/acad/krs", Access::any_token(),
               [this](Request& request) { return list(request); });
    routes.add("POST", "/api/acad/krs", enrollers, [this](Request& request) { return create(request); });
    routes.add("GET", "/api/acad/krs/{id}", Access::any_token(),
               [this](Request& request) { return get(request); });
    routes.add("DELETE", "/api/acad/krs/{id}", enrollers,
               [this](Request& request) { return remove(request); });
}

Reply Krs::list(Request& request) {
    const auto pelaku = pelaku_of(request);
    Query query(request);
    store::KrsFilter filter;
    filter.nim = query.text("nim", 10);
    filter.kode_mk = query.text("kode_mk", 10);
    filter.semester = query.semester("semester");
    filter.after = query.after_id();
    const int limit = query.limit();
    if (!query.ok()) co_return query.refusal();
    if (!domain::may_list_all(pelaku)) {
        if (pelaku.is(domain::Peran::mahasiswa) && pelaku.nim.empty()) co_return no_nim();
        if (!filter.nim) filter.nim = pelaku.nim;
        if (!domain::may_read(pelaku, *filter.nim)) co_return forbidden();
    }
    filter.limit = limit + 1;
    auto rows = co_await store_.list(std::move(filter));
    if (!rows) co_return database_failed(rows.error());

    const bool more = rows->size() > static_cast<std::size_t>(limit);
    if (more) rows->pop_back();
    shared::json::Writer writer;
    writer.array([&] {
        for (const auto& row : *rows) write_krs(writer, row);
    });
    auto response = private_json(200, writer.str());
    if (more) next_page(response, request, std::to_string(rows->back().id_krs));
    co_return response;
}

Reply Krs::get(Request& request) {
    const auto id = krs_id(request);
    if (!id) co_return krs_not_found();
    const auto row = co_await store_.find(*id);
    if (!row) co_return database_failed(row.error());
    if (!*row) co_return krs_not_found();
    if (!domain::may_read(pelaku_of(request), (*row)->nim)) co_return forbidden();
    shared::json::Writer writer;
    write_krs(writer, **row);
    co_return private_json(200, writer.str()).with("ETag", etag((*row)->versi));
}

Reply Krs::create(Request& request) {
    const auto pelaku = pelaku_of(request);
    auto body = shared::http::read_json_body(request);
    if (body.refusal) co_return std::move(*body.refusal);
    std::vector<FieldError> errors;
    auto enrolment = read(body.document, pelaku, errors);
    if (!errors.empty()) co_return shared::http::validation_failed(std::move(errors));
    if (enrolment.nim.empty()) co_return no_nim();
    if (!domain::may_enrol(pelaku, enrolment.nim)) co_return forbidden();

    const auto result = co_await store_.enrol(pelaku, std::move(enrolment));
    if (!result) co_return database_failed(result.error());
    if (!result->row) co_return refusal(result->pendaftaran);
    shared::json::Writer writer;
    write_krs(writer, *result->row);
    auto response = private_json(201, writer.str());
    response.with("Location", "/api/acad/krs/" + std::to_string(result->row->id_krs));
    response.with("ETag", etag(result->row->versi));
    co_return response;
}

Reply Krs::remove(Request& request) {
    const auto id = krs_id(request);
    if (!id) co_return krs_not_found();
    const auto result = co_await store_.remove(pelaku_of(request), *id, if_match(request));
    if (!result) co_return database_failed(result.error());
    if (result->outcome == store::Outcome::not_found) co_return krs_not_found();
    if (result->outcome == store::Outcome::stale) co_return stale();
    domain::Pendaftaran decision;
    decision.keputusan = result->keputusan;
    if (decision.keputusan != domain::Keputusan::boleh) co_return refusal(decision);
    co_return shared::http::no_content();
}

}  // namespace acad::api
