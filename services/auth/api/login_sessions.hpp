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

// Ends a session in the store with its audit record, and tells the feed, so that every gateway refuses it
// within a second.
boost::asio::awaitable<Result<>> end_session(Context& context, std::string sid, std::string reason,
                                             store::AuditRecords audit);
// Those that a change of the account which failed half-way may have left: of stamps below `below`, or all.
boost::asio::awaitable<Result<>> end_left_sessions(Context& context, std::string user_id,
                                                   std::optional<std::int64_t> below, std::string kept,
                                                   std::string reason);
// For a change that ends an account's sessions, and what to do when the store has made it.
store::Ending ending_now(const Context& context, std::string reason, std::string kept = {});
void tell_ended(Context& context, const store::EndReason& reason, const std::vector<std::string>& sids);

// The account that `record` is about, its sessions but the one that `ending` keeps: 204, or 404 and 503 as
// the store says.
boost::asio::awaitable<Response> end_account_sessions(Context& context, store::Ending ending,
                                                      store::AuditRecord record);

inline store::AuditRecords just(store::AuditRecord record) {
    store::AuditRecords records;
    records.push_back(std::move(record));
    return records;
}

// Whose share of the hashing a request uses. `account`: an id, or what stands for it; empty: none yet.
crypto::Asker asker(const Request& request, std::string account);

// An audit record with what a request tells about its sender. `subject`: whom it is about.
store::AuditRecord audit_record(const Context& context, const Request& request, std::string event,
                                std::string subject);

}  // namespace auth::api
