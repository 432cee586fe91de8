#include "services/acad/api/common.hpp"

#include <algorithm>
#include <charconv>

#include "shared/base/encoding.hpp"

namespace acad::api {

namespace http = shared::http;
using shared::pg::Errc;

namespace {

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
}

bool is_plain(std::string_view text) {
    return shared::json::valid_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

template <class T>
std::optional<T> to_number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// RFC 3986: what may stand in a query as it is.
std::string percent_encode(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += kHex[byte >> 4];
            encoded += kHex[byte & 15];
        }
    }
    return encoded;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
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
    if (error == Errc::unavailable)
        return http::unavailable("database_unavailable",
                                 "Basis data sedang tidak tersedia, silakan coba lagi", 2);
    if (error == Errc::pool_exhausted || error == Errc::timeout || error == Errc::serialization_failure)
        return http::unavailable("overloaded", "Layanan sedang sibuk, silakan coba lagi", 1);
    if (error == Errc::check_violation)
        return http::problem_response(422, "validation_failed", "Data yang dikirim tidak sah");
    if (error == Errc::unique_violation) return conflict("already_exists", "Data sudah ada");
    if (error == Errc::foreign_key_violation)
        return conflict("reference_conflict", "Data terkait tidak ada atau masih dipakai");
    return http::problem_response(500, "internal_error", "Terjadi kesalahan pada layanan");
}

Response forbidden() {
    return http::problem_response(403, "forbidden", "Anda tidak berhak mengakses data ini");
}

Response no_nim() {
    return http::problem_response(403, "nim_not_linked",
                                  "Akun Anda belum terhubung dengan NIM, hubungi admin");
}

Response mahasiswa_not_found() {
    return http::problem_response(404, "mahasiswa_not_found", "Data mahasiswa tidak ditemukan");
}

Response not_found(std::string detail) {
    return http::problem_response(404, "not_found", std::move(detail));
}

Response conflict(std::string code, std::string detail) {
    return http::problem_response(409, std::move(code), std::move(detail));
}

Response stale() {
    return http::problem_response(412, "stale_version",
                                  "Data sudah diubah orang lain, muat ulang lalu coba lagi");
}

Response private_json(unsigned status, std::string body) {
    return http::json_response(status, std::move(body)).with("Cache-Control", "no-store");
}

std::string etag(std::int64_t versi) {
    return "\"v" + std::to_string(versi) + "\"";
}

store::Versions if_match(const Request& request) {
    store::Versions versions;
    std::string_view list = request.header("If-Match");
    if (trimmed(list).empty() || trimmed(list) == "*") return versions;
    versions.any = false;
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto tag = trimmed(list.substr(0, comma));
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
        // Strong comparison: a weak tag or one of another shape matches nothing.
        if (tag.size() < 4 || !tag.starts_with("\"v") || !tag.ends_with('"')) continue;
        if (const auto versi = to_number<std::int64_t>(tag.substr(2, tag.size() - 3))) {
            versions.allowed.push_back(*versi);
        }
    }
    return versions;
}

void Query::error(std::string_view name, std::string detail) {
    errors_.push_back({std::string(name), std::move(detail)});
}

std::optional<std::string> Query::text(std::string_view name, std::size_t max_length) {
    const auto value = request_.query_value(name);
    if (!value || value->empty()) return std::nullopt;
    if (!is_plain(*value)) {
        error(name, "memuat karakter yang tidak sah");
        return std::nullopt;
    }
    if (shared::json::code_points(*value) > max_length) {
        error(name, "maksimal " + std::to_string(max_length) + " karakter");
        return std::nullopt;
    }
    return std::string(*value);
}

std::optional<int> Query::integer(std::string_view name, int min, int max) {
    const auto value = request_.query_value(name);
    if (!value || value->empty()) return std::nullopt;
    const auto number = to_number<int>(*value);
    if (!number || *number < min || *number > max) {
        error(name, "harus bilangan bulat antara " + std::to_string(min) + " dan " + std::to_string(max));
        return std::nullopt;
    }
    return number;
}

std::optional<bool> Query::boolean(std::string_view name) {
    const auto value = request_.query_value(name);
    if (!value || value->empty()) return std::nullopt;
    if (*value == "true") return true;
    if (*value == "false") return false;
    error(name, "harus true atau false");
    return std::nullopt;
}

std::optional<domain::SemesterQuery> Query::semester(std::string_view name) {
    const auto value = request_.query_value(name);
    if (!value || value->empty()) return std::nullopt;
    const auto semester = domain::parse_semester(*value);
    if (!semester) error(name, "harus semester 1 sampai 14 atau kode semester seperti 20241");
    return semester;
}

std::optional<std::string> Query::after() {
    const auto value = request_.query_value("after");
    if (!value || value->empty()) return std::nullopt;
    const auto key = shared::base64url_decode(*value);
    if (!key || key->empty() || key->size() > 100 || !is_plain(*key)) {
        error("after", "kursor tidak sah");
        return std::nullopt;
    }
    return key;
}

std::optional<std::int64_t> Query::after_id() {
    const auto key = after();
    if (!key) return std::nullopt;
    const auto id = to_number<std::int64_t>(*key);
    if (!id) error("after", "kursor tidak sah");
    return id;
}

void next_page(Response& response, const Request& request, std::string_view last_key) {
    std::string target = request.path + "?";
    for (const auto& [name, value] : request.query) {
        if (name != "after") target += percent_encode(name) + "=" + percent_encode(value) + "&";
    }
    target += "after=" + shared::base64url_encode(last_key);
    response.with("Link", "<" + target + ">; rel=\"next\"");
}

bool plausible_key(std::string_view key) {
    return !key.empty() && is_plain(key) && shared::json::code_points(key) <= 10;
}

bool is_key(std::string_view key) {
    for (const char c : key) {
        const bool fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                          c == '.' || c == '_' || c == '-';
        if (!fine) return false;
    }
    return !key.empty();
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
