// Answers that mean the same everywhere, so that they read the same everywhere.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "shared/http/message.hpp"

namespace shared::http {

// JSON that names people or holds a secret: not to be stored by anyone on the way.
Response private_json(unsigned status, std::string body);

Response not_found(std::string code, std::string detail);  // 404
Response conflict(std::string code, std::string detail);   // 409
Response forbidden();                                      // 403
// 412: If-Match names another version than the one that is there.
Response stale();
// 503 with Retry-After and X-Overloaded: 1: load is shed on purpose, and who stands before the service is not
// to take it for a broken one. A second or three, at random, so that those who are sent away do not come back
// together.
Response overloaded();
Response overloaded(std::string detail);
// 503 with Retry-After: the database is away, or not prepared yet.
Response database_unavailable();
Response internal_error();  // 500

// database_unavailable() as a handler's answer.
boost::asio::awaitable<Response> not_ready();

}  // namespace shared::http
