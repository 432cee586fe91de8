// The endpoints, one file each, and the one table of them: who may call what, and how. What goes in and comes
// out: docs/openapi/auth.yaml.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "services/auth/api/context.hpp"
#include "shared/http/endpoint.hpp"

namespace auth::api {

using shared::http::Request;
using shared::http::Response;
using Answer = boost::asio::awaitable<Response>;
using shared::http::Body;
using shared::http::kAnyQuery;
using shared::http::Rate;

Answer register_account(Context& context, Request& request);
Answer login(Context& context, Request& request);
Answer refresh(Context& context, Request& request);
Answer logout(Context& context, Request& request);
Answer me(Context& context, Request& request);
Answer change_password(Context& context, Request& request);

Answer list_sessions(Context& context, Request& request);
Answer end_one_session(Context& context, Request& request);
Answer end_other_sessions(Context& context, Request& request);

Answer list_users(Context& context, Request& request);
Answer create_user(Context& context, Request& request);
Answer get_user(Context& context, Request& request);
Answer patch_user(Context& context, Request& request);
Answer delete_user(Context& context, Request& request);
Answer unlock_user(Context& context, Request& request);
Answer end_user_sessions(Context& context, Request& request);

Answer list_audit(Context& context, Request& request);

Answer verify_post(Context& context, Request& request);
Answer verify_get(Context& context, Request& request);

Answer jwks(Context& context, Request& request);
Answer health(Context& context, Request& request);
Answer live(Context& context, Request& request);
Answer revocations(Context& context, Request& request);
Answer metrics(Context& context, Request& request);

inline constexpr auto kOpen = shared::http::Access::open();
inline constexpr auto kAnyToken = shared::http::Access::any_token();
inline constexpr auto kAdmin = shared::http::Access::roles({"admin"});

inline constexpr shared::http::RouteRules kProbe{.query = kAnyQuery, .at_once = true};

// Where nobody asks for a token, the handler checks one of its own or the answer is anybody's to read.
inline constexpr shared::http::Endpoint<Context> kEndpoints[] = {
    {"POST", "/api/auth/register", kOpen, register_account, {.body = Body::json, .rate = Rate::sign_in}},
    {"POST", "/api/auth/login", kOpen, login, {.body = Body::json, .rate = Rate::sign_in}},
    {"POST", "/api/auth/refresh", kOpen, refresh, {.body = Body::json, .rate = Rate::sign_in}},
    {"POST", "/api/auth/logout", kAnyToken, logout},
    {"GET", "/api/auth/me", kAnyToken, me},
    {"PUT", "/api/auth/me/password", kAnyToken, change_password, {.body = Body::json, .rate = Rate::sign_in}},

    {"GET", "/api/auth/sessions", kAnyToken, list_sessions, {.query = "limit after"}},
    {"DELETE", "/api/auth/sessions", kAnyToken, end_other_sessions},
    {"DELETE", "/api/auth/sessions/{sid}", kAnyToken, end_one_session},

    {"GET", "/api/auth/users", kAdmin, list_users, {.query = "limit after role disabled q"}},
    {"POST", "/api/auth/users", kAdmin, create_user, {.body = Body::json}},
    {"GET", "/api/auth/users/{id}", kAdmin, get_user},
    {"PATCH", "/api/auth/users/{id}", kAdmin, patch_user, {.body = Body::json}},
    {"DELETE", "/api/auth/users/{id}", kAdmin, delete_user},
    {"POST", "/api/auth/users/{id}/unlock", kAdmin, unlock_user},
    {"DELETE", "/api/auth/users/{id}/sessions", kAdmin, end_user_sessions},

    {"GET", "/api/auth/audit", kAdmin, list_audit, {.query = "limit after actor subject event from to"}},

    // A refusal is an answer of theirs, not of the server's.
    {"POST", "/api/auth/verify", kOpen, verify_post},
    // nginx asks it for every request with a token; it is answered from memory.
    {"GET", "/api/auth/verify", kOpen, verify_get, {.at_once = true}},

    {"GET", "/.well-known/jwks.json", kOpen, jwks, kProbe},
    {"GET", "/health", kOpen, health, kProbe},
    {"GET", "/api/auth/health", kOpen, health, kProbe},
    {"GET", "/livez", kOpen, live, kProbe},
    // The edges have no route to these two. The second asks for the feed's token.
    {"GET", "/metrics", kOpen, metrics, kProbe},
    {"GET", "/internal/revocations", kOpen, revocations, {.query = "since wait", .at_once = true}},
};

}  // namespace auth::api
