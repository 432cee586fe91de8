// What stops a start, and what a client may send wrong.
#include <catch2/catch.hpp>

#include "test/support/process.hpp"
#include "test/support/system.hpp"
#include "test/support/token.hpp"

using namespace test;

namespace {

struct Start {
    std::string program;
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;
    std::string named;  // what the message must name
};

const char* kUri = "postgresql://nobody@127.0.0.1:1/none";

}  // namespace

TEST_CASE("a wrong setting stops the start with one message that names it") {
    const std::string secret = kJwtSecret;
    const Start rows[] = {
        {"auth-service", {"serve"}, {{"MONGO_URI", kUri}}, "JWT_SECRET"},
        {"auth-service", {"serve"}, {{"MONGO_URI", kUri}, {"JWT_SECRET", "short"}}, "JWT_SECRET"},
        {"auth-service", {"serve"}, {{"JWT_SECRET", secret}}, "MONGO_URI"},
        {"auth-service", {"serve"}, {{"MONGO_URI", "mysql://x"}, {"JWT_SECRET", secret}}, "MONGO_URI"},
        {"auth-service", {"serve"}, {{"MONGO_URI", "mongodb://"}, {"JWT_SECRET", secret}}, "MONGO_URI"},
        {"auth-service", {"serve"}, {{"MONGO_URI", kUri}, {"JWT_SECRET", secret}, {"PORT", "x"}}, "PORT"},
        {"acad-service", {"serve"}, {{"DATABASE_URL", kUri}}, "JWT_SECRET"},
        {"acad-service", {"serve"}, {{"JWT_SECRET", secret}}, "DB_HOST"},
        {"acad-service", {"serve"}, {{"DATABASE_URL", "http://x"}, {"JWT_SECRET", secret}}, "DATABASE_URL"},
        {"gateway",
         {"run", "--config", source_path("deploy/config/gateway.json")},
         {{"GATEWAY_PORT", "0"}, {"ADMIN_PORT", "0"}},
         "/issuers/0/keys/0/secret"},
        {"gateway",
         {"run", "--config", source_path("deploy/config/gateway.json")},
         {{"GATEWAY_PORT", "0"}, {"ADMIN_PORT", "0"}, {"JWT_SECRET", "short"}},
         "JWT_SECRET"},
        {"gateway", {"run", "--config", "/not/there.json"}, {{"JWT_SECRET", secret}}, "/not/there.json"},
    };
    for (const auto& row : rows) {
        Process process(binary(row.program), row.arguments, row.environment);
        const int code = process.wait_exit();
        INFO(row.program << " without a good " << row.named << ": " << process.output());
        CHECK(code != 0);
        CHECK(code < 128);
        CHECK(process.output().find(row.named) != std::string::npos);
        for (const auto& [name, value] : row.environment)
            if (name == "JWT_SECRET" && value.size() > 8)
                CHECK(process.output().find(value) == std::string::npos);
    }
}

TEST_CASE("a port in use stops the start with one message that names the setting") {
    if (!have_postgres()) return;
    PostgresDatabase database;
    const std::map<std::string, std::string> common{{"JWT_SECRET", kJwtSecret},
                                                    {"LISTEN_ADDRESS", "127.0.0.1"}};
    auto environment = common;
    environment["MONGO_URI"] = database.uri();
    environment["DATABASE_URL"] = database.uri();
    environment["SQL_DIR"] = source_path("sql/acad");
    environment["PORT"] = "0";
    Process first(binary("acad-service"), {"serve"}, environment);
    const auto port = std::to_string(first.wait_port());

    environment["PORT"] = port;
    Process acad(binary("acad-service"), {"serve"}, environment);
    CHECK(acad.wait_exit() != 0);
    CHECK(acad.output().find("PORT") != std::string::npos);

    environment["SQL_DIR"] = source_path("sql/auth");
    PostgresDatabase auth_database;
    environment["MONGO_URI"] = auth_database.uri();
    Process auth(binary("auth-service"), {"serve"}, environment);
    CHECK(auth.wait_exit() != 0);
    CHECK(auth.output().find("PORT") != std::string::npos);

    Process gateway(binary("gateway"), {"run", "--config", source_path("deploy/config/gateway.json")},
                    {{"JWT_SECRET", kJwtSecret},
                     {"GATEWAY_PORT", port},
                     {"ADMIN_PORT", "0"},
                     {"PORTAL_DIR", source_path("services/portal")},
                     {"DOCS_DIR", source_path("docs/openapi")}});
    CHECK(gateway.wait_exit() != 0);
    CHECK(gateway.output().find(port) != std::string::npos);
}

TEST_CASE("bad bodies get the status of the contract and never a 500") {
    for (const auto store : {UserStore::mongo, UserStore::postgres}) {
        INFO(to_string(store));
        if (!have_servers(store)) continue;
        System system(store);
        const auto port = system.gateway_port();
        const std::pair<std::string, unsigned> logins[] = {
            {"", 400},
            {"{", 400},
            {"[]", 400},
            {"\"x\"", 400},
            {"{\"username\":\"a\",\"username\":\"b\",\"password\":\"c\"}", 400},
            {"{\"username\":\"\xFF\",\"password\":\"x\"}", 400},
            {"{}", 422},
            {R"({"username":"22001"})", 422},
            {R"({"username":1,"password":"x"})", 422},
            {R"({"username":{"$ne":null},"password":{"$ne":null}})", 422},
            {R"({"email":{"$gt":""},"password":"x"})", 422},
            {R"({"username":"22001","password":"x","admin":true})", 422},
            {"{\"username\":\"22001\",\"password\":\"" + std::string(5000, 'x') + "\"}", 422},
            {"{\"username\":\"22001\",\"password\":\"" + std::string(2 * 1024 * 1024, 'x') + "\"}", 413},
            {std::string(200, '[') + std::string(200, ']'), 400},
        };
        for (const auto& [body, status] : logins) {
            const auto reply = post_json(port, "/api/auth/login", body);
            INFO(body.substr(0, 100) << " -> " << reply.body);
            CHECK(reply.status == status);
            CHECK(reply.header("Content-Type") == "application/problem+json");
        }
        CHECK(request(port, "POST", "/api/auth/login", {{"Content-Type", "text/plain"}}, "{}").status == 415);

        const auto admin = system.login("admin");
        for (const char* target :
             {"/api/acad/ips?nim=%00", "/api/acad/ips?nim='%20OR%201=1--",
              "/api/acad/ips?nim=22001&semester=x", "/api/acad/ips?semester=99999999999999999999",
              "/api/acad/mahasiswa?limit=-1", "/api/acad/mahasiswa?limit=1000000",
              "/api/acad/mahasiswa?after=%ff", "/api/acad/mahasiswa/%FF", "/api/acad/mahasiswa?angkatan=dua",
              "/api/acad/mahasiswa/"
              "123456789012345678901234567890"}) {
            const auto reply = get(port, target, {bearer(admin)});
            INFO(target << " -> " << reply.status << " " << reply.body);
            CHECK(reply.status >= 400);
            CHECK(reply.status < 500);
            CHECK(reply.header("Content-Type") == "application/problem+json");
        }
    }
}
