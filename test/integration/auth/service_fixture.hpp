// The real auth-service binary on a database of its own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/support/http.hpp"
#include "test/support/process.hpp"
#include "test/support/system.hpp"

namespace auth_test {

inline constexpr const char* kPassword = "kuda-laut-biru-9";

struct Tokens {
    std::string access;
    std::string refresh;
};

class Service {
  public:
    using Environment = std::map<std::string, std::string>;

    // Starts on a fresh database with the accounts admin, dosen and 22001 (password kPassword) unless
    // `seeded` is false.
    explicit Service(test::UserStore kind, Environment extra = {}, bool seeded = true);

    std::uint16_t port() const { return port_; }
    test::Process& process() { return *process_; }
    const std::string& uri() const { return uri_; }

    // Another replica on the same database.
    std::unique_ptr<test::Process> start_replica(Environment extra = {});
    // Ends this replica in order and starts it again on the same port.
    void restart();
    // Runs a command of the binary to its end; its exit code.
    int command(std::vector<std::string> arguments, const std::string& input, std::string* output = nullptr);

    test::Reply get(const std::string& path, const std::string& token = "");
    test::Reply call(const std::string& method, const std::string& path, const std::string& body = "",
                     const std::string& token = "", test::HeaderList headers = {});
    test::Reply post(const std::string& path, const std::string& body, const std::string& token = "");
    test::Reply login_reply(const std::string& username, const std::string& password);
    Tokens login(const std::string& username, const std::string& password = kPassword);
    test::Reply refresh(const std::string& refresh_token);
    test::Reply feed(const std::string& query = "");
    // Id of an account, asked as the account itself.
    std::string id_of(const std::string& access_token);

    Environment environment(Environment extra) const;

  private:
    std::unique_ptr<test::PostgresDatabase> postgres_;
    std::unique_ptr<test::MongoDatabase> mongo_;
    std::string uri_;
    Environment extra_;
    std::uint16_t port_ = 0;
    std::unique_ptr<test::Process> process_;
};

// The body of a login or a refresh.
Tokens tokens_of(const test::Reply& reply);
// GET /internal/revocations of any replica.
test::Reply feed_of(std::uint16_t port, const std::string& query);

}  // namespace auth_test
