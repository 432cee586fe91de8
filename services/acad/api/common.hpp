// What every resource needs: who asks, pages, versions, and the answers that are the same everywhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/acad/domain/akses.hpp"
#include "services/acad/domain/indeks.hpp"
#include "services/acad/domain/semester.hpp"
#include "services/acad/store/write.hpp"
#include "shared/http/message.hpp"
#include "shared/json/json.hpp"

namespace acad::api {

using shared::http::Request;
using shared::http::Response;
using Reply = boost::asio::awaitable<Response>;

// Of a route that needs a token.
domain::Pelaku pelaku_of(const Request& request);

// 503 for an outage or an overload, 422 for data that the schema refuses, else 500.
Response database_failed(shared::ErrorCode error);
Response forbidden();
Response no_nim();  // a mahasiswa whose account is not linked yet
Response mahasiswa_not_found();
Response not_found(std::string detail);
Response conflict(std::string code, std::string detail);
Response stale();  // 412

// JSON that names people: not to be stored by anyone on the way.
Response private_json(unsigned status, std::string body);

std::string etag(std::int64_t versi);
// If-Match of the request; absent: any version.
store::Versions if_match(const Request& request);

// Query parameters, type-checked; every problem is collected for one 422.
class Query {
  public:
    explicit Query(const Request& request) : request_(request) {}

    // Absent or empty: nullopt.
    std::optional<std::string> text(std::string_view name, std::size_t max_length);
    std::optional<int> integer(std::string_view name, int min, int max);
    std::optional<bool> boolean(std::string_view name);
    std::optional<domain::SemesterQuery> semester(std::string_view name);
    int limit() { return integer("limit", 1, 200).value_or(50); }
    // The cursor that next_page() made.
    std::optional<std::string> after();
    std::optional<std::int64_t> after_id();

    bool ok() const { return errors_.empty(); }
    Response refusal() const { return shared::http::parameters_invalid(errors_); }

  private:
    void error(std::string_view name, std::string detail);

    const Request& request_;
    std::vector<shared::json::FieldError> errors_;
};

// Adds Link: <…>; rel="next" with the same parameters and the cursor behind `last_key`.
void next_page(Response& response, const Request& request, std::string_view last_key);

// Text that can be a key at all (UTF-8, no control characters, at most 10 characters). What cannot is not
// found.
bool plausible_key(std::string_view key);
// The shape of a new key (nim, kode_mk), and what to tell somebody who sends another one.
bool is_key(std::string_view key);
inline constexpr const char* kKeyShape = "hanya huruf, angka, titik, garis bawah, dan tanda hubung";

void write_indeks(shared::json::Writer& writer, std::string_view key, std::optional<domain::Indeks> indeks);
void write_semester(shared::json::Writer& writer, const domain::Semester& semester);

}  // namespace acad::api
