// GET /metrics
#include "services/auth/api/endpoints.hpp"

namespace auth::api {

Answer metrics(Context& context, Request&) {
    auto& registry = context.metrics;
    registry.gauge("auth_hashing_in_use", "Password hashes that are being computed or wait for it.")
        .Set(static_cast<double>(context.passwords.in_use()));
    registry.gauge("auth_ended_sessions", "Ended sessions that a token could still be alive of.")
        .Set(static_cast<double>(context.feed.view().size()));
    registry.gauge("auth_feed_waiting", "Gateways that wait for news of ended sessions.")
        .Set(static_cast<double>(context.feed.waiting()));
    registry.gauge("auth_audit_waiting", "Audit records that are not stored yet.")
        .Set(static_cast<double>(context.audit.waiting()));
    registry.gauge("auth_database_up", "1 while the database answers.").Set(context.feed.current() ? 1 : 0);
    Response response(200);
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = registry.render();
    co_return response;
}

}  // namespace auth::api
