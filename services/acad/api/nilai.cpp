#include "services/acad/api/nilai.hpp"

#include <algorithm>

#include "services/acad/api/krs.hpp"
#include "shared/base/text.hpp"
#include "shared/http/answers.hpp"

namespace acad::api {

namespace http = shared::http;
using shared::json::FieldError;
using shared::json::ObjectReader;

namespace {

// As the scale has them: without blanks, capital letters.
std::string normalized(std::string nilai) {
    std::erase(nilai, ' ');
    return shared::upper_case(std::move(nilai));
}

}  // namespace

Reply put_nilai(Context& context, Request& request) {
    auto body = http::read_json_body(request);
    if (body.refusal) co_return std::move(*body.refusal);
    std::vector<FieldError> errors;
    ObjectReader in(body.document, errors);
    std::optional<std::string> nilai;
    if (!in.take_null("nilai")) nilai = normalized(in.required_text("nilai", {.max_length = 4}));
    auto alasan = in.optional_text("alasan", {.max_length = 500}).value_or("");
    in.finish();
    if (errors.empty() && nilai && nilai->empty()) in.error("nilai", "tidak boleh kosong");
    if (!errors.empty()) co_return http::validation_failed(std::move(errors));
    auto id = krs_id(request);
    if (!id) co_return id.error();

    const auto outcome = co_await context.krs.grade(pelaku_of(request), *id, std::move(nilai),
                                                    std::move(alasan), allowed_versions(request));
    if (!outcome) {
        if (outcome.error() == shared::pg::Errc::check_violation) {
            co_return http::validation_failed({{"/nilai", "tidak ada dalam skala nilai"}});
        }
        co_return database_failed(outcome.error());
    }
    if (*outcome == store::Outcome::not_found) co_return krs_not_found();
    if (*outcome == store::Outcome::stale) co_return http::stale();
    auto row = co_await existing_krs(context, request);
    if (!row) co_return row.error();
    co_return one_krs(request, 200, *row);
}

Reply list_nilai_changes(Context& context, Request& request) {
    auto row = co_await existing_krs(context, request);
    if (!row) co_return row.error();
    const auto changes = co_await context.krs.history(row->id_krs);
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
    co_return http::private_json(200, writer.str());
}

}  // namespace acad::api
