#include "services/acad/api/nilai.hpp"

#include <algorithm>

#include "services/acad/api/krs.hpp"

namespace acad::api {

using shared::http::Access;
using shared::json::FieldError;
using shared::json::ObjectReader;

namespace {

// As the scale has them: without blanks, capital letters.
std::string normalized(std::string nilai) {
    std::erase(nilai, ' ');
    std::transform(nilai.begin(), nilai.end(), nilai.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return nilai;
}

}  // namespace

void Nilai::routes(Routes& routes) {
    const auto graders = Access::roles({"admin", "dosen"});
    routes.add("PUT", "/api/acad/krs/{id}/nilai", graders, [this](Request& request) { return put(request); });
    routes.add("GET", "/api/acad/krs/{id}/nilai/riwayat", graders,
               [this](Request& request) { return history(request); });
}

Reply Nilai::put(Request& request) {
    auto body = shared::http::read_json_body(request);
    if (body.refusal) co_return std::move(*body.refusal);
    std::vector<FieldError> errors;
    ObjectReader in(body.document, errors);
    std::optional<std::string> nilai;
    if (!in.take_null("nilai")) nilai = normalized(in.required_text("nilai", {.max_length = 4}));
    auto alasan = in.optional_text("alasan", {.max_length = 500}).value_or("");
    in.finish();
    if (errors.empty() && nilai && nilai->empty()) in.error("nilai", "tidak boleh kosong");
    if (!errors.empty()) co_return shared::http::validation_failed(std::move(errors));
    const auto id = krs_id(request);
    if (!id) co_return krs_not_found();

    const auto outcome = co_await store_.grade(pelaku_of(request), *id, std::move(nilai), std::move(alasan),
                                               if_match(request));
    if (!outcome) {
        if (outcome.error() == shared::pg::Errc::check_violation) {
            co_return shared::http::validation_failed({{"/nilai", "tidak ada dalam skala nilai"}});
        }
        co_return database_failed(outcome.error());
    }
    if (*outcome == store::Outcome::not_found) co_return krs_not_found();
    if (*outcome == store::Outcome::stale) co_return stale();
    const auto row = co_await store_.find(*id);
    if (!row) co_return database_failed(row.error());
    if (!*row) co_return krs_not_found();
    shared::json::Writer writer;
    write_krs(writer, **row);
    co_return private_json(200, writer.str()).with("ETag", etag((*row)->versi));
}

Reply Nilai::history(Request& request) {
    const auto id = krs_id(request);
    if (!id) co_return krs_not_found();
    const auto row = co_await store_.find(*id);
    if (!row) co_return database_failed(row.error());
    if (!*row) co_return krs_not_found();
    const auto changes = co_await store_.history(*id);
    if (!changes) co_return database_failed(changes.error());
    shared::json::Writer writer;
    writer.array([&] {
        for (const auto& change : *changes) {
            writer.object([&] {
                writer.member("lama", change.lama);
                writer.member("baru", change.baru);
                writer.member("alasan", change.alasan);
                writer.member("oleh", change.oleh);
                writer.member("waktu", change.waktu);
            });
        }
    });
    co_return private_json(200, writer.str());
}

}  // namespace acad::api
