#include "shared/http/problem.hpp"

#include "shared/base/http_text.hpp"

namespace shared::http {

std::string_view reason_phrase(unsigned status) {
    const auto phrase = shared::reason_phrase(status);
    return phrase.empty() ? "Unknown" : phrase;
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
