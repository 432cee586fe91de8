// Error bodies: application/problem+json (RFC 9457). The one place that makes them in the services; the
// gateway renders the same members from its own table (gateway/http/error_body).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/json/json.hpp"

namespace shared::http {

// `code` is stable and machine-readable (snake_case); `detail` is for people, in Indonesian; 5xx details
// never carry internals.
struct Problem {
    unsigned status = 500;
    std::string code;
    std::string detail;
    std::vector<json::FieldError> errors{};  // 400/422: what is wrong where ("pointer" into the body)
    std::vector<json::FieldError> parameter_errors{};  // the same for query parameters ("parameter": name)
};

// The English title of a status (RFC 9110's reason phrase).
std::string_view reason_phrase(unsigned status);

// `instance` is the request's path. Of more than 100 errors the first 100 and their number, jumlah_kesalahan.
std::string problem_body(const Problem& problem, std::string_view instance, std::string_view request_id);

}  // namespace shared::http
