#include "shared/http/message.hpp"

#include <boost/beast/core/string.hpp>

#include "shared/base/text.hpp"

namespace shared::http {

std::optional<std::string_view> Request::query_value(std::string_view name) const {
    for (const auto& [key, value] : query)
        if (key == name) return value;
    return std::nullopt;
}

const std::string& Request::param(std::string_view name) const {
    static const std::string kEmpty;
    for (const auto& [key, value] : params)
        if (key == name) return value;
    return kEmpty;
}

std::string_view Request::header(std::string_view name) const {
    const auto field = headers.find(boost::beast::string_view(name.data(), name.size()));
    if (field == headers.end()) return {};
    return {field->value().data(), field->value().size()};
}

std::string Request::header_list(std::string_view name) const {
    std::string list;
    const auto lines = headers.equal_range(boost::beast::string_view(name.data(), name.size()));
    for (auto line = lines.first; line != lines.second; ++line) {
        if (line != lines.first) list += ',';
        list.append(line->value().data(), line->value().size());
    }
    return list;
}

Response& Response::with(std::string name, std::string value) & {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
}

Response&& Response::with(std::string name, std::string value) && {
    headers.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
}

Response json_response(unsigned status, std::string body) {
    Response response(status);
    response.content_type = "application/json";
    response.body = std::move(body);
    return response;
}

Response no_content() {
    return Response(204);
}

Response streamed(unsigned status, std::string content_type, Producer produce) {
    Response response(status);
    response.content_type = std::move(content_type);
    response.produce = std::move(produce);
    return response;
}

Response problem_response(Problem problem) {
    Response response(problem.status);
    response.problem = std::move(problem);
    return response;
}

Response problem_response(unsigned status, std::string code, std::string detail) {
    Problem problem;
    problem.status = status;
    problem.code = std::move(code);
    problem.detail = std::move(detail);
    return problem_response(std::move(problem));
}

Response unavailable(std::string code, std::string detail, unsigned retry_after_s) {
    return problem_response(503, std::move(code), std::move(detail))
        .with("Retry-After", std::to_string(retry_after_s));
}

bool has_media_type(std::string_view content_type, std::string_view media_type) {
    return equals_ignoring_case(trim(content_type.substr(0, content_type.find(';'))), media_type);
}

Response unsupported_media_type(std::string_view accepted) {
    const std::string type(accepted);
    return problem_response(415, "unsupported_media_type", "Isi permintaan harus berjenis " + type)
        .with("Accept", type);
}

BodyResult read_json_body(const Request& request) {
    BodyResult result;
    if (!has_media_type(request.header("Content-Type"), "application/json")) {
        result.refusal = unsupported_media_type("application/json");
        return result;
    }
    auto document = json::parse(request.body);
    if (!document) {
        result.refusal = problem_response(400, "malformed_json", "Isi permintaan bukan JSON yang sah");
        return result;
    }
    if (!document->IsObject()) {
        result.refusal = problem_response(400, "malformed_json", "Isi permintaan harus berupa objek JSON");
        return result;
    }
    result.document = std::move(*document);
    return result;
}

namespace {

Problem invalid_input() {
    Problem problem;
    problem.status = 422;
    problem.code = "validation_failed";
    problem.detail = "Data yang dikirim tidak sah";
    return problem;
}

}  // namespace

Response validation_failed(std::vector<json::FieldError> errors) {
    auto problem = invalid_input();
    problem.errors = std::move(errors);
    return problem_response(std::move(problem));
}

Response parameters_invalid(std::vector<json::FieldError> errors) {
    auto problem = invalid_input();
    problem.parameter_errors = std::move(errors);
    return problem_response(std::move(problem));
}

}  // namespace shared::http
