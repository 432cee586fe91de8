#include "services/acad/api/mata_kuliah.hpp"

namespace acad::api {

using shared::http::Access;
using shared::json::FieldError;
using shared::json::ObjectReader;
using shared::json::TextRule;

namespace {

void write(shared::json::Writer& writer, const store::MataKuliah& row) {
    writer.object([&] {
        writer.member("kode_mk", row.kode_mk);
        writer.member("nama_mk", row.nama_mk);
        writer.member("sks", row.sks);
        writer.member("kuota", row.kuota);
    });
}

Response one(unsigned status, const store::MataKuliah& row) {
    shared::json::Writer writer;
    write(writer, row);
    return shared::http::json_response(status, writer.str()).with("ETag", etag(row.versi));
}

Response absent() {
    return shared::http::problem_response(404, "mata_kuliah_not_found", "Mata kuliah tidak ditemukan");
}

// `kode` is given for a row that exists; in the body it may then be left out.
store::MataKuliah read(const rapidjson::Value& body, std::optional<std::string> kode,
                       std::vector<FieldError>& errors) {
    store::MataKuliah row;
    ObjectReader in(body, errors);
    const TextRule key{.max_length = 10};
    if (kode) {
        const auto given = in.optional_text("kode_mk", key);
        if (given && *given != *kode) in.error("kode_mk", "harus sama dengan kode pada alamat");
        row.kode_mk = *kode;
    } else {
        row.kode_mk = in.required_text("kode_mk", key);
        if (!row.kode_mk.empty() && !is_key(row.kode_mk)) in.error("kode_mk", kKeyShape);
    }
    row.nama_mk = in.required_text("nama_mk", {.max_length = 100});
    row.sks = static_cast<int>(in.required_integer("sks", 0, 24));
    if (!in.take_null("kuota")) {  // null says "no limit", like an absent member
        if (const auto kuota = in.optional_integer("kuota", 0, 100'000)) row.kuota = static_cast<int>(*kuota);
    }
    in.finish();
    return row;
}

}  // namespace

void MataKuliah::routes(Routes& routes) {
    const auto admin = Access::roles({"admin"});
    const std::string all = "/api/acad/mata_kuliah";
    const std::string single = "/api/acad/mata_kuliah/{kode_mk}";
    routes.add("GET", all, Access::any_token(), [this](Request& request) { return list(request); });
    routes.add("POST", all, admin, [this](Request& request) { return create(request); });
    routes.add("GET", single, Access::any_token(), [this](Request& request) { return get(request); });
    routes.add("PUT", single, admin, [this](Request& request) { return replace(request); });
    routes.add("DELETE", single, admin, [this](Request& request) { return remove(request); });
}

Reply MataKuliah::list(Request& request) {
    Query query(request);
    store::MataKuliahFilter filter;
    filter.q = query.text("q", 100);
    filter.after = query.after();
    const int limit = query.limit();
    if (!query.ok()) co_return query.refusal();
    filter.limit = limit + 1;
    auto rows = co_await store_.list(std::move(filter));
    if (!rows) co_return database_failed(rows.error());

    const bool more = rows->size() > static_cast<std::size_t>(limit);
    if (more) rows->pop_back();
    shared::json::Writer writer;
    writer.array([&] {
        for (const auto& row : *rows) write(writer, row);
    });
    auto response = shared::http::json_response(200, writer.str());
    if (more) next_page(response, request, rows->back().kode_mk);
    co_return response;
}

Reply MataKuliah::get(Request& request) {
    const auto& kode = request.param("kode_mk");
    if (!plausible_key(kode)) co_return absent();
    const auto row = co_await store_.find(kode);
    if (!row) co_return database_failed(row.error());
    if (!*row) co_return absent();
    co_return one(200, **row);
}

Reply MataKuliah::create(Request& request) {
    auto body = shared::http::read_json_body(request);
    if (body.refusal) co_return std::move(*body.refusal);
    std::vector<FieldError> errors;
    auto row = read(body.document, std::nullopt, errors);
    if (!errors.empty()) co_return shared::http::validation_failed(std::move(errors));
    const auto kode = row.kode_mk;
    const auto created = co_await store_.create(pelaku_of(request), std::move(row));
    if (!created) {
        if (created.error() == shared::pg::Errc::unique_violation) {
            co_return conflict("already_exists", "Mata kuliah dengan kode ini sudah ada");
        }
        co_return database_failed(created.error());
    }
    co_return one(201, *created).with("Location", "/api/acad/mata_kuliah/" + kode);
}

Reply MataKuliah::replace(Request& request) {
    const auto kode = request.param("kode_mk");
    auto body = shared::http::read_json_body(request);
    if (body.refusal) co_return std::move(*body.refusal);
    std::vector<FieldError> errors;
    auto row = read(body.document, kode, errors);
    if (!errors.empty()) co_return shared::http::validation_failed(std::move(errors));
    if (!plausible_key(kode)) co_return absent();
    const auto outcome = co_await store_.replace(pelaku_of(request), row, if_match(request));
    if (!outcome) co_return database_failed(outcome.error());
    if (*outcome == store::Outcome::not_found) co_return absent();
    if (*outcome == store::Outcome::stale) co_return stale();
    co_return one(200, row);
}

Reply MataKuliah::remove(Request& request) {
    const auto kode = request.param("kode_mk");
    if (!plausible_key(kode)) co_return absent();
    const auto outcome = co_await store_.remove(pelaku_of(request), kode, if_match(request));
    if (!outcome) {
        if (outcome.error() == shared::pg::Errc::foreign_key_violation) {
            co_return conflict("still_in_use", "Mata kuliah masih dipakai dalam KRS");
        }
        co_return database_failed(outcome.error());
    }
    if (*outcome == store::Outcome::not_found) co_return absent();
    if (*outcome == store::Outcome::stale) co_return stale();
    co_return shared::http::no_content();
}

}  // namespace acad::api
