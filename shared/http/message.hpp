// What an endpoint receives and returns. Plain data: endpoints know nothing about sockets.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/fields.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/http/problem.hpp"
#include "shared/jwt/claims.hpp"

namespace shared::http {

class BodyStream;  // body_stream.hpp
class BodyWriter;  // body_writer.hpp

struct Request {
    std::string method;                                       // "GET"; a HEAD request reaches handlers as GET
    std::string path;                                         // percent-decoded, without the query
    std::string target;                                       // as received
    std::vector<std::pair<std::string, std::string>> query;   // decoded, in order
    std::vector<std::pair<std::string, std::string>> params;  // {nim} of the route's pattern
    boost::beast::http::fields headers;
    std::string body;                   // whole; not on routes that take it in pieces
    BodyStream* body_stream = nullptr;  // on those, while the handler runs
    std::string request_id;
    std::string client_address;         // the peer, or what a trusted proxy says the peer is
    std::string client_key;             // how that client is counted: networks.hpp, counted_as
    std::optional<jwt::Claims> claims;  // set on routes that need a token

    // First value of a query parameter.
    std::optional<std::string_view> query_value(std::string_view name) const;
    // Value of a path parameter; empty if the pattern has none of that name (a programming error).
    const std::string& param(std::string_view name) const;
    // First line of a header field; empty if there is none.
    std::string_view header(std::string_view name) const;
    // All lines of a field that is a list, as one (RFC 9110 section 5.3).
    std::string header_list(std::string_view name) const;
};

// Writes an answer's body in pieces, called once while it is sent; what it captures lives that long. Its
// value: the body is complete; false cuts the connection, so that nobody takes half of it for all.
using Producer = std::function<boost::asio::awaitable<bool>(BodyWriter&)>;

struct Response {
    Response() = default;
    explicit Response(unsigned code) : status(code) {}

    unsigned status = 200;
    std::string content_type;  // empty: no body
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    Producer produce;                // instead of `body`
    std::optional<Problem> problem;  // rendered by the server, which knows path and request id

    Response& with(std::string name, std::string value) &;
    Response&& with(std::string name, std::string value) &&;
};

Response json_response(unsigned status, std::string body);
Response no_content();
// HEAD gets the head alone, and `produce` is not called.
Response streamed(unsigned status, std::string content_type, Producer produce);
Response problem_response(Problem problem);
Response problem_response(unsigned status, std::string code, std::string detail);
// 503 with Retry-After: a database or a pool that cannot serve now.
Response unavailable(std::string code, std::string detail, unsigned retry_after_s = 2);

// Reads the body of a write as one JSON object: 415 for another Content-Type, 400 for what is no JSON object.
// Returns the document, or the answer to send.
struct BodyResult {
    rapidjson::Document document;
    std::optional<Response> refusal;
};
BodyResult read_json_body(const Request& request);

// True for a Content-Type of that media type, in any case and with any parameters.
bool has_media_type(std::string_view content_type, std::string_view media_type);
// 415 that says what is taken instead.
Response unsupported_media_type(std::string_view accepted);

// 422 with the collected errors.
Response validation_failed(std::vector<json::FieldError> errors);
// 422 for query parameters; each FieldError's pointer is the parameter's name.
Response parameters_invalid(std::vector<json::FieldError> errors);

}  // namespace shared::http
