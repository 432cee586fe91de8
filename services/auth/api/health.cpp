// GET /health: 200 while the database answers and is prepared.
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"

namespace auth::api {

// No question of its own: the feed asks the database more than once a second, and health checks must not be a
// load.
Answer health(Context& context, Request&) {
    const bool up = context.feed.current();
    const bool ok = up && context.prepared;
    shared::json::Writer out;
    out.object([&] {
        out.member("status", ok ? "ok" : "unavailable");
        out.member_object("database", [&] {
            out.member("kind", context.database.kind());
            out.member("state", !up ? "down" : context.prepared ? "up" : "preparing");
        });
    });
    auto response = shared::http::json_response(ok ? 200 : 503, out.str());
    response.with("Cache-Control", "no-store");
    if (!ok) response.with("Retry-After", "2");
    co_return response;
}

}  // namespace auth::api
