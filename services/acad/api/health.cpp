#include "services/acad/api/health.hpp"

#include "shared/metrics/count_up_to.hpp"

namespace acad::api {

using shared::http::Access;

namespace {

constexpr std::chrono::milliseconds kPingTimeout{1500};

}  // namespace

Health::Health(shared::pg::Pool& pool, shared::metrics::Registry& metrics, const std::atomic<bool>& migrated,
               const bool& stopping, const shared::keys::KeySource& keys,
               std::function<bool()> sessions_known)
    : pool_(pool),
      metrics_(metrics),
      migrated_(migrated),
      stopping_(stopping),
      keys_(keys),
      sessions_known_(std::move(sessions_known)) {}

void Health::routes(shared::http::Router& router) {
    router.add("GET", "/health", Access::open(), [this](Request& request) { return health(request); });
    router.add("GET", "/api/acad/health", Access::open(),
               [this](Request& request) { return health(request); });
    router.add("GET", "/livez", Access::open(), [this](Request& request) { return live(request); });
    router.add("GET", "/metrics", Access::open(), [this](Request& request) { return metrics(request); });
}

Reply Health::health(Request&) {
    const bool up = co_await pool_.ping(kPingTimeout);
    const bool sessions_known = sessions_known_();
    const bool keys_known = keys_.ready();
    const bool ready = up && migrated_ && keys_known && sessions_known && !stopping_;
    shared::json::Writer writer;
    writer.object([&] {
        writer.member("status", ready ? "ok" : stopping_ ? "stopping" : "unavailable");
        writer.member("database", !up ? "down" : migrated_ ? "up" : "migrating");
        writer.member("keys", keys_known ? "known" : "unknown");
        writer.member("sessions", sessions_known ? "known" : "unknown");
    });
    auto response = shared::http::json_response(ready ? 200 : 503, writer.str());
    response.with("Cache-Control", "no-store");
    if (!ready) response.with("Retry-After", "2");
    co_return response;
}

Reply Health::live(Request&) {
    co_return shared::http::json_response(200, R"({"status":"ok"})");
}

Reply Health::metrics(Request&) {
    const auto counts = pool_.counts();
    const auto set = [this](const char* name, const char* help, auto value) {
        metrics_.gauge(name, help).Set(static_cast<double>(value));
    };
    set("db_connections_open", "Database connections in use, idle or being made", counts.open);
    set("db_connections_idle", "Database connections that are free", counts.idle);
    set("db_waiters", "Requests that wait for a database connection", counts.waiting);
    set("verification_keys", "Keys that tokens are verified with", keys_.key_count());
    if (const auto* jwks = keys_.jwks()) {
        set("jwks_age_seconds", "Seconds since the key set was last fetched", jwks->age().count() / 1000.0);
        shared::metrics::count_up_to(
            metrics_.counter("jwks_fetch_failures_total", "Fetches of the key set that failed"),
            jwks->failures());
    }
    Response response(200);
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics_.render();
    co_return response;
}

}  // namespace acad::api
