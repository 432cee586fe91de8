// The JSON object of a write, read member by member and refused as a whole.
//
//   BodyReader body(request);
//   if (!body.ok()) co_return std::move(*body.refusal);        415, 400
//   const auto nama = body.in->required_text("nama");
//   if (!body.finish()) co_return std::move(*body.refusal);    422 with everything that was wrong
#pragma once

#include <optional>
#include <vector>

#include "shared/http/message.hpp"
#include "shared/json/json.hpp"

namespace shared::http {

struct BodyReader {
    explicit BodyReader(const Request& request);
    bool ok() const { return !refusal; }
    // Call after the last member: members that nobody asked for are wrong, too.
    bool finish();

    std::optional<Response> refusal;
    rapidjson::Document document;
    std::vector<json::FieldError> errors;
    std::optional<json::ObjectReader> in;  // while ok()
};

}  // namespace shared::http
