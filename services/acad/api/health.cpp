#include "services/acad/api/health.hpp"

#include "shared/metrics/count_up_to.hpp"

namespace acad::api {

namespace {

constexpr std::chrono::milliseconds kPingTimeout{1500};

}  // namespace

Reply health(Context& context, Request&) {
    const bool up = co_await context.pool.ping(kPingTimeout);
    const bool sessions_known = context.state.sessions_known();
    const bool keys_known = context.keys.ready();
    const bool migrated = context.state.migrated();
    const bool stopping = context.state.stopping();
    const bool ready = up && migrated && keys_known && sessions_known && !stopping;
    shared::json::Writer writer;
    writer.object([&] {
        writer.member("status", ready ? "ok" : stopping ? "stopping" : "unavailable");
        writer.member("database", !up ? "down" : migrated ? "up" : "migrating");
        writer.member("keys", keys_known ? "known" : "unknown");
        writer.member("sessions", sessions_known ? "known" : "unknown");
    });
    auto response = shared::http::json_response(ready ? 200 : 503, writer.str());
    response.with("Cache-Control", "no-store");
    if (!ready) response.with("Retry-After", "2");
    co_return response;
}

Reply live(Context&, Request&) {
    co_return shared::http::json_response(200, R"({"status":"ok"})");
}

Reply metrics(Context& context, Request&) {
    const auto counts = context.pool.counts();
    const auto set = [&context](const char* name, const char* help, auto value) {
        context.metrics.gauge(name, help).Set(static_cast<double>(value));
    };
    set("db_connections_open", "Database connections in use, idle or being made", counts.open);
    set("db_connections_idle", "Database connections that are free", counts.idle);
    set("db_waiters", "Requests that wait for a database connection", counts.waiting);
    set("verification_keys", "Keys that tokens are verified with", context.keys.key_count());
    if (const auto* jwks = context.keys.jwks()) {
        set("jwks_age_seconds", "Seconds since the key set was last fetched", jwks->age().count() / 1000.0);
        shared::metrics::count_up_to(
            context.metrics.counter("jwks_fetch_failures_total", "Fetches of the key set that failed"),
            jwks->failures());
    }
    Response response(200);
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = context.metrics.render();
    co_return response;
}

}  // namespace acad::api
