#include "gateway/admin/admin.hpp"

#include <boost/asio/awaitable.hpp>

#include "gateway/admin/views.hpp"
#include "gateway/config/load.hpp"
#include "shared/http/server.hpp"
#include "shared/metrics/metrics.hpp"

namespace gateway::admin {

namespace http = shared::http;
using boost::asio::awaitable;

namespace {

http::Response text_response(std::string content_type, std::string body) {
    http::Response response(200);
    response.content_type = std::move(content_type);
    response.body = std::move(body);
    return response;
}

}  // namespace

Admin::Admin(boost::asio::io_context& io, const config::Admin& settings, Hooks hooks)
    : own_metrics_(std::make_unique<shared::metrics::Registry>()) {
    http::Router router;
    const auto get = [&](const char* path, http::Handler handler) {
        router.add("GET", path, http::Access::open(), std::move(handler));
    };
    get("/metrics", [metrics = hooks.metrics](http::Request&) -> awaitable<http::Response> {
        co_return text_response("text/plain; version=0.0.4; charset=utf-8", metrics_text(metrics()));
    });
    get("/healthz", [](http::Request&) -> awaitable<http::Response> {
        co_return http::json_response(200, "{\"status\":\"ok\"}");
    });
    get("/readyz", [metrics = hooks.metrics](http::Request&) -> awaitable<http::Response> {
        const View view = ready_view(metrics());
        co_return http::json_response(view.status, view.json);
    });
    get("/routes", [metrics = hooks.metrics](http::Request&) -> awaitable<http::Response> {
        co_return http::json_response(200, routes_view(metrics()).json);
    });
    get("/clusters", [metrics = hooks.metrics](http::Request&) -> awaitable<http::Response> {
        co_return http::json_response(200, clusters_view(metrics()).json);
    });
    get("/config", [metrics = hooks.metrics](http::Request&) -> awaitable<http::Response> {
        co_return http::json_response(200, config::dump(*metrics().snapshot->config));
    });
    router.add("POST", "/reload", http::Access::open(),
               [reload = hooks.reload](http::Request&) -> awaitable<http::Response> {
                   auto reloading = reload();
                   const ReloadResult result = co_await std::move(reloading);
                   co_return http::json_response(result.done ? 200 : 422, reload_view(result).json);
               });
    http::ServerOptions options;
    options.service = "gateway-admin";
    options.address = settings.address;
    options.port = settings.port;
    options.max_connections = 64;
    server_ = std::make_unique<http::Server>(
        io, options, std::move(router),
        [](std::string_view) -> shared::Result<shared::jwt::Claims> {
            return shared::jwt::make_error_code(shared::jwt::Errc::no_keys);  // no route here needs a token
        },
        *own_metrics_);
}

Admin::~Admin() = default;

std::uint16_t Admin::port() const {
    return server_->port();
}
void Admin::start() {
    server_->start();
}
void Admin::stop(std::function<void()> done) {
    server_->drain(std::chrono::milliseconds(200), std::move(done));
}

}  // namespace gateway::admin
