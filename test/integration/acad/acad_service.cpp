#include "test/integration/acad/acad_service.hpp"

#include <catch2/catch.hpp>
#include <thread>

namespace test::acad {

using namespace std::chrono_literals;

std::map<std::string, std::string> settings(const std::string& database_uri) {
    return {{"DATABASE_URL", database_uri},
            {"JWT_SECRET", kJwtSecret},
            {"PORT", "0"},
            {"LISTEN_ADDRESS", "127.0.0.1"},
            {"SQL_DIR", source_path("sql/acad")}};
}

void command(const std::string& name, const std::string& database_uri) {
    Process process(binary("acad-service"), {name}, settings(database_uri));
    const int code = process.wait_exit();
    INFO(process.output());
    REQUIRE(code == 0);
}

Service::Service(const std::string& database_uri, std::map<std::string, std::string> more, bool wait_ready) {
    auto environment = settings(database_uri);
    for (auto& [name, value] : more) environment[name] = value;
    process_ = std::make_unique<Process>(binary("acad-service"), std::vector<std::string>{}, environment);
    port_ = process_->wait_port();
    if (wait_ready) wait_health(200);
}

void Service::wait_health(unsigned status) const {
    unsigned seen = 0;
    for (int i = 0; i < 300; ++i) {
        seen = test::get(port_, "/health").status;
        if (seen == status) return;
        std::this_thread::sleep_for(50ms);
    }
    INFO(process_->output());
    REQUIRE(seen == status);
}

Reply Service::get(const std::string& target, const std::string& token) const {
    return test::get(port_, target, {bearer(token)});
}

Reply Service::send(const std::string& method, const std::string& target, const std::string& token,
                    const std::string& body, HeaderList headers) const {
    headers.push_back(bearer(token));
    if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
    return request(port_, method, target, std::move(headers), body);
}

std::string admin() {
    TokenClaims claims;
    claims.role = "admin";
    claims.sub = "u-admin";
    return mint_token(claims);
}

std::string dosen() {
    TokenClaims claims;
    claims.role = "dosen";
    claims.sub = "u-dosen";
    return mint_token(claims);
}

std::string student(const std::string& nim) {
    TokenClaims claims;
    claims.nim = nim;
    claims.sub = "u-" + nim;
    return mint_token(claims);
}

std::string code(const Reply& reply) {
    return reply.text("code");
}

}  // namespace test::acad
