// The endpoints, one file each; routes.cpp says who may call them. What goes in and comes out:
// docs/openapi/auth.yaml.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "services/auth/api/context.hpp"
#include "shared/http/message.hpp"
#include "shared/http/router.hpp"

namespace auth::api {

using shared::http::Request;
using shared::http::Response;
using Answer = boost::asio::awaitable<Response>;

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

Answer verify_post(Context& context, Request& request);
Answer verify_get(Context& context, Request& request);

Answer jwks(Context& context, Request& request);
Answer health(Context& context, Request& request);
Answer live(Context& context, Request& request);
Answer revocations(Context& context, Request& request);
Answer metrics(Context& context, Request& request);

// All of them on their paths. `context` must outlive the router.
shared::http::Router make_router(Context& context);

}  // namespace auth::api
