// What every resource needs: who asks, versions, and the answers that are the same everywhere in this
// service.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/acad/domain/akses.hpp"
#include "services/acad/domain/indeks.hpp"
#include "services/acad/domain/semester.hpp"
#include "services/acad/store/table.hpp"
#include "services/acad/store/write.hpp"
#include "shared/http/message.hpp"
#include "shared/http/query.hpp"
#include "shared/json/json.hpp"

namespace acad::api {

using shared::http::Request;
using shared::http::Response;
using Reply = boost::asio::awaitable<Response>;

// Of a route that needs a token.
domain::Pelaku pelaku_of(const Request& request);

// 503 for an outage or an overload, 422 for data that the schema refuses, else 500.
Response database_failed(shared::ErrorCode error);
Response no_nim();  // a mahasiswa whose account is not linked yet
Response mahasiswa_not_found();

// If-Match of the request; absent: any version.
store::Versions allowed_versions(const Request& request);

// ?semester= as an ordinal or a code. Absent or empty: nullopt.
std::optional<domain::SemesterQuery> read_semester(shared::http::Query& query, const Request& request);

// Text that can be a key at all (UTF-8, no control characters, not too long). What cannot is not found.
bool plausible_key(std::string_view key, std::size_t max_length);
// What is wrong with the shape of a new key, to be told to who sent it; empty: nothing, or the column is no
// key.
std::string shape_fault(const store::Column& column, std::string_view text);

void write_indeks(shared::json::Writer& writer, std::string_view key, std::optional<domain::Indeks> indeks);
void write_semester(shared::json::Writer& writer, const domain::Semester& semester);

}  // namespace acad::api
