// The services' HTTP/1.1 server: limits, deadlines, token check, request ids, access log, metrics around a
// Router. One io_context, one thread: what blocks goes to an async::BoundedPool.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/http/router.hpp"
#include "shared/jwt/verifier.hpp"
#include "shared/metrics/metrics.hpp"

namespace shared::http {

// Checks an access token against signature, claims and revocations. Error: a shared::jwt::Errc.
using TokenCheck = std::function<Result<jwt::Claims>(std::string_view token)>;

// Of the requests that are answered at the same time.
struct Share {
    std::size_t at_once = 64;
    std::size_t per_client = 16;  // of those, for one client (turns.hpp)
};

struct ServerOptions {
    std::string service;  // name in logs and in the WWW-Authenticate realm
    std::string address = "0.0.0.0";
    std::uint16_t port = 0;              // 0: chosen by the system, see Server::port()
    std::size_t max_connections = 4096;  // a few more are told that there are too many
    std::uint32_t header_limit_bytes = 32 * 1024;
    std::uint64_t body_limit_bytes = 1024 * 1024;
    std::chrono::seconds head_timeout{10};
    std::chrono::seconds body_timeout{30};   // of one in pieces: longer as more comes (BodyStream)
    std::chrono::seconds idle_timeout{75};   // longer than the gateway keeps pooled connections
    std::chrono::seconds write_timeout{30};  // of each piece, where an answer has several
    // By the route's rate: logins wait for one another, and nobody else for them. Those that are slowed down
    // after many failures (32 of an address) keep their places meanwhile.
    Share ordinary{};
    Share sign_in{256, 64};
    Share costly{4, 2};
    std::size_t max_waiting = 1024;            // requests of each rate that wait for their turn
    std::chrono::milliseconds patience{5000};  // of each of them; beyond both it is a 503, code overloaded
    // Whose X-Client-Address counts: addresses or networks, e.g. "172.16.0.0/28".
    std::vector<std::string> trusted_proxies{"127.0.0.0/8", "::1/128"};
};

class Server {
  public:
    // Binds at once. Throws std::runtime_error naming the address and port if that fails, or the entry of
    // trusted_proxies that is no network.
    Server(boost::asio::io_context& io, ServerOptions options, Router router, TokenCheck check,
           metrics::Registry& metrics);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const;
    std::size_t connections() const;  // that are open
    // Begins to accept; logs the event `listening`.
    void start();
    // From now on each answer ends its connection, so that clients look for another server; still accepts.
    void retire();
    // Stops accepting, answers what is in flight with Connection: close, and cuts off what is left after
    // `grace`. `done` runs once: when no connection is left, or soon after the grace where a handler still
    // waits for something else (its coroutine then ends with the io_context).
    void drain(std::chrono::milliseconds grace, std::function<void()> done);

    struct Impl;

  private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace shared::http
