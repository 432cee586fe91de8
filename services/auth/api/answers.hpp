// Answers and inputs that several endpoints share.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "services/auth/domain/account.hpp"
#include "services/auth/store/errors.hpp"
#include "shared/http/message.hpp"
#include "shared/json/json.hpp"

namespace auth::api {

using shared::http::Request;
using shared::http::Response;

// Personal data: nobody between us and the client keeps it.
Response private_json(unsigned status, std::string body);

// 503 where the database or a queue cannot serve now, 409 and 412 where the store says so, 500 else.
Response store_failure(const shared::ErrorCode& error);
Response hashing_busy();
Response throttled(std::chrono::seconds retry_after);
// 401 with WWW-Authenticate.
Response unauthorized(std::string code, std::string detail);
Response account_not_found();

// "2026-08-01T07:30:00Z"
std::string iso_time(shared::WallTime time);

// The members of an account as its owner and as an admin sees it.
void write_account(shared::json::Writer& out, const domain::Account& account);
std::string etag(const domain::Account& account);
void write_admin_account(shared::json::Writer& out, const domain::Account& account);
// The account as an admin sees it, with its ETag.
Response admin_account(unsigned status, const domain::Account& account);

// If-Match as a version: nullopt where the header is absent or "*". -1 for one that is no ETag of ours: it
// matches no account.
std::optional<std::int64_t> expected_version(const Request& request);

// Reads the body; on a problem `refusal` is set.
struct BodyReader {
    explicit BodyReader(const Request& request);
    bool ok() const { return !refusal; }
    // Call after the last member: 422 where something was wrong.
    bool finish();

    std::optional<Response> refusal;
    rapidjson::Document document;
    std::vector<shared::json::FieldError> errors;
    std::optional<shared::json::ObjectReader> in;
};

// Checks a new user name, e-mail address and NIM; adds what is wrong to the reader's errors.
std::string read_username(shared::json::ObjectReader& in);
std::string read_email(shared::json::ObjectReader& in);
std::optional<std::string> checked_nim(shared::json::ObjectReader& in, std::optional<std::string> nim);
// A password as typed: long enough for every rule that comes later, and bounded.
shared::json::TextRule password_rule();
// 422 with code weak_password.
Response weak_password(std::string pointer, std::string detail);

}  // namespace auth::api
