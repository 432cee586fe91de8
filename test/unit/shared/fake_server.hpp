// A scripted HTTP server on a free port, with a thread of its own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace test {

namespace asio = boost::asio;
using asio::ip::tcp;

// Answers each request with the next scripted body; without one it drops the connection.
class FakeServer {
  public:
    FakeServer() : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeServer() {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        // Wakes the accept that is under way.
        boost::system::error_code ignored;
        tcp::socket last(io_);
        last.connect(acceptor_.local_endpoint(), ignored);
        thread_.join();
    }

    void then(std::string body, int status = 200) {
        const std::lock_guard lock(mutex_);
        script_.emplace_back(status, std::move(body));
    }
    std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + path;
    }
    // What is answered when the script is empty; without it the connection is dropped.
    void otherwise(std::string body, int status = 200) {
        const std::lock_guard lock(mutex_);
        otherwise_ = {status, std::move(body)};
    }
    std::vector<std::string> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

  private:
    void serve() {
        for (;;) {
            boost::system::error_code error;
            tcp::socket socket(io_);
            acceptor_.accept(socket, error);
            std::string head;
            std::pair<int, std::string> answer;
            {
                const std::lock_guard lock(mutex_);
                if (stopped_) return;
            }
            asio::read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n", error);
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(head);
                if (script_.empty() && !otherwise_) continue;
                if (script_.empty()) {
                    answer = *otherwise_;
                } else {
                    answer = std::move(script_.front());
                    script_.pop_front();
                }
            }
            asio::write(socket,
                        asio::buffer("HTTP/1.1 " + std::to_string(answer.first) + " X\r\nContent-Length: " +
                                     std::to_string(answer.second.size()) + "\r\n\r\n" + answer.second),
                        error);
        }
    }

    asio::io_context io_;
    tcp::acceptor acceptor_;
    std::thread thread_;
    mutable std::mutex mutex_;
    std::deque<std::pair<int, std::string>> script_;
    std::optional<std::pair<int, std::string>> otherwise_;
    std::vector<std::string> requests_;
    bool stopped_ = false;
};

// Runs the context until the condition holds; false after 10 s.
inline bool run_until(asio::io_context& io, const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        io.run_one_for(std::chrono::milliseconds(20));
        io.restart();
    }
    return true;
}

}  // namespace test
