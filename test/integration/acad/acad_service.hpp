// The real acad-service on a database of its own.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "test/support/database.hpp"
#include "test/support/http.hpp"
#include "test/support/process.hpp"
#include "test/support/token.hpp"

namespace test::acad {

// The environment that a service needs to start.
std::map<std::string, std::string> settings(const std::string& database_uri);

// Runs a command (migrate, seed-demo) to its end; fails the test if it does not succeed.
void command(const std::string& name, const std::string& database_uri);

class Service {
  public:
    // Waits until it is ready unless told otherwise. `more` is added to the environment.
    explicit Service(const std::string& database_uri, std::map<std::string, std::string> more = {},
                     bool wait_ready = true);

    std::uint16_t port() const { return port_; }
    Process& process() { return *process_; }

    // Waits until /health has this status (or fails the test).
    void wait_health(unsigned status) const;

    Reply get(const std::string& target, const std::string& token) const;
    // `body` is JSON.
    Reply send(const std::string& method, const std::string& target, const std::string& token,
               const std::string& body, HeaderList headers = {}) const;

  private:
    std::unique_ptr<Process> process_;
    std::uint16_t port_ = 0;
};

std::string admin();
std::string dosen();
std::string student(const std::string& nim);

// The "code" of a problem.
std::string code(const Reply& reply);

}  // namespace test::acad
