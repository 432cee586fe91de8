// Reads docs/openapi/*.yaml and holds answers against it.
#pragma once

#include <rapidjson/document.h>

#include <string>
#include <vector>

#include "test/support/http.hpp"

namespace test {

class OpenApiDocument {
  public:
    // `name`: "gateway", "auth" or "acad". Throws if the file is missing or no YAML.
    explicit OpenApiDocument(const std::string& name);

    struct Operation {
        std::string method;  // "GET"
        std::string path;    // "/api/acad/mahasiswa/{nim}"
    };
    std::vector<Operation> operations() const;

    // What is wrong with an answer to that operation: a status, a media type or a body that the document does
    // not describe, a header that it promises and that is missing. Empty: nothing.
    std::vector<std::string> check(const Operation& operation, const Reply& reply) const;

  private:
    const rapidjson::Value& resolve(const rapidjson::Value& value) const;
    void validate(const rapidjson::Value& schema, const rapidjson::Value& instance, const std::string& at,
                  std::vector<std::string>& faults) const;

    rapidjson::Document document_;
};

}  // namespace test
