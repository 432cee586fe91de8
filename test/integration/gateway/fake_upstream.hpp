// An upstream that does exactly what a test tells it, and keeps every byte it was sent.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace test {

// One connection from the gateway, on a thread of its own. Reads throw when the peer closes or 10 s are over;
// the script then ends.
class UpstreamConnection {
  public:
    UpstreamConnection(int fd, std::size_t number, std::function<void(const std::string&)> record)
        : fd_(fd), number_(number), record_(std::move(record)) {}
    ~UpstreamConnection() { close(); }
    UpstreamConnection(const UpstreamConnection&) = delete;
    UpstreamConnection& operator=(const UpstreamConnection&) = delete;

    std::size_t number() const { return number_; }  // 0 for the first connection, 1 for the second, …
    // Start line and header lines with their CRLFs, without the empty line.
    std::string read_head();
    std::string read_exactly(std::size_t bytes);
    std::string read_until(const std::string& end);
    // Everything until the peer closes.
    std::string read_to_end();
    // False once the peer has closed.
    void send(const std::string& bytes);
    // 200 with Content-Length.
    void answer(const std::string& body, const std::string& more_headers = "");
    void shutdown_send();
    void close();
    void reset();  // RST

  private:
    int fd_;
    std::size_t number_;
    std::string unread_;
    std::function<void(const std::string&)> record_;
};

class FakeUpstream {
  public:
    using Script = std::function<void(UpstreamConnection&)>;

    explicit FakeUpstream(Script script);
    ~FakeUpstream();

    std::uint16_t port() const { return port_; }
    std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }
    // All bytes that any connection has received.
    std::string received() const;
    std::size_t connections() const { return connections_.load(); }
    // Waits until received() contains `text`.
    bool wait_received(const std::string& text,
                       std::chrono::milliseconds timeout = std::chrono::seconds(10)) const;

    // Answers each request with 200 and the request itself (head, empty line, body) as its body.
    static void echo(UpstreamConnection& connection);

  private:
    void accept_loop();

    Script script_;
    int listen_fd_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::string received_;
    std::vector<int> open_;
    std::atomic<std::size_t> connections_{0};
    std::atomic<bool> stopping_{false};
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

// The body that a head announces: by Content-Length, or chunked (decoded).
std::string read_body_of(UpstreamConnection& connection, const std::string& head);
// Value of a header in a head; empty if absent.
std::string header_of(const std::string& head, const std::string& name);

}  // namespace test
