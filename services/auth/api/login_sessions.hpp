// Starting, continuing and ending login sessions: what login, refresh, logout and the admin's calls share.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "services/auth/api/context.hpp"
#include "shared/http/message.hpp"

namespace auth::api {

using shared::Result;
using shared::http::Request;
using shared::http::Response;

// 200 with an access token and the refresh token of the session's current generation; with the device's token
// where there is a new one.
Response token_answer(Context& context, const domain::Account& account, const domain::Session& session,
                      std::string_view device_token = {});

// A new session record, not stored yet.
domain::Session new_session(const Context& context, const domain::Account& account, const Request& request);

// Ends sessions in the store, tells the feed, so that every gateway refuses them within a second, and records
// it.
boost::asio::awaitable<Result<>> end_session(Context& context, std::string sid, std::string reason);
boost::asio::awaitable<Result<>> end_all_sessions(Context& context, std::string user_id, std::string except,
                                                  std::string reason);

// An audit record with what a request tells about its sender. `subject`: whom it is about.
store::AuditRecord audit_record(const Context& context, const Request& request, std::string event,
                                std::string subject);

}  // namespace auth::api
