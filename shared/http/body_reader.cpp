#include "shared/http/body_reader.hpp"

namespace shared::http {

BodyReader::BodyReader(const Request& request) {
    auto body = read_json_body(request);
    refusal = std::move(body.refusal);
    if (refusal) return;
    document = std::move(body.document);
    in.emplace(document, errors);
}

bool BodyReader::finish() {
    in->finish();
    if (!errors.empty()) refusal = validation_failed(errors);
    return ok();
}

}  // namespace shared::http
