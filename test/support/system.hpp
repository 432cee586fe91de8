// The whole system as a client sees it: databases, both services and the gateway with the shipped
// configuration.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "test/support/database.hpp"
#include "test/support/http.hpp"
#include "test/support/process.hpp"

namespace test {

enum class UserStore { mongo, postgres };
const char* to_string(UserStore store);

// True if what this store needs is there (else the test was failed or visibly skipped).
bool have_servers(UserStore store);

class System {
  public:
    // Starts everything, loads the demo data and waits until the gateway is ready.
    explicit System(UserStore store);
    ~System();

    std::uint16_t gateway_port() const { return gateway_port_; }
    std::uint16_t admin_port() const { return admin_port_; }
    std::uint16_t auth_port() const { return auth_port_; }
    std::uint16_t acad_port() const { return acad_port_; }
    Process& gateway() { return *gateway_; }
    Process& auth() { return *auth_; }
    Process& acad() { return *acad_; }

    // Password of a demo account: 22001, 22002, dosen, admin.
    const std::string& password(const std::string& username) const { return passwords_.at(username); }
    // Logs in through the gateway; throws unless that gives 200.
    std::string login(const std::string& username);
    // GET through the gateway with that account's token.
    Reply get_as(const std::string& username, const std::string& target);

    // Stops a service and starts it again on the same port.
    void stop_acad();
    void start_acad();
    void stop_auth();
    void start_auth();
    // Waits until GET /ready through the gateway gives `status`.
    bool wait_ready(unsigned status);

    const PostgresDatabase& acad_database() const { return acad_database_; }

  private:
    std::map<std::string, std::string> auth_environment() const;
    std::map<std::string, std::string> acad_environment() const;

    UserStore store_;
    PostgresDatabase acad_database_;
    std::unique_ptr<PostgresDatabase> auth_postgres_;
    std::unique_ptr<MongoDatabase> auth_mongo_;
    std::map<std::string, std::string> passwords_;
    std::string accounts_json_;
    std::uint16_t gateway_port_ = 0;
    std::uint16_t admin_port_ = 0;
    std::uint16_t auth_port_ = 0;
    std::uint16_t acad_port_ = 0;
    std::unique_ptr<Process> auth_;
    std::unique_ptr<Process> acad_;
    std::unique_ptr<Process> gateway_;
    std::map<std::string, std::string> tokens_;
};

}  // namespace test
