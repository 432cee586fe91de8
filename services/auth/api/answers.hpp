// Answers and inputs that several endpoints share.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "services/auth/domain/account.hpp"
#include "services/auth/domain/password_policy.hpp"
#include "services/auth/store/errors.hpp"
#include "shared/http/answers.hpp"
#include "shared/http/body_reader.hpp"
#include "shared/http/message.hpp"
#include "shared/json/json.hpp"

namespace auth::api {

using shared::http::BodyReader;
using shared::http::private_json;
using shared::http::Request;
using shared::http::Response;

// 503 where the database or a queue cannot serve now, 409 and 412 where the store says so, 500 else.
Response store_failure(const shared::ErrorCode& error);
Response hashing_busy();
// 401 with code first_password_expired.
Response first_password_refused();
Response throttled(std::chrono::seconds retry_after);
// 401 with WWW-Authenticate.
Response unauthorized(std::string code, std::string detail);
Response account_not_found();

// "2026-08-01T07:30:00Z"
std::string iso_time(shared::WallTime time);

// The members of an account as its owner and as an admin sees it. While its owner has to replace the password
// it has no role and no NIM but for the admin.
void write_account(shared::json::Writer& out, const domain::Account& account);
void write_admin_account(shared::json::Writer& out, const domain::Account& account);
// The account as an admin sees it.
Response admin_account(unsigned status, const domain::Account& account);

// Checks a new user name, e-mail address and NIM; adds what is wrong to the reader's errors.
std::string read_username(shared::json::ObjectReader& in);
std::string read_email(shared::json::ObjectReader& in);
std::optional<std::string> checked_nim(shared::json::ObjectReader& in, std::optional<std::string> nim);
// A password as typed: long enough for every rule that comes later, and bounded.
shared::json::TextRule password_rule();
// 422 with code weak_password.
Response weak_password(std::string pointer, std::string detail);
// The same where the rules refuse `password` as the new one of this account; `pointer`: where it stood.
std::optional<Response> password_refusal(const std::string& password, const domain::PasswordContext& about,
                                         const domain::PasswordRules& rules, std::string pointer);

}  // namespace auth::api
