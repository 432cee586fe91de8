#include "services/acad/api/periode.hpp"

#include "shared/http/answers.hpp"

namespace acad::api {

using shared::json::FieldError;
using shared::json::ObjectReader;

namespace {

void write(shared::json::Writer& writer, const store::Periode& row) {
    writer.object([&] {
        writer.member("kode_semester", row.kode_semester);
        writer.member("buka", row.buka);
        writer.member("tutup", row.tutup);
        writer.member("terbuka", row.terbuka);
    });
}

// PostgreSQL reads much more ("tomorrow", "infinity"); only a full date and time with an offset is meant
// here.
bool is_timestamp(const std::string& text) {
    static constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
    if (text.size() <= kShape.size() || text.size() > 40) return false;
    for (std::size_t i = 0; i < kShape.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return false;
    }
    const auto zone = text.find_first_of("Z+-", kShape.size());
    return zone != std::string::npos &&
           text.find_first_not_of("0123456789.:Z+-", kShape.size()) == std::string::npos;
}

}  // namespace

Reply list_periode(Context& context, Request&) {
    const auto rows = co_await context.periode.list();
    if (!rows) co_return database_failed(rows.error());
    shared::json::Writer writer;
    writer.array([&] {
        for (const auto& row : *rows) write(writer, row);
    });
    co_return shared::http::json_response(200, writer.str());
}

Reply put_periode(Context& context, Request& request) {
    const auto kode = domain::parse_semester(request.param("kode_semester"));
    if (!kode || kode->value <= domain::kLastOrdinal)
        co_return shared::http::not_found("not_found", "Kode semester tidak sah, contoh: 20241");
    auto body = shared::http::read_json_body(request);
    if (body.refusal) co_return std::move(*body.refusal);
    std::vector<FieldError> errors;
    ObjectReader in(body.document, errors);
    store::Periode row;
    row.kode_semester = kode->value;
    row.buka = in.required_text("buka", {.max_length = 40});
    row.tutup = in.required_text("tutup", {.max_length = 40});
    if (!row.buka.empty() && !is_timestamp(row.buka))
        in.error("buka", "harus waktu seperti 2024-08-01T00:00:00+07:00");
    if (!row.tutup.empty() && !is_timestamp(row.tutup))
        in.error("tutup", "harus waktu seperti 2024-08-01T00:00:00+07:00");
    in.finish();
    if (!errors.empty()) co_return shared::http::validation_failed(std::move(errors));
    const auto stored = co_await context.periode.put(pelaku_of(request), std::move(row));
    if (!stored) {
        if (stored.error() == shared::pg::Errc::check_violation) {
            co_return shared::http::validation_failed({{"/tutup", "harus sesudah buka"}});
        }
        co_return database_failed(stored.error());
    }
    shared::json::Writer writer;
    write(writer, *stored);
    co_return shared::http::json_response(200, writer.str());
}

}  // namespace acad::api
