// A server of shared/http on a thread of its own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "shared/http/server.hpp"

namespace test {

// The tokens "admin" and "student" have these roles, "student-NAME" is NAME's; with "down" the keys cannot be
// had; others are forged.
inline shared::Result<shared::jwt::Claims> check_test_token(std::string_view token) {
    if (token == "down") return make_error_code(shared::jwt::Errc::no_keys);
    if (token != "admin" && token != "student" && !token.starts_with("student-"))
        return make_error_code(shared::jwt::Errc::bad_signature);
    shared::jwt::Claims claims;
    claims.role = token == "admin" ? "admin" : "mahasiswa";
    claims.sub = token.substr(token.find('-') + 1);
    return claims;
}

class RunningServer {
  public:
    explicit RunningServer(shared::http::ServerOptions options = {}) : options_(std::move(options)) {
        options_.service = "test";
        options_.address = "127.0.0.1";
    }
    ~RunningServer() {
        boost::asio::post(io_,
                          [this] { server_->drain(std::chrono::milliseconds(100), [this] { io_.stop(); }); });
        thread_.join();
    }

    void start(shared::http::Router router) {
        server_ = std::make_unique<shared::http::Server>(io_, options_, std::move(router), check_test_token,
                                                         metrics_);
        server_->start();
        thread_ = std::thread([this] { io_.run(); });
    }

    boost::asio::io_context& context() { return io_; }
    std::uint16_t port() const { return server_->port(); }
    std::string rendered_metrics() const { return metrics_.render(); }
    void drain(std::chrono::milliseconds grace) {
        boost::asio::post(io_, [this, grace] { server_->drain(grace, [] {}); });
    }
    // True if the drain was over within `time`.
    bool drain_and_wait(std::chrono::milliseconds grace, std::chrono::milliseconds time) {
        auto drained = std::make_shared<std::promise<void>>();
        auto over = drained->get_future();
        boost::asio::post(io_, [this, grace, drained] {
            server_->drain(grace, [this, drained] {
                drained->set_value();
                io_.stop();
            });
        });
        return over.wait_for(time) == std::future_status::ready;
    }

  private:
    shared::http::ServerOptions options_;
    boost::asio::io_context io_{1};
    shared::metrics::Registry metrics_;
    std::unique_ptr<shared::http::Server> server_;
    std::thread thread_;
};

}  // namespace test
