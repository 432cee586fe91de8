#include "services/acad/api/mahasiswa.hpp"

namespace acad::api {

using shared::http::Access;
using shared::json::FieldError;
using shared::json::ObjectReader;
using shared::json::TextRule;

namespace {

void write(shared::json::Writer& writer, const store::Mahasiswa& row) {
    writer.object([&] {
        writer.member("nim", row.nim);
        writer.member("nama", row.nama);
        writer.member("jurusan", row.jurusan);
        writer.member("angkatan", row.angkatan);
    });
}

Response one(unsigned status, const store::Mahasiswa& row) {
    shared::json::Writer writer;
    write(writer, row);
    return private_json(status, writer.str()).with("ETag", etag(row.versi));
}

// `nim` is given for a row that exists; in the body it may then be left out.
store::Mahasiswa read(const rapidjson::Value& body, std::optional<std::string> nim,
                      std::vector<FieldError>& errors) {
    store::Mahasiswa row;
    ObjectReader in(body, errors);
    const TextRule key{.max_length = 10};
    if (nim) {
        const auto given = in.optional_text("nim", key);
        if (given && *given != *nim) in.error("nim", "harus sama dengan NIM pada alamat");
        row.nim = *nim;
    } else {
        row.nim = in.required_text("nim", key);
        if (!row.nim.empty() && !is_key(row.nim)) in.error("nim", kKeyShape);
    }
    row.nama = in.required_text("nama", {.max_length = 100});
    row.jurusan = in.required_text("jurusan", {.max_length = 50});
    row.angkatan = static_cast<int>(in.required_integer("angkatan", 1900, 2900));
    in.finish();
    return row;
}

}  // namespace

void Mahasiswa::routes(Routes& routes) {
    const auto admin = Access::roles({"admin"});
    const std::string all = "/api/acad/mahasiswa";
    const std::string single = "/api/acad/mahasiswa/{nim}";
    routes.add("GET", all, Access::any_token(), [this](Request& request) { return list(request); });
    routes.add("POST", all, admin, [this](Request& request) { return create(request); });
    routes.add("GET", single, Access::any_token(), [this](Request& request) { return get(request); });
    routes.add("PUT", single, admin, [this](Request& request) { return replace(request); });
    routes.add("DELETE", single, admin, [this](Request& request) { return remove(request); });
}

Reply Mahasiswa::list(Request& request) {
    const auto pelaku = pelaku_of(request);
    Query query(request);
    store::MahasiswaFilter filter;
    filter.q = query.text("q", 100);
    filter.jurusan = query.text("jurusan", 50);
    filter.angkatan = query.integer("angkatan", 1, 9999);
    filter.after = query.after();
    const int limit = query.limit();
    if (!query.ok()) co_return query.refusal();
    if (!domain::may_list_all(pelaku)) {
        if (!pelaku.is(domain::Peran::mahasiswa)) co_return forbidden();
        if (pelaku.nim.empty()) co_return private_json(200, "[]");
        filter.nim = pelaku.nim;
    }
    filter.limit = limit + 1;  // one more tells whether there is a next page
    auto rows = co_await store_.list(std::move(filter));
    if (!rows) co_return database_failed(rows.error());

    const bool more = rows->size() > static_cast<std::size_t>(limit);
    if (more) rows->pop_back();
    shared::json::Writer writer;
    writer.array([&] {
        for (const auto& row : *rows) write(writer, row);
    });
    auto response = private_json(200, writer.str());
    if (more) next_page(response, request, rows->back().nim);
    co_return response;
}

Reply Mahasiswa::get(Request& request) {
    const auto pelaku = pelaku_of(request);
    const auto& nim = request.param("nim");
    if (!domain::may_read(pelaku, nim)) co_return forbidden();
    if (!plausible_key(nim)) co_return mahasiswa_not_found();
    const auto row = co_await store_.find(nim);
    if (!row) co_return database_failed(row.error());
    if (!*row) co_return mahasiswa_not_found();
    co_return one(200, **row);
}

Reply Mahasiswa::create(Request& request) {
    auto body = shared::http::read_json_body(request);
    if (body.refusal) co_return std::move(*body.refusal);
    std::vector<FieldError> errors;
    auto row = read(body.document, std::nullopt, errors);
    if (!errors.empty()) co_return shared::http::validation_failed(std::move(errors));
    const auto nim = row.nim;
    const auto created = co_await store_.create(pelaku_of(request), std::move(row));
    if (!created) {
        if (created.error() == shared::pg::Errc::unique_violation) {
            co_return conflict("already_exists", "Mahasiswa dengan NIM ini sudah ada");
        }
        co_return database_failed(created.error());
    }
    co_return one(201, *created).with("Location", "/api/acad/mahasiswa/" + nim);
}

Reply Mahasiswa::replace(Request& request) {
    const auto nim = request.param("nim");
    auto body = shared::http::read_json_body(request);
    if (body.refusal) co_return std::move(*body.refusal);
    std::vector<FieldError> errors;
    auto row = read(body.document, nim, errors);
    if (!errors.empty()) co_return shared::http::validation_failed(std::move(errors));
    if (!plausible_key(nim)) co_return mahasiswa_not_found();
    const auto outcome = co_await store_.replace(pelaku_of(request), row, if_match(request));
    if (!outcome) co_return database_failed(outcome.error());
    if (*outcome == store::Outcome::not_found) co_return mahasiswa_not_found();
    if (*outcome == store::Outcome::stale) co_return stale();
    co_return one(200, row);
}

Reply Mahasiswa::remove(Request& request) {
    const auto nim = request.param("nim");
    if (!plausible_key(nim)) co_return mahasiswa_not_found();
    const auto outcome = co_await store_.remove(pelaku_of(request), nim, if_match(request));
    if (!outcome) {
        if (outcome.error() == shared::pg::Errc::foreign_key_violation) {
            co_return conflict("still_in_use", "Mahasiswa masih memiliki KRS");
        }
        co_return database_failed(outcome.error());
    }
    if (*outcome == store::Outcome::not_found) co_return mahasiswa_not_found();
    if (*outcome == store::Outcome::stale) co_return stale();
    co_return shared::http::no_content();
}

}  // namespace acad::api
