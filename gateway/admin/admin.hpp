// The second port: for operators, on the loopback or an internal network only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/admin/metrics_text.hpp"
#include "gateway/config/config.hpp"

namespace shared::http {
struct Request;
class Server;
}  // namespace shared::http
namespace shared::metrics {
class Registry;
}

namespace gateway::admin {

struct ReloadResult {
    bool done = false;
    std::string report;  // what is wrong, one line each
};

// What the admin port needs from the gateway. Called on the control thread.
struct Hooks {
    std::function<MetricsInput()> metrics;
    std::function<boost::asio::awaitable<ReloadResult>()> reload;
    // A POST has been answered with `status`; `reason`: why it was refused.
    std::function<void(const shared::http::Request&, unsigned status, std::string_view reason)> posted;
};

class Admin {
  public:
    // Binds at once; throws std::system_error where that fails.
    Admin(boost::asio::io_context& io, const config::Admin& settings, Hooks hooks);
    ~Admin();

    std::uint16_t port() const;
    void start();
    void stop(std::function<void()> done);

  private:
    std::unique_ptr<shared::metrics::Registry> own_metrics_;  // of the admin port's own server
    std::unique_ptr<shared::http::Server> server_;
};

}  // namespace gateway::admin
