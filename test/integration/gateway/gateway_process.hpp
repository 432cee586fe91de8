// The real gateway with a configuration of the test's own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "test/support/http.hpp"
#include "test/support/process.hpp"
#include "test/support/token.hpp"

namespace test {

// Removed at the end.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::string& path() const { return path_; }
    std::string write(const std::string& name, const std::string& contents) const;  // returns its path

  private:
    std::string path_;
};

// What tests vary, as JSON fragments without their outer comma.
inline const std::string kAdminToken = "admin-token-of-the-tests";

struct GatewayConfig {
    std::string listener_more;  // members of the listener
    std::string client;         // members of "client"
    std::string clusters;       // items of "clusters"
    std::string routes;         // items of "routes"
    std::string more;           // more top-level members
    std::string workers = "1";

    std::string text() const;
};

// One cluster "up" without health checks; `more`: members.
std::string cluster_of(const std::string& endpoint, const std::string& more = "");
// A public route for everything below `prefix` to cluster "up"; `more`: members.
std::string open_route(const std::string& prefix, const std::string& more = "");

class Gateway {
  public:
    explicit Gateway(const GatewayConfig& config);
    // The usual: one upstream, public route "/" to it.
    static GatewayConfig in_front_of(const std::string& endpoint, const std::string& route_more = "",
                                     const std::string& cluster_more = "");

    std::uint16_t port() const { return port_; }
    std::uint16_t admin_port() const { return admin_port_; }
    Process& process() { return *process_; }
    const TemporaryDirectory& directory() const { return directory_; }
    void rewrite(const GatewayConfig& config);
    // Value of a metric's line, by its beginning ("gateway_retries_total "); 0 if there is none.
    double metric(const std::string& line_start) const;
    bool wait_metric(const std::string& line_start, double at_least) const;

  private:
    TemporaryDirectory directory_;
    std::string config_file_;
    std::unique_ptr<Process> process_;
    std::uint16_t port_ = 0;
    std::uint16_t admin_port_ = 0;
};

// Sends the bytes, returns all that comes until the gateway closes (or 10 s).
std::string exchange(std::uint16_t port, const std::string& bytes);
// Status of an answer's first line; 0 if there is none.
unsigned status_of(const std::string& answer);

}  // namespace test
