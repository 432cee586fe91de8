// The services' HTTP/1.1 server: route table, limits, deadlines, token check, request ids, access log, metrics.
// One io_context, one thread: what blocks goes to an async::BoundedPool.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/http/message.hpp"
#include "shared/jwt/verifier.hpp"
#include "shared/metrics/metrics.hpp"

namespace shared::http {

using Handler = std::function<boost::asio::awaitable<Response>(Request&)>;

// Who may call a route. There is no default: a route says it.
class Access {
  public:
    static Access open() { return Access(Kind::open, {}); }
    static Access any_token() { return Access(Kind::token, {}); }
    static Access roles(std::vector<std::string> roles) { return Access(Kind::roles, std::move(roles)); }

    bool needs_token() const { return kind_ != Kind::open; }
    // True if the role may call the route.
    bool allows(std::string_view role) const;

  private:
    enum class Kind { open, token, roles };
    Access(Kind kind, std::vector<std::string> roles) : kind_(kind), roles_(std::move(roles)) {}
    Kind kind_;
    std::vector<std::string> roles_;
};

// (method, pattern) -> handler. Patterns are segments; "{name}" matches one non-empty segment. A literal segment
// wins over a parameter. GET routes answer HEAD; OPTIONS and 405 carry Allow.
class Router {
  public:
    Router();
    ~Router();
    Router(Router&&) noexcept;
    // Throws std::logic_error for a pattern that is there already.
    void add(std::string_view method, std::string_view pattern, Access access, Handler handler);

    struct Route;
    struct Match {
        const Route* route = nullptr;   // nullptr: 404, or 405 if allow is not empty
        std::vector<std::pair<std::string, std::string>> params;
        std::string allow;  // for OPTIONS and 405
    };
    Match match(std::string_view method, std::string_view path) const;

    struct Route {
        std::string method;
        std::string pattern;  // also the metrics label
        Access access;
        Handler handler;
    };

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Checks an access token against signature, claims and revocations. Error: a shared::jwt::Errc.
using TokenCheck = std::function<Result<jwt::Claims>(std::string_view token)>;

struct ServerOptions {
    std::string service;                     // name in logs and in the WWW-Authenticate realm
    std::string address = "0.0.0.0";
    std::uint16_t port = 0;                  // 0: chosen by the system, see Server::port()
    std::size_t max_connections = 4096;
    std::size_t header_limit_bytes = 32 * 1024;
    std::size_t body_limit_bytes = 1024 * 1024;
    std::chrono::seconds head_timeout{10};
    std::chrono::seconds body_timeout{30};
    std::chrono::seconds idle_timeout{75};   // longer than the gateway keeps pooled connections
    std::chrono::seconds write_timeout{30};
    std::vector<std::string> trusted_proxies{"127.0.0.0/8", "::1/128"};  // whose X-Forwarded-For counts
};

class Server {
  public:
    // Binds at once; throws std::system_error with the port in its text if that fails.
    Server(boost::asio::io_context& io, ServerOptions options, Router router, TokenCheck check,
           metrics::Registry& metrics);
    ~Server();

    std::uint16_t port() const;
    void start();
    // Stops accepting, answers what is in flight with Connection: close, and cuts off what is left after `grace`.
    // `done` runs when no connection is left.
    void drain(std::chrono::milliseconds grace, std::function<void()> done);

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace shared::http
