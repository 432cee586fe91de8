// Clients for tests: one that speaks HTTP, one that sends and shows raw bytes.
#pragma once

#include <rapidjson/document.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace test {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct Reply {
    unsigned status = 0;
    HeaderList headers;
    std::string body;

    // First value, name without regard to case; empty if absent.
    std::string header(const std::string& name) const;
    bool has_header(const std::string& name) const;
    // The parsed body; throws if it is no JSON.
    rapidjson::Document json() const;
    // A top-level string member of the body ("" if there is none).
    std::string text(const char* member) const;
};

// One request on a connection of its own to 127.0.0.1:port. Throws on a broken connection or after 30 s.
Reply request(std::uint16_t port, const std::string& method, const std::string& target,
              HeaderList headers = {}, const std::string& body = "");
Reply get(std::uint16_t port, const std::string& target, HeaderList headers = {});
// With Content-Type: application/json.
Reply post_json(std::uint16_t port, const std::string& target, const std::string& body,
                HeaderList headers = {});
std::pair<std::string, std::string> bearer(const std::string& token);

// A TCP connection to 127.0.0.1 for byte-exact tests.
class RawConnection {
  public:
    explicit RawConnection(std::uint16_t port);
    ~RawConnection();
    RawConnection(RawConnection&& other) noexcept;
    RawConnection& operator=(RawConnection&&) = delete;

    void send(const std::string& bytes);
    void shutdown_send();
    void reset();  // closes with RST
    // Reads until what has been received since the last call contains `end`, the peer closes, or the time is
    // over; returns what came.
    std::string read_until(const std::string& end,
                           std::chrono::milliseconds timeout = std::chrono::seconds(10));
    // What one read gives; empty if the peer has closed or the time is over.
    std::string read_some(std::chrono::milliseconds timeout = std::chrono::seconds(10));
    // Reads until the peer closes or the time is over.
    std::string read_to_end(std::chrono::milliseconds timeout = std::chrono::seconds(10));
    // True if the peer has closed its side.
    bool closed_by_peer() const { return closed_; }
    int fd() const { return fd_; }

  private:
    int fd_ = -1;
    bool closed_ = false;
};

}  // namespace test
