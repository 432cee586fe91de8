// The first flows of a client of port 8081, on both user stores.
#include <catch2/catch.hpp>

#include "test/support/system.hpp"

using namespace test;

namespace {

const UserStore kStores[] = {UserStore::mongo, UserStore::postgres};

}  // namespace

TEST_CASE("a new user registers, logs in and reads the own account through the gateway") {
    for (const auto store : kStores) {
        INFO(to_string(store));
        if (!have_servers(store)) continue;
        System system(store);
        const auto port = system.gateway_port();

        const std::string account =
            R"({"username":"siti.nurhaliza","email":"siti@example.ac.id","password":"kuda laut menari senja"})";
        const auto created = post_json(port, "/api/auth/register", account);
        INFO(created.body);
        REQUIRE(created.status == 201);
        CHECK(created.text("username") == "siti.nurhaliza");
        CHECK(created.text("role") == "mahasiswa");
        CHECK_FALSE(created.json().HasMember("password"));
        CHECK(post_json(port, "/api/auth/register", account).status == 409);

        const auto login = post_json(port, "/api/auth/login",
                                     R"({"email":"siti@example.ac.id","password":"kuda laut menari senja"})");
        REQUIRE(login.status == 200);
        CHECK(login.text("token_type") == "Bearer");
        CHECK(login.json()["expires_in"].GetInt() > 0);
        CHECK(login.header("Cache-Control") == "no-store");
        CHECK_FALSE(login.text("refresh_token").empty());

        const auto me = get(port, "/api/auth/me", {bearer(login.text("access_token"))});
        REQUIRE(me.status == 200);
        CHECK(me.text("username") == "siti.nurhaliza");
        CHECK(me.text("id") == created.text("id"));
        CHECK(me.json()["nim"].IsNull());

        const auto wrong =
            post_json(port, "/api/auth/login", R"({"username":"siti.nurhaliza","password":"salah"})");
        const auto unknown =
            post_json(port, "/api/auth/login", R"({"username":"tidak.ada","password":"salah"})");
        CHECK(wrong.status == 401);
        CHECK(unknown.status == 401);
        CHECK(wrong.text("detail") == unknown.text("detail"));
        CHECK(wrong.text("code") == unknown.text("code"));
    }
}

TEST_CASE("IPS is answered exactly as the contract says") {
    for (const auto store : kStores) {
        INFO(to_string(store));
        if (!have_servers(store)) continue;
        System system(store);

        const auto own = system.get_as("22001", "/api/acad/ips");
        CHECK(own.status == 200);
        CHECK(own.body ==
              R"({"NIM":"22001","Nama Mahasiswa":"Ahmad Fauzan","Jurusan":"Sains Data","IPS":3.5})");
        CHECK(own.header("Cache-Control") == "no-store");
        const std::string second =
            R"({"NIM":"22002","Nama Mahasiswa":"Nisa Rahma","Jurusan":"Sains Data","IPS":3.83})";
        CHECK(system.get_as("22002", "/api/acad/ips").body == second);
        CHECK(system.get_as("admin", "/api/acad/ips?nim=22001").body == own.body);
        CHECK(system.get_as("admin", "/api/acad/ips?nim=22002").body == second);
        CHECK(system.get_as("dosen", "/api/acad/ips?nim=22002").body == second);

        const auto unknown = system.get_as("admin", "/api/acad/ips?nim=99999");
        CHECK(unknown.status == 404);
        CHECK(unknown.text("detail") == "Data mahasiswa tidak ditemukan");
        CHECK(unknown.header("Content-Type") == "application/problem+json");

        const auto other = system.get_as("22001", "/api/acad/ips?nim=22002");
        CHECK(other.status == 403);
        CHECK(other.body.find("Nisa") == std::string::npos);

        const auto none = get(system.gateway_port(), "/api/acad/ips");
        CHECK(none.status == 401);
        CHECK(none.header("WWW-Authenticate").starts_with("Bearer realm="));
        CHECK(none.header("WWW-Authenticate").find("error=") == std::string::npos);
        const auto forged = get(system.gateway_port(), "/api/acad/ips", {bearer("a.b.c")});
        CHECK(forged.status == 401);
        CHECK(forged.header("WWW-Authenticate").find("error=\"invalid_token\"") != std::string::npos);
    }
}

TEST_CASE("the list of students depends on who asks") {
    if (!have_servers(UserStore::postgres)) return;
    System system(UserStore::postgres);
    const auto all = system.get_as("admin", "/api/acad/mahasiswa").json();
    REQUIRE(all.IsArray());
    CHECK(all.Size() == 2);
    const auto own = system.get_as("22001", "/api/acad/mahasiswa").json();
    REQUIRE(own.IsArray());
    REQUIRE(own.Size() == 1);
    CHECK(std::string(own[0]["nim"].GetString()) == "22001");
}

TEST_CASE("every process says that it is well") {
    if (!have_servers(UserStore::postgres)) return;
    System system(UserStore::postgres);
    CHECK(get(system.gateway_port(), "/health").body == R"({"status":"ok"})");
    CHECK(get(system.gateway_port(), "/ready").status == 200);
    CHECK(get(system.auth_port(), "/health").status == 200);
    CHECK(get(system.acad_port(), "/health").status == 200);
    CHECK(get(system.admin_port(), "/metrics").status == 200);
    CHECK(get(system.auth_port(), "/metrics").status == 200);
    CHECK(get(system.acad_port(), "/metrics").status == 200);
}

TEST_CASE("going round the gateway gains nothing") {
    if (!have_servers(UserStore::postgres)) return;
    System system(UserStore::postgres);
    const HeaderList forged{{"X-User-Id", "1"}, {"X-User-Role", "admin"}, {"X-User-Nim", "22001"}};
    CHECK(get(system.acad_port(), "/api/acad/ips?nim=22001", forged).status == 401);
    CHECK(get(system.gateway_port(), "/api/acad/ips?nim=22001", forged).status == 401);
    CHECK(get(system.gateway_port(), "/internal/revocations").status == 404);
    auto with_token = forged;
    with_token.push_back(bearer(system.login("22001")));
    CHECK(get(system.gateway_port(), "/api/acad/ips?nim=22002", with_token).status == 403);
}

TEST_CASE("a logged-out session is refused at the edge and in the services within a second") {
    for (const auto store : kStores) {
        INFO(to_string(store));
        if (!have_servers(store)) continue;
        System system(store);
        const auto token = system.login("22001");
        REQUIRE(get(system.gateway_port(), "/api/acad/ips", {bearer(token)}).status == 200);
        REQUIRE(request(system.gateway_port(), "POST", "/api/auth/logout", {bearer(token)}).status == 204);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
        unsigned status = 200;
        while (status == 200 && std::chrono::steady_clock::now() < deadline)
            status = get(system.gateway_port(), "/api/acad/ips", {bearer(token)}).status;
        CHECK(status == 401);
        status = 200;
        while (status == 200 && std::chrono::steady_clock::now() < deadline)
            status = get(system.acad_port(), "/api/acad/ips", {bearer(token)}).status;
        CHECK(status == 401);
    }
}
