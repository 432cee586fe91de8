// "Which route, rule, upstream and limits does this request get, and why?" Answered by the same code that
// serves.
#pragma once

#include <string>
#include <vector>

namespace gateway {

struct ExplainRequest {
    std::string method;
    std::string url;  // "http://host/path?query" or "/path?query"
    std::string token;
    std::vector<std::string> headers;  // "Name: value"
};

// Prints the explanation. Exit code: 0 the request would be served, 1 it would be refused, 2 the file is
// wrong.
int explain(const std::string& config_file, const ExplainRequest& request);

}  // namespace gateway
