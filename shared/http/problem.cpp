#include "shared/http/problem.hpp"

namespace shared::http {

std::string_view reason_phrase(unsigned status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 428:
            return "Precondition Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Unknown";
    }
}

namespace {

constexpr std::size_t kMaxErrors = 100;  // the first ones; more tell nobody more

void write_errors(json::Writer& writer, std::string_view place, const std::vector<json::FieldError>& errors,
                  std::size_t& left) {
    for (const auto& error : errors) {
        if (left == 0) return;
        --left;
        writer.object([&] {
            writer.member(place, error.pointer);
            writer.member("detail", error.detail);
        });
    }
}

}  // namespace

std::string problem_body(const Problem& problem, std::string_view instance, std::string_view request_id) {
    json::Writer writer;
    writer.object([&] {
        writer.member("type", "about:blank");
        writer.member("title", reason_phrase(problem.status));
        writer.member("status", static_cast<int>(problem.status));
        writer.member("detail", problem.detail);
        writer.member("instance", instance);
        writer.member("code", problem.code);
        writer.member("request_id", request_id);
        const auto count = problem.errors.size() + problem.parameter_errors.size();
        if (count == 0) return;
        if (count > kMaxErrors) writer.member("jumlah_kesalahan", static_cast<std::int64_t>(count));
        writer.member_array("errors", [&] {
            std::size_t left = kMaxErrors;
            write_errors(writer, "pointer", problem.errors, left);
            write_errors(writer, "parameter", problem.parameter_errors, left);
        });
    });
    return writer.str();
}

}  // namespace shared::http
