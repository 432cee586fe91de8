#include "services/acad/api/common.hpp"

#include <algorithm>

#include "shared/base/text.hpp"
#include "shared/http/answers.hpp"
#include "shared/http/etag.hpp"

namespace acad::api {

namespace http = shared::http;
using shared::pg::Errc;

namespace {

bool is_kode_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '_' || c == '-';
}

}  // namespace

domain::Pelaku pelaku_of(const Request& request) {
    domain::Pelaku pelaku;
    pelaku.sub = request.claims->sub;
    pelaku.peran = domain::parse_peran(request.claims->role);
    pelaku.nim = request.claims->nim;
    pelaku.request_id = request.request_id;
    return pelaku;
}

Response database_failed(shared::ErrorCode error) {
    if (error == Errc::unavailable) return http::database_unavailable();
    if (error == Errc::pool_exhausted || error == Errc::timeout || error == Errc::serialization_failure)
        return http::overloaded();
    if (error == Errc::check_violation)
        return http::problem_response(422, "validation_failed", "Data yang dikirim tidak sah");
    if (error == Errc::unique_violation) return http::conflict("already_exists", "Data sudah ada");
    if (error == Errc::foreign_key_violation)
        return http::conflict("reference_conflict", "Data terkait tidak ada atau masih dipakai");
    return http::internal_error();
}

Response no_nim() {
    return http::problem_response(403, "nim_not_linked",
                                  "Akun Anda belum terhubung dengan NIM, hubungi admin");
}

Response mahasiswa_not_found() {
    return http::not_found("mahasiswa_not_found", "Data mahasiswa tidak ditemukan");
}

store::Versions allowed_versions(const Request& request) {
    auto versions = http::if_match(request);
    return {versions.any, std::move(versions.allowed)};
}

std::optional<domain::SemesterQuery> read_semester(http::Query& query, const Request& request) {
    if (request.query_value("semester").value_or("").empty()) return std::nullopt;
    return query.parsed("semester", domain::parse_semester,
                        "harus semester 1 sampai 14 atau kode semester seperti 20241");
}

bool plausible_key(std::string_view key, std::size_t max_length) {
    return !key.empty() && shared::valid_utf8(key) &&
           std::none_of(key.begin(), key.end(), shared::is_control) &&
           shared::json::code_points(key) <= max_length;
}

std::string shape_fault(const store::Column& column, std::string_view text) {
    if (column.kind == store::Kind::nim && !shared::domain::Nim::parse(text))
        return std::string(shared::domain::Nim::kRule);
    if (column.kind == store::Kind::kode &&
        (text.empty() || !std::all_of(text.begin(), text.end(), is_kode_character)))
        return "hanya huruf, angka, titik, garis bawah, dan tanda hubung";
    return "";
}

void write_indeks(shared::json::Writer& writer, std::string_view key, std::optional<domain::Indeks> indeks) {
    writer.key(key);
    if (indeks) {
        writer.raw_number(domain::to_decimal(*indeks));
    } else {
        writer.null();
    }
}

void write_semester(shared::json::Writer& writer, const domain::Semester& semester) {
    writer.key("semester");
    if (semester.ke > 0) {
        writer.value(semester.ke);
    } else {
        writer.null();
    }
    writer.key("kode_semester");
    if (semester.kode > 0) {
        writer.value(semester.kode);
    } else {
        writer.null();
    }
}

}  // namespace acad::api
