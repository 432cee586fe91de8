#include "services/auth/api/endpoints.hpp"

namespace auth::api {

using shared::http::Access;

shared::http::Router make_router(Context& context) {
    shared::http::Router router;
    const auto add = [&](std::string_view method, std::string_view pattern, Access access,
                         Answer (*endpoint)(Context&, Request&)) {
        router.add(method, pattern, std::move(access),
                   [&context, endpoint](Request& request) { return endpoint(context, request); });
    };
    const auto admin = [] { return Access::roles({"admin"}); };

    add("POST", "/api/auth/register", Access::open(), register_account);
    add("POST", "/api/auth/login", Access::open(), login);
    add("POST", "/api/auth/refresh", Access::open(), refresh);
    add("POST", "/api/auth/logout", Access::any_token(), logout);
    add("GET", "/api/auth/me", Access::any_token(), me);
    add("PUT", "/api/auth/me/password", Access::any_token(), change_password);

    add("GET", "/api/auth/sessions", Access::any_token(), list_sessions);
    add("DELETE", "/api/auth/sessions", Access::any_token(), end_other_sessions);
    add("DELETE", "/api/auth/sessions/{sid}", Access::any_token(), end_one_session);

    add("GET", "/api/auth/users", admin(), list_users);
    add("POST", "/api/auth/users", admin(), create_user);
    add("GET", "/api/auth/users/{id}", admin(), get_user);
    add("PATCH", "/api/auth/users/{id}", admin(), patch_user);
    add("DELETE", "/api/auth/users/{id}", admin(), delete_user);
    add("POST", "/api/auth/users/{id}/unlock", admin(), unlock_user);
    add("DELETE", "/api/auth/users/{id}/sessions", admin(), end_user_sessions);

    // They check the token themselves: a refusal is an answer of theirs, not of the server's.
    add("POST", "/api/auth/verify", Access::open(), verify_post);
    add("GET", "/api/auth/verify", Access::open(), verify_get);

    add("GET", "/.well-known/jwks.json", Access::open(), jwks);
    add("GET", "/health", Access::open(), health);
    add("GET", "/api/auth/health", Access::open(), health);
    add("GET", "/livez", Access::open(), live);                        // likewise
    add("GET", "/metrics", Access::open(), metrics);                   // the gateway has no route to it
    add("GET", "/internal/revocations", Access::open(), revocations);  // checks the feed's own token
    return router;
}

}  // namespace auth::api
