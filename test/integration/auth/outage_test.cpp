// Starting and running while the database is away.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "test/integration/auth/service_fixture.hpp"
#include "test/support/gate.hpp"
#include "test/support/token.hpp"

using namespace std::chrono_literals;
using auth_test::kPassword;
using auth_test::Service;
using test::Reply;
using Kind = test::UserStore;

namespace {

// The same database through a gate that the test opens and shuts.
std::string through(const std::string& uri, std::uint16_t port) {
    const auto scheme = uri.find("://") + 3;
    const auto slash = uri.find('/', scheme);
    const auto at = uri.substr(0, slash).rfind('@');
    const auto host = at == std::string::npos || at < scheme ? scheme : at + 1;
    return uri.substr(0, host) + "127.0.0.1:" + std::to_string(port) + uri.substr(slash);
}

std::uint16_t port_of(const std::string& uri) {
    const auto slash = uri.find('/', uri.find("://") + 3);
    return static_cast<std::uint16_t>(std::stoi(uri.substr(uri.substr(0, slash).rfind(':') + 1)));
}

Reply wait_status(std::uint16_t port, const std::string& path, unsigned status, std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    Reply reply;
    do {
        reply = test::get(port, path);
        if (reply.status == status) break;
        std::this_thread::sleep_for(100ms);  // polling is what /health is for
    } while (std::chrono::steady_clock::now() < deadline);
    return reply;
}

}  // namespace

TEST_CASE("a database that comes late or goes away gives 503 and needs no restart") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service direct(kind);  // seeds, and shows that the database itself is well
    test::Gate gate(port_of(direct.uri()));
    gate.shut();
    test::Process process(
        test::binary("auth-service"), {"serve"},
        direct.environment({{"PORT", "0"}, {"MONGO_URI", through(direct.uri(), gate.port())}}));
    const auto port = process.wait_port();
    const auto down = test::get(port, "/health");
    CHECK(down.status == 503);
    CHECK(down.has_header("Retry-After"));
    CHECK(down.body.find("down") != std::string::npos);
    const std::string credentials = R"({"username":"22001","password":")" + std::string(kPassword) + "\"}";
    const auto refused = test::post_json(port, "/api/auth/login", credentials);
    CHECK(refused.status == 503);
    CHECK(refused.text("code") == "database_unavailable");
    CHECK(refused.has_header("Retry-After"));
    // Nothing that could be an ended session passes before the list has been read.
    CHECK(test::get(port, "/api/auth/me", {test::bearer(direct.login("22001").access)}).status == 503);

    gate.open();
    CHECK(wait_status(port, "/health", 200, 20s).status == 200);
    CHECK(test::post_json(port, "/api/auth/login", credentials).status == 200);

    gate.shut();
    CHECK(test::post_json(port, "/api/auth/login", credentials).status == 503);
    // However many ask: nobody waits in line for an answer that is known.
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    std::vector<unsigned> statuses(60);
    for (auto& status : statuses)
        threads.emplace_back([&] { status = test::post_json(port, "/api/auth/login", credentials).status; });
    for (auto& thread : threads) thread.join();
    CHECK(std::count(statuses.begin(), statuses.end(), 503U) == 60);
    CHECK(std::chrono::steady_clock::now() - start < 6s);
    CHECK(wait_status(port, "/health", 503, 20s).status == 503);
    CHECK(auth_test::feed_of(port, "").status == 503);
    gate.open();
    CHECK(wait_status(port, "/health", 200, 20s).status == 200);
    CHECK(test::post_json(port, "/api/auth/login", credentials).status == 200);
    CHECK(process.running());
}

TEST_CASE("every wrong setting is named at once and the start fails with 1") {
    test::Process process(test::binary("auth-service"), {},
                          {{"MONGO_URI", "nonsense"}, {"JWT_SECRET", "changeme"}, {"PORT", "zero"}});
    CHECK(process.wait_exit() == 1);
    const auto output = process.output();
    for (const std::string name : {"MONGO_URI", "JWT_SECRET", "PORT"})
        CHECK(output.find(name) != std::string::npos);
    CHECK(output.find("changeme") == std::string::npos);
    test::Process empty(test::binary("auth-service"), {}, {});
    CHECK(empty.wait_exit() == 1);
    CHECK(empty.output().find("MONGO_URI") != std::string::npos);
}

TEST_CASE("a port in use stops the start with one line that names it") {
    if (!test::have_servers(Kind::postgres)) return;
    Service service(Kind::postgres, {}, false);
    test::Process second(test::binary("auth-service"), {"serve"},
                         service.environment({{"PORT", std::to_string(service.port())}}));
    CHECK(second.wait_exit() == 1);
    CHECK(second.output().find(std::to_string(service.port())) != std::string::npos);
}

TEST_CASE("metrics tell what became of logins and the service is small when idle") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    service.login("22001");
    service.login_reply("22001", "wrong password");
    const auto metrics = service.get("/metrics");
    CHECK(metrics.status == 200);
    CHECK(metrics.body.find("auth_logins_total{outcome=\"ok\"} 1") != std::string::npos);
    CHECK(metrics.body.find("auth_logins_total{outcome=\"refused\"} 1") != std::string::npos);
    CHECK(metrics.body.find("auth_database_up 1") != std::string::npos);
    CHECK(service.get("/nowhere").status == 404);
    CHECK(service.call("DELETE", "/api/auth/login").status == 405);
}
