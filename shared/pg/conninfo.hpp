// A connection string taken apart, so that host names can be resolved without blocking: libpq's own
// getaddrinfo runs inside PQconnectStart and would stop the whole io_context while a name server does not
// answer.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shared/base/result.hpp"

namespace shared::pg {

using Keywords = std::vector<std::pair<std::string, std::string>>;

// Throws std::runtime_error if libpq cannot read it (the message holds no password).
Keywords parse_conninfo(const std::string& conninfo);

// Adds `value` unless the key is there.
void set_default(Keywords& keywords, const std::string& key, std::string value);

// The same keywords with hostaddr for every host that is a name; unix sockets and addresses stay as they are.
// Calls at the same time share one look-up, because Asio's resolver thread does one after the other.
class HostResolver {
  public:
    HostResolver(boost::asio::io_context& io, Keywords keywords);

    // Error timed_out after `limit`, else what the resolver said.
    boost::asio::awaitable<Result<Keywords>> resolve(std::chrono::milliseconds limit);

  private:
    struct Lookup;
    struct Host {
        std::string name;
        std::string port;
        bool is_name;
    };
    void start();

    boost::asio::io_context& io_;
    Keywords keywords_;
    std::vector<Host> hosts_;
    bool needed_ = false;
    std::shared_ptr<Lookup> running_;
};

}  // namespace shared::pg
