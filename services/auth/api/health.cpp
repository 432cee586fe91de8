// GET /health: 200 while requests should come here: the database answers, is prepared, and no end is near.
// GET /livez: 200 while the process serves at all; a restart would not bring a database back.
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"

namespace auth::api {

// No question of its own: the feed asks the database more than once a second, and health checks must not be a
// load.
Answer health(Context& context, Request&) {
    const bool up = context.feed.current();
    const bool prepared = context.service.prepared();
    const bool stopping = context.service.stopping();
    const bool ok = up && prepared && !stopping;
    shared::json::Writer out;
    out.object([&] {
        out.member("status", ok ? "ok" : stopping ? "stopping" : "unavailable");
        out.member_object("database", [&] {
            out.member("kind", context.database.kind());
            out.member("state", !up ? "down" : prepared ? "up" : "preparing");
        });
    });
    auto response = shared::http::json_response(ok ? 200 : 503, out.str());
    response.with("Cache-Control", "no-store");
    if (!ok) response.with("Retry-After", "2");
    co_return response;
}

Answer live(Context&, Request&) {
    co_return shared::http::json_response(200, R"({"status":"ok"})");
}

}  // namespace auth::api
