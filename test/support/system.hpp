// The whole system as a client sees it: databases, both services and the gateway with the shipped
// configuration.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/support/database.hpp"
#include "test/support/http.hpp"
#include "test/support/process.hpp"

namespace test {

enum class UserStore { mongo, postgres };
const char* to_string(UserStore store);

// True if what this store needs is there (else the test was failed or visibly skipped).
bool have_servers(UserStore store);

struct SystemOptions {
    std::size_t gateways = 1;
    std::size_t auths = 1;  // gateway i goes to auth-service i modulo their number, acad-service to the first
    bool signing_keys =
        false;  // key files (ES256) and JWKS instead of JWT_SECRET, which acad-service then lacks
    using Environment = std::map<std::string, std::string>;
    Environment gateway, auth, acad;  // added to what each is given
};

class System {
  public:
    // Starts everything, loads the demo data and waits until the gateways are ready.
    explicit System(UserStore store, SystemOptions options = {});
    ~System();

    std::uint16_t gateway_port(std::size_t i = 0) const { return gateways_[i].port; }
    std::uint16_t admin_port(std::size_t i = 0) const { return gateways_[i].admin_port; }
    std::uint16_t auth_port(std::size_t i = 0) const { return auths_[i].port; }
    std::uint16_t acad_port() const { return acad_.port; }
    Process& gateway(std::size_t i = 0) { return *gateways_[i].process; }
    Process& auth(std::size_t i = 0) { return *auths_[i].process; }
    Process& acad() { return *acad_.process; }

    // Password of a demo account: 22001, 22002, dosen, admin.
    const std::string& password(const std::string& username) const { return passwords_.at(username); }
    // Logs in through the first gateway; throws unless that gives 200.
    std::string login(const std::string& username);
    // GET through the first gateway with that account's token.
    Reply get_as(const std::string& username, const std::string& target);
    // One step of the signing keys; throws with the command's output if that fails.
    void rotate_key();

    // Stops a process and starts it again on the same port.
    void stop_acad();
    void start_acad();
    void stop_auth(std::size_t i = 0);
    void start_auth(std::size_t i = 0);
    void stop_gateway(std::size_t i = 0);
    void start_gateway(std::size_t i = 0);
    // Waits until GET /ready through the gateway gives `status`.
    bool wait_ready(unsigned status, std::size_t i = 0);

    const PostgresDatabase& acad_database() const { return acad_database_; }
    // Of the auth-service, where UserStore::postgres was asked for.
    const PostgresDatabase& auth_database() const { return *auth_postgres_; }

  private:
    struct Part {
        std::uint16_t port = 0;
        std::uint16_t admin_port = 0;
        std::unique_ptr<Process> process;
    };
    using Environment = SystemOptions::Environment;
    Environment auth_environment(std::size_t i) const;
    Environment acad_environment() const;
    Environment gateway_environment(std::size_t i) const;
    std::string auth_url(std::size_t i, const std::string& path) const;
    void load_demo_data();

    UserStore store_;
    SystemOptions options_;
    std::filesystem::path keys_dir_;  // empty: none
    PostgresDatabase acad_database_;
    std::unique_ptr<PostgresDatabase> auth_postgres_;
    std::unique_ptr<MongoDatabase> auth_mongo_;
    std::map<std::string, std::string> passwords_;
    std::vector<Part> auths_;
    Part acad_;
    std::vector<Part> gateways_;
    std::map<std::string, std::string> tokens_;
};

}  // namespace test
