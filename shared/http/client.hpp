// A small HTTP/1.1 client for rare calls (JWKS, the revocation feed, tests): one connection a call, one
// deadline over everything.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "shared/base/result.hpp"

namespace shared::http {

// "http://host[:port]/path?query" or https:// (certificate verified against the system's store).
struct Url {
    bool tls = false;
    std::string host;
    std::string port;
    std::string target;
};
Result<Url> parse_url(std::string_view text);

struct ClientRequest {
    ClientRequest(std::string method_, Url url_) : method(std::move(method_)), url(std::move(url_)) {}
    std::string method;
    Url url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::size_t body_limit_bytes = 4 * 1024 * 1024;
};

struct ClientResponse {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
};

// Runs on the calling coroutine's executor. Errors: resolve, connect, read and write errors as Asio gives
// them; asio::error::timed_out when `timeout` is over.
boost::asio::awaitable<Result<ClientResponse>> fetch(ClientRequest request,
                                                     std::chrono::milliseconds timeout);

}  // namespace shared::http
