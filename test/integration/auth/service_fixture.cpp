#include "test/integration/auth/service_fixture.hpp"

#include <signal.h>

#include <stdexcept>
#include <thread>

#include "services/auth/crypto/mac.hpp"
#include "shared/base/encoding.hpp"
#include "test/support/token.hpp"

namespace auth_test {

using test::Reply;

Service::Service(test::UserStore kind, Environment extra, bool seeded) : extra_(std::move(extra)) {
    if (kind == test::UserStore::mongo) {
        mongo_ = std::make_unique<test::MongoDatabase>();
        uri_ = mongo_->uri();
    } else {
        postgres_ = std::make_unique<test::PostgresDatabase>();
        uri_ = postgres_->uri();
    }
    if (seeded) {
        std::string accounts;
        for (const auto& [name, role, nim] :
             {std::tuple{"admin", "admin", "null"}, std::tuple{"dosen", "dosen", "null"},
              std::tuple{"22001", "mahasiswa", "\"22001\""}})
            accounts += (accounts.empty() ? "" : ",") + std::string(R"({"username":")") + name +
                        R"(","password":")" + kPassword + R"(","role":")" + role + R"(","nim":)" + nim + "}";
        std::string output;
        if (command({"seed-demo", "-"}, "[" + accounts + "]", &output) != 0)
            throw std::runtime_error("seed-demo failed:\n" + output);
    }
    process_ = std::make_unique<test::Process>(test::binary("auth-service"),
                                               std::vector<std::string>{"serve"}, environment({}));
    port_ = process_->wait_port();
    if (!process_->wait_output("\"database_prepared\""))
        throw std::runtime_error("the service is not prepared:\n" + process_->output());
}

Service::Environment Service::environment(Environment extra) const {
    Environment values{{"PORT", std::to_string(port_)},
                       {"LISTEN_ADDRESS", "127.0.0.1"},
                       {"MONGO_URI", uri_},
                       {"JWT_SECRET", test::kJwtSecret},
                       {"REGISTRATION", "open"},
                       {"SQL_DIR", test::source_path("sql/auth")}};
    for (const auto& [name, value] : extra_) values[name] = value;
    for (const auto& [name, value] : extra) values[name] = value;
    return values;
}

std::unique_ptr<test::Process> Service::start_replica(Environment extra) {
    extra["PORT"] = "0";
    auto replica = std::make_unique<test::Process>(
        test::binary("auth-service"), std::vector<std::string>{"serve"}, environment(std::move(extra)));
    replica->wait_port();
    if (!replica->wait_output("\"database_prepared\"")) throw std::runtime_error(replica->output());
    return replica;
}

void Service::restart() {
    process_->signal(SIGTERM);
    process_->wait_exit();
    process_ = std::make_unique<test::Process>(test::binary("auth-service"),
                                               std::vector<std::string>{"serve"}, environment({}));
    process_->wait_port();
    process_->wait_output("\"database_prepared\"");
}

int Service::command(std::vector<std::string> arguments, const std::string& input, std::string* output) {
    test::Process process(test::binary("auth-service"), std::move(arguments), environment({}), input);
    const int code = process.wait_exit(std::chrono::seconds(60));
    if (output != nullptr) *output = process.output();
    return code;
}

Reply Service::call(const std::string& method, const std::string& path, const std::string& body,
                    const std::string& token, test::HeaderList headers) {
    if (!token.empty()) headers.push_back(test::bearer(token));
    if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
    return test::request(port_, method, path, std::move(headers), body);
}

Reply Service::get(const std::string& path, const std::string& token) {
    return call("GET", path, "", token);
}

Reply Service::post(const std::string& path, const std::string& body, const std::string& token) {
    return call("POST", path, body, token);
}

Reply Service::login_reply(const std::string& username, const std::string& password) {
    return post("/api/auth/login", R"({"username":")" + username + R"(","password":")" + password + "\"}");
}

Tokens Service::login(const std::string& username, const std::string& password) {
    const auto reply = login_reply(username, password);
    if (reply.status != 200)
        throw std::runtime_error("login: " + std::to_string(reply.status) + " " + reply.body);
    return tokens_of(reply);
}

Reply Service::refresh(const std::string& refresh_token) {
    return post("/api/auth/refresh", R"({"refresh_token":")" + refresh_token + "\"}");
}

Reply Service::feed(const std::string& query) {
    return feed_of(port_, query);
}

std::string Service::id_of(const std::string& access_token) {
    return get("/api/auth/me", access_token).text("id");
}

Tokens tokens_of(const Reply& reply) {
    return {reply.text("access_token"), reply.text("refresh_token")};
}

Reply feed_of(std::uint16_t port, const std::string& query) {
    static const std::string token =
        shared::to_hex(auth::crypto::hmac_sha256(test::kJwtSecret, "kampus revocation feed v1"));
    return test::get(port, "/internal/revocations" + query, {test::bearer(token)});
}

}  // namespace auth_test
