#include "gateway/admin/admin.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <optional>
#include <vector>

#include "gateway/admin/views.hpp"
#include "gateway/config/load.hpp"
#include "gateway/wire/ip_address.hpp"
#include "gateway/wire/path.hpp"
#include "shared/base/text.hpp"
#include "shared/http/server.hpp"
#include "shared/jwt/credentials.hpp"
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

// A page in an operator's browser must not reach this port: not by a name of its own that leads here (DNS
// rebinding), and not by a request across origins.
class Guard {
  public:
    explicit Guard(const config::Admin& settings) : hosts_(settings.hosts), token_(settings.token) {}

    // Why not; nothing: it may.
    std::optional<http::Response> refusal(const http::Request& request, bool changes) const {
        if (!known_host(request.header("Host")))
            return http::problem_response(403, "host_not_allowed", "Nama host ini tidak dilayani");
        if (!request.header("Origin").empty())
            return http::problem_response(403, "cross_site", "Permintaan dari halaman web tidak dilayani");
        if (!changes || authorized(request.header("Authorization"))) return std::nullopt;
        auto refused = http::problem_response(401, "token_invalid", "Perlu token admin");
        refused.with("WWW-Authenticate", "Bearer realm=\"gateway-admin\"");
        return refused;
    }

  private:
    bool known_host(std::string_view authority) const {
        const std::size_t length = wire::check_authority(authority);
        std::string host = shared::lower_case(std::string(authority.substr(0, length)));
        if (host.ends_with('.')) host.pop_back();
        return length != 0 && (host.front() == '[' || wire::IpAddress::parse(host) || host == "localhost" ||
                               std::find(hosts_.begin(), hosts_.end(), host) != hosts_.end());
    }
    bool authorized(std::string_view authorization) const {
        const auto credentials = shared::jwt::read_credentials(authorization);
        return !token_.empty() && credentials.kind == shared::jwt::Credentials::Kind::bearer &&
               credentials.token.size() == token_.size() &&
               CRYPTO_memcmp(credentials.token.data(), token_.data(), token_.size()) == 0;
    }

    std::vector<std::string> hosts_;
    std::string token_;
};

}  // namespace

Admin::Admin(boost::asio::io_context& io, const config::Admin& settings, Hooks hooks)
    : own_metrics_(std::make_unique<shared::metrics::Registry>()) {
    http::Router router;
    const auto guard = std::make_shared<const Guard>(settings);
    const auto get = [&](const char* path, std::function<http::Response()> answer) {
        router.add("GET", path, http::Access::open(),
                   [guard, answer = std::move(answer)](http::Request& request) -> awaitable<http::Response> {
                       auto refused = guard->refusal(request, false);
                       if (refused) co_return std::move(*refused);
                       co_return answer();
                   });
    };
    const auto json = [](View view) { return http::json_response(view.status, std::move(view.json)); };
    get("/metrics", [metrics = hooks.metrics] {
        return text_response("text/plain; version=0.0.4; charset=utf-8", metrics_text(metrics()));
    });
    get("/healthz", [] { return http::json_response(200, "{\"status\":\"ok\"}"); });
    get("/readyz", [json, metrics = hooks.metrics] { return json(ready_view(metrics())); });
    get("/routes", [json, metrics = hooks.metrics] { return json(routes_view(metrics())); });
    get("/clusters", [json, metrics = hooks.metrics] { return json(clusters_view(metrics())); });
    get("/config", [metrics = hooks.metrics] {
        return http::json_response(200, config::dump(*metrics().snapshot->config));
    });
    router.add("POST", "/reload", http::Access::open(),
               [guard, reload = hooks.reload,
                posted = hooks.posted](http::Request& request) -> awaitable<http::Response> {
                   auto refused = guard->refusal(request, true);
                   if (refused) {
                       posted(request, refused->status, "admin_refused");
                       co_return std::move(*refused);
                   }
                   auto reloading = reload();
                   const ReloadResult result = co_await std::move(reloading);
                   posted(request, result.done ? 200 : 422, {});
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
