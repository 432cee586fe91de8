// What an admin does with accounts, and the commands: the real binary on both stores.
#include <array>
#include <catch2/catch.hpp>
#include <cctype>
#include <future>
#include <thread>

#include "shared/http/cursor.hpp"
#include "test/integration/auth/service_fixture.hpp"
#include "test/integration/auth/store_fixture.hpp"
#include "test/support/token.hpp"

using auth_test::kPassword;
using auth_test::Service;
using auth_test::tokens_of;
using Kind = test::UserStore;

TEST_CASE("the users' calls are the admin's alone") {
    if (!test::have_servers(Kind::postgres)) return;
    Service service(Kind::postgres);
    for (const std::string name : {"22001", "dosen", ""}) {
        const auto token = name.empty() ? "" : service.login(name).access;
        for (const auto& [method, path] :
             {std::pair{"GET", "/api/auth/users"}, std::pair{"POST", "/api/auth/users"},
              std::pair{"GET", "/api/auth/users/x"}, std::pair{"PATCH", "/api/auth/users/x"},
              std::pair{"DELETE", "/api/auth/users/x"}, std::pair{"POST", "/api/auth/users/x/unlock"},
              std::pair{"DELETE", "/api/auth/users/x/sessions"}}) {
            CAPTURE(name, method, path);
            CHECK(service.call(method, path, "", token).status == (name.empty() ? 401U : 403U));
        }
    }
}

TEST_CASE("an account with a first password can do nothing before it is replaced") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto admin = service.login("admin").access;
    const auto created = service.post(
        "/api/auth/users",
        R"({"username":"admin2","email":"admin2@kampus.ac.id","password":"kuda-laut-biru-9","role":"admin"})",
        admin);
    REQUIRE(created.status == 201);
    CHECK(created.json()["must_change_password"].GetBool());
    CHECK(created.header("Location") == "/api/auth/users/" + created.text("id"));
    CHECK(created.has_header("ETag"));

    const auto login = service.login_reply("admin2", kPassword);
    REQUIRE(login.status == 200);
    CHECK(login.json()["must_change_password"].GetBool());
    auto tokens = tokens_of(login);
    CHECK(service.get("/api/auth/users", tokens.access).status == 403);
    CHECK(service.get("/api/auth/verify", tokens.access).header("X-User-Role").empty());
    const auto me = service.get("/api/auth/me", tokens.access);
    REQUIRE(me.status == 200);
    CHECK(me.json()["role"].IsNull());
    CHECK(me.json()["must_change_password"].GetBool());
    const auto verified = service.post("/api/auth/verify", "", tokens.access);
    REQUIRE(verified.status == 200);
    CHECK(verified.json()["user"]["role"].IsNull());
    CHECK(verified.json()["user"]["must_change_password"].GetBool());
    const auto changed = service.call(
        "PUT", "/api/auth/me/password",
        R"({"current_password":"kuda-laut-biru-9","new_password":"jeruk-manis-77"})", tokens.access);
    REQUIRE(changed.status == 200);
    CHECK_FALSE(changed.json().HasMember("must_change_password"));
    CHECK(changed.text("refresh_token") != tokens.refresh);
    CHECK(service.get("/api/auth/users", changed.text("access_token")).status == 200);
    const auto refreshed = service.refresh(changed.text("refresh_token"));
    REQUIRE(refreshed.status == 200);
    CHECK(service.get("/api/auth/users", refreshed.text("access_token")).status == 200);
    CHECK(std::string(service.post("/api/auth/verify", "", refreshed.text("access_token"))
                          .json()["user"]["role"]
                          .GetString()) == "admin");
}

TEST_CASE("a first password that nobody has replaced in time opens nothing") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    REQUIRE(service
                .post("/api/auth/users",
                      R"({"username":"siti","email":"siti@kampus.ac.id","password":"kuda-laut-biru-9"})",
                      service.login("admin").access)
                .status == 201);
    const auto before = service.login("siti");
    // A replica for which its time is over.
    const auto late = service.start_replica({{"FIRST_PASSWORD_LIFE_S", "1"}});
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    const auto refused = test::post_json(late->wait_port(), "/api/auth/login",
                                         R"({"username":"siti","password":"kuda-laut-biru-9"})");
    CHECK(refused.status == 401);
    CHECK(refused.text("code") == "first_password_expired");
    CHECK(test::request(late->wait_port(), "PUT", "/api/auth/me/password",
                        {{"Content-Type", "application/json"}, test::bearer(before.access)},
                        R"({"current_password":"kuda-laut-biru-9","new_password":"jeruk-manis-77"})")
              .status == 401);
    // Whoever has replaced it has no such limit.
    CHECK(test::post_json(late->wait_port(), "/api/auth/login",
                          R"({"username":"dosen","password":")" + std::string(kPassword) + "\"}")
              .status == 200);
}

TEST_CASE("a change of rights ends the sessions that show the old ones") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto admin = service.login("admin").access;
    auto student = service.login("22001");
    const auto path = "/api/auth/users/" + service.id_of(student.access);

    CHECK(service.call("PATCH", path, R"({"role":"dosen"})", admin).text("role") == "dosen");
    CHECK(service.get("/api/auth/me", student.access).status == 401);
    CHECK(service.refresh(student.refresh).status == 401);
    student = service.login("22001");
    CHECK(service.get("/api/auth/verify", student.access).header("X-User-Role") == "dosen");

    CHECK(service.call("PATCH", path, R"({"nim":null,"role":"mahasiswa"})", admin).json()["nim"].IsNull());
    student = service.login("22001");
    // A first NIM comes with the next refresh; nobody is thrown out for it.
    CHECK(service.call("PATCH", path, R"({"nim":"22001"})", admin).status == 200);
    CHECK(service.get("/api/auth/me", student.access).status == 200);
    const auto refreshed = service.refresh(student.refresh);
    CHECK(service.get("/api/auth/verify", refreshed.text("access_token")).header("X-User-Nim") == "22001");

    CHECK(service.call("PATCH", path, R"({"disabled":true})", admin).status == 200);
    CHECK(service.get("/api/auth/me", refreshed.text("access_token")).status == 401);
    CHECK(service.login_reply("22001", kPassword).status == 401);
    CHECK(service.call("PATCH", path, R"({"disabled":false})", admin).status == 200);
    student = service.login("22001");

    CHECK(service.call("DELETE", path + "/sessions", "", admin).status == 204);
    CHECK(service.get("/api/auth/me", student.access).status == 401);
    student = service.login("22001");
    CHECK(service.call("DELETE", path, "", admin).status == 204);
    CHECK(service.get("/api/auth/me", student.access).status == 401);
    CHECK(service.refresh(student.refresh).status == 401);
    CHECK(service.login_reply("22001", kPassword).status == 401);
    CHECK(service.get(path, admin).status == 404);
    CHECK(service.call("DELETE", path, "", admin).status == 404);
}

TEST_CASE("a stale change is refused and wrong values are named") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto admin = service.login("admin").access;
    const auto path = "/api/auth/users/" + service.id_of(service.login("22001").access);
    const auto etag = service.get(path, admin).header("ETag");
    REQUIRE(etag.starts_with("\"v"));
    const auto patch = [&](const std::string& body, const std::string& match) {
        return service.call("PATCH", path, body, admin,
                            match.empty() ? test::HeaderList{} : test::HeaderList{{"If-Match", match}});
    };
    const auto changed = patch(R"({"nim":"22002"})", etag);
    CHECK(changed.status == 200);
    CHECK(changed.header("ETag") != etag);
    const auto now = changed.header("ETag");
    CHECK(patch(R"({"nim":"22003"})", etag).text("code") == "stale_version");
    for (const std::string& match : {std::string("nonsense"), "W/" + now, now.substr(1, now.size() - 2),
                                     etag + ", \"x\"", std::string("\"0\"")}) {
        CAPTURE(match);
        CHECK(patch(R"({"nim":"22003"})", match).status == 412);
        CHECK(service.call("DELETE", path, "", admin, {{"If-Match", match}}).status == 412);
    }
    CHECK(service.get(path, admin).text("nim") == "22002");
    CHECK(patch(R"({"nim":"22002"})", etag + ", " + now).status == 200);
    CHECK(patch(R"({"nim":"22003"})", "*").status == 200);
    CHECK(service.call("DELETE", path, "", admin, {{"If-Match", etag}}).status == 412);
    for (const std::string body :
         {R"({"role":"user"})", R"({"nim":"A/1"})", R"({"nim":"2021E5"})", R"({"nim":""})",
          R"({"nim":"1234567890123456789012345"})", R"({"disabled":"yes"})", R"({"nim":7})"})
        CHECK(patch(body, "").status == 422);
    // One NIM, one account.
    const auto taken = service.post(
        "/api/auth/users",
        R"({"username":"other","email":"o@kampus.ac.id","password":"kuda-laut-biru-9","nim":"22003"})",
        admin);
    CHECK(taken.status == 409);
    CHECK(taken.text("code") == "nim_taken");
}

TEST_CASE("an account with a NIM of an older shape is read and listed, keeps it, and loses it when told") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    {
        boost::asio::io_context io;
        auth::store::DatabaseOptions options;
        options.uri = service.uri();
        options.sql_dir = test::source_path("sql/auth");
        const auto database = auth::store::open_database(io, options);
        REQUIRE(auth_test::run(io, database->prepare()).has_value());
        auto account = auth_test::new_account("lama");
        account.nim = "A/1";
        REQUIRE(auth_test::run(io, database->users().insert(account, shared::system_now())).has_value());
    }
    const auto admin = service.login("admin").access;
    const auto listed = service.get("/api/auth/users?q=lama", admin);
    REQUIRE(listed.json().Size() == 1);
    const auto path = "/api/auth/users/" + std::string(listed.json()[0]["id"].GetString());
    CHECK(service.get(path, admin).text("nim") == "A/1");
    CHECK(service.call("PATCH", path, R"({"disabled":true})", admin).text("nim") == "A/1");
    CHECK(service.call("PATCH", path, R"({"nim":"A/1","disabled":false})", admin).text("nim") == "A/1");
    const auto refused = service.call("PATCH", path, R"({"nim":"A/2"})", admin);
    CHECK(refused.status == 422);
    CHECK(refused.body.find("\"pointer\":\"/nim\"") != std::string::npos);
    CHECK(service.call("PATCH", path, R"({"nim":null})", admin).json()["nim"].IsNull());
    CHECK(service.call("PATCH", path, R"({"nim":"A/1"})", admin).status == 422);
    CHECK(service.call("PATCH", path, R"({"nim":"A_1"})", admin).text("nim") == "A_1");
    CHECK(
        service
            .post("/api/auth/users",
                  R"({"username":"baru","email":"b@kampus.ac.id","password":"kuda-laut-biru-9","nim":"A/3"})",
                  admin)
            .status == 422);
}

TEST_CASE("an account that the client has in its current version is not sent again") {
    if (!test::have_servers(Kind::postgres)) return;
    Service service(Kind::postgres);
    const auto admin = service.login("admin").access;
    const auto path = "/api/auth/users/" + service.id_of(service.login("22001").access);
    const auto read = [&](const std::string& method, const std::string& match) {
        return service.call(method, path, "", admin, {{"If-None-Match", match}});
    };
    const auto etag = service.get(path, admin).header("ETag");
    for (const std::string& match : {etag, "W/" + etag, "\"x\", " + etag, std::string("*")}) {
        CAPTURE(match);
        const auto same = read("GET", match);
        CHECK(same.status == 304);
        CHECK(same.body.empty());
        CHECK(same.header("ETag") == etag);
        CHECK(read("HEAD", match).status == 304);
    }
    // A write's answer is the new row, whatever the client has.
    const auto changed = service.call("PATCH", path, R"({"nim":"22002"})", admin, {{"If-None-Match", "*"}});
    CHECK(changed.status == 200);
    CHECK(changed.text("nim") == "22002");
    CHECK(read("GET", etag).text("nim") == "22002");
    // The version in If-Match is the one that goes.
    CHECK(service.call("DELETE", path, "", admin, {{"If-Match", etag}}).status == 412);
    CHECK(service.call("DELETE", path, "", admin, {{"If-Match", changed.header("ETag")}}).status == 204);
    CHECK(service.call("DELETE", path, "", admin, {{"If-Match", changed.header("ETag")}}).status == 404);
}

TEST_CASE("an admin cannot lock out or delete themselves") {
    if (!test::have_servers(Kind::postgres)) return;
    Service service(Kind::postgres);
    const auto admin = service.login("admin").access;
    const auto path = "/api/auth/users/" + service.id_of(admin);
    CHECK(service.call("PATCH", path, R"({"role":"dosen"})", admin).text("code") == "own_account");
    CHECK(service.call("PATCH", path, R"({"disabled":true})", admin).text("code") == "own_account");
    CHECK(service.call("DELETE", path, "", admin).text("code") == "own_account");
    CHECK(service.get("/api/auth/me", admin).status == 200);
}

TEST_CASE("the list of accounts has pages with a link to the next") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto admin = service.login("admin").access;
    std::string path = "/api/auth/users?limit=2";
    std::vector<std::string> names;
    while (!path.empty()) {
        const auto page = service.get(path, admin);
        REQUIRE(page.status == 200);
        const auto json = page.json();
        CHECK(json.Size() <= 2);
        for (const auto& account : json.GetArray()) {
            names.emplace_back(account["username"].GetString());
            CHECK_FALSE(account.HasMember("password"));
        }
        const auto link = page.header("Link");
        path = link.empty() ? "" : link.substr(1, link.find('>') - 1);
        REQUIRE(names.size() <= 3);
    }
    CHECK(names == std::vector<std::string>{"admin", "dosen", "22001"});
    CHECK(service.get("/api/auth/users?role=dosen", admin).json().Size() == 1);
    for (const std::string query :
         {"limit=0", "limit=201", "limit=x", "after=!", "role=user", "disabled=maybe"}) {
        CAPTURE(query);
        const auto reply = service.get("/api/auth/users?" + query, admin);
        CHECK(reply.status == 422);
        CHECK(reply.body.find("\"parameter\":\"" + query.substr(0, query.find('='))) != std::string::npos);
    }
}

TEST_CASE("seeding twice changes nothing and repairs what has changed") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto tokens = service.login("22001");
    const std::string same =
        R"([{"username":"22001","password":"kuda-laut-biru-9","role":"mahasiswa","nim":"22001"}])";
    CHECK(service.command({"seed-demo", "-"}, same) == 0);
    CHECK(service.refresh(tokens.refresh).status == 200);  // nothing was touched
    const std::string other =
        R"([{"username":"22001","password":"jeruk-manis-77","role":"mahasiswa","nim":"22001"}])";
    CHECK(service.command({"seed-demo", "-"}, other) == 0);
    CHECK(service.login_reply("22001", "jeruk-manis-77").status == 200);
    std::string output;
    CHECK(service.command({"seed-demo", "-"}, "[{]", &output) == 1);
    CHECK(output.find("JSON") != std::string::npos);
    CHECK(service.command({"seed-demo", "/no/such/file"}, "") == 1);
    CHECK(service.command({"seed-demo"}, "") == 2);
    CHECK(service.command({"nonsense"}, "") == 2);
    CHECK(service.command({"migrate"}, "") == 0);
}

TEST_CASE("the first admin comes from a command or once from the environment") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind,
                    {{"FIRST_ADMIN_PASSWORD", "bunga melati di taman"}, {"FIRST_ADMIN_USERNAME", "rektorat"}},
                    false);
    const auto login = service.login_reply("rektorat", "bunga melati di taman");
    REQUIRE(login.status == 200);
    CHECK(login.json()["must_change_password"].GetBool());
    service.restart();
    CHECK(service.process().wait_output("\"first_admin_ignored\""));

    std::string output;
    CHECK(service.command({"create-admin", "--username", "kepala", "--email", "kepala@kampus.ac.id"},
                          "jeruk-manis-77\n", &output) == 0);
    CAPTURE(output);
    const auto admin = service.login("kepala", "jeruk-manis-77").access;
    CHECK(service.get("/api/auth/users", admin).status == 200);
    // A file with the line ends of Windows.
    CHECK(service.command({"create-admin", "--username", "wakil", "--email", "wakil@kampus.ac.id"},
                          "jeruk-manis-77\r\n") == 0);
    CHECK(service.login_reply("wakil", "jeruk-manis-77").status == 200);
    CHECK(service.command({"create-admin", "--username", "kepala"}, "jeruk-manis-77\n") == 2);
    // A name that is taken stays whose it is.
    CHECK(service.command({"create-admin", "--username", "Kepala", "--email", "k9@kampus.ac.id"},
                          "jeruk-manis-78\n") == 1);
    CHECK(service.login_reply("kepala", "jeruk-manis-77").status == 200);
    CHECK(service.command({"create-admin", "--username", "k2", "--email", "k2@kampus.ac.id"},
                          "jeruk-manis-77\n") == 1);
    CHECK(service.command({"create-admin", "--username", "kepala2", "--email", "k2@kampus.ac.id"},
                          "short\n") == 1);
}

TEST_CASE("an account's attempts and changes are on record and never a password or token") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto admin = service.login("admin");
    service.login_reply("22001", "a wrong password");
    const auto student = service.login("22001");
    service.call("PATCH", "/api/auth/users/" + service.id_of(student.access), R"({"role":"dosen"})",
                 admin.access);
    service.post("/api/auth/logout", "", admin.access);
    CHECK(service.process().wait_output("\"what\":\"logout\""));
    const auto log = service.process().output();
    for (const std::string event : {"login_succeeded", "login_refused", "role_changed", "logout"}) {
        CAPTURE(event);
        CHECK(log.find("\"what\":\"" + event + "\"") != std::string::npos);
    }
    for (const std::string& secret : {std::string(kPassword), std::string("a wrong password"), admin.access,
                                      admin.refresh, student.access, student.refresh})
        CHECK(log.find(secret) == std::string::npos);
}

TEST_CASE("of two admins who take each other's role at once one stays") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto replica = service.start_replica();
    const auto ports = std::array{service.port(), replica->wait_port()};
    const auto first = service.login("admin");
    const auto first_id = service.id_of(first.access);
    const auto dosen_id = service.id_of(service.login("dosen").access);
    const auto dosen_path = "/api/auth/users/" + dosen_id;
    for (const std::string change : {R"({"role":"mahasiswa"})", R"({"disabled":true})", ""}) {
        CAPTURE(change);
        REQUIRE(service.call("PATCH", dosen_path, R"({"role":"admin"})", first.access).status == 200);
        const auto second = service.login("dosen");
        const std::string method = change.empty() ? "DELETE" : "PATCH";
        const auto take = [&](std::uint16_t port, const std::string& id, const std::string& token) {
            test::HeaderList headers{test::bearer(token)};
            if (!change.empty()) headers.emplace_back("Content-Type", "application/json");
            return test::request(port, method, "/api/auth/users/" + id, headers, change);
        };
        auto other =
            std::async(std::launch::async, [&] { return take(ports[0], dosen_id, first.access).status; });
        const auto mine = take(ports[1], first_id, second.access);
        const auto theirs = other.get();
        CHECK((mine.status < 300) != (theirs < 300));
        const bool first_left = mine.status >= 300;
        const auto admin = service.login(first_left ? "admin" : "dosen").access;
        CHECK(service.get("/api/auth/users?role=admin&disabled=false", admin).json().Size() == 1);
        if (!first_left || change.empty()) break;  // who is admin now has changed, or is gone
        service.call("PATCH", dosen_path, R"({"disabled":false})", first.access);
    }
}

TEST_CASE("the first admin is made where no admin is enabled") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    auth_test::StoreFixture store(kind);
    auto account = auth_test::new_account("lama");
    account.role = auth::domain::Role::admin;
    const auto now = shared::system_now();
    const auto old = auth_test::run(store.io, store.users().insert(account, now)).value();
    CHECK(auth_test::run(store.io, store.users().any_admin()).value());
    auth::store::AccountPatch patch;
    patch.disabled = true;
    CHECK(auth_test::run(store.io, store.users().update(old.id, patch, std::nullopt, now)).error() ==
          auth::store::Errc::last_admin);
    CHECK(auth_test::run(store.io, store.users().remove(old.id, std::nullopt, {}, {})).error() ==
          auth::store::Errc::last_admin);
    account = auth_test::new_account("baru");
    account.role = auth::domain::Role::admin;
    const auto other = auth_test::run(store.io, store.users().insert(account, now)).value();
    REQUIRE(auth_test::run(store.io, store.users().update(old.id, patch, std::nullopt, now))->has_value());
    CHECK(auth_test::run(store.io, store.users().any_admin()).value());
    CHECK(auth_test::run(store.io, store.users().remove(other.id, std::nullopt, {}, {})).error() ==
          auth::store::Errc::last_admin);
}

TEST_CASE("an id in another spelling is the same account or none") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto admin = service.login("admin").access;
    const auto upper = [](std::string id) {
        for (auto& c : id) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        return id;
    };
    const auto own = "/api/auth/users/" + upper(service.id_of(admin));
    const unsigned refused = kind == Kind::mongo ? 409 : 404;
    CHECK(service.call("PATCH", own, R"({"disabled":true})", admin).status == refused);
    CHECK(service.call("DELETE", own, "", admin).status == refused);
    const auto student = service.login("22001");
    const auto path = "/api/auth/users/" + upper(service.id_of(student.access));
    if (kind == Kind::mongo) {
        CHECK(service.call("PATCH", path, R"({"role":"dosen"})", admin).status == 200);
        CHECK(service.get("/api/auth/verify", student.access).status == 401);
        CHECK(service.refresh(student.refresh).status == 401);
    } else {
        CHECK(service.call("PATCH", path, R"({"role":"dosen"})", admin).status == 404);
        CHECK(service.get("/api/auth/verify", student.access).status == 204);
    }
    const auto nul = shared::http::make_cursor("/api/auth/users", std::string("a\0b", 3));
    CHECK(service.get("/api/auth/users?after=" + nul, admin).status == 422);
}

TEST_CASE("an admin reads the audit: filtered, in pages, as CSV, and never a name that nobody has") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto admin = service.login("admin").access;
    const auto admin_id = service.id_of(admin);
    const auto student = service.login("22001");
    const auto id = service.id_of(student.access);
    CHECK(service.login_reply("=kata sandi rahasia", "x").status == 401);
    CHECK(service.login_reply("=kata sandi rahasia", "y").status == 401);
    CHECK(service.refresh("forged").status == 401);
    const auto own = "/api/auth/users/" + admin_id;
    CHECK(service.call("PATCH", own, R"({"role":"dosen"})", admin).status == 409);
    CHECK(service.call("PATCH", "/api/auth/users/" + id, R"({"role":"dosen"})", admin).status == 200);

    const auto read = [&](const std::string& query) { return service.get("/api/auth/audit" + query, admin); };
    const auto changed = read("?event=role_changed");
    REQUIRE(changed.json().Size() == 1);
    const auto json = changed.json();
    CHECK(std::string(json[0]["actor"].GetString()) == admin_id);
    CHECK(std::string(json[0]["subject"].GetString()) == id);
    CHECK(std::string(json[0]["detail"].GetString()) == "mahasiswa -> dosen");
    CHECK(std::string(json[0]["at"].GetString()).ends_with("Z"));
    CHECK(read("?event=account_change_refused").json().Size() == 1);
    CHECK(read("?event=refresh_token_forged").json().Size() == 1);
    CHECK(read("?actor=" + admin_id + "&event=login_succeeded").json().Size() == 1);
    CHECK(read("?subject=" + id + "&from=2026-01-01&to=2249-12-31T23:59:59Z").json().Size() == 2);
    CHECK(read("?to=2026-01-01").json().Size() == 0);
    const auto refused = read("?event=login_refused").json();
    REQUIRE(refused.Size() == 2);
    CHECK(std::string(refused[0]["name"].GetString()).starts_with("hmac:"));
    CHECK(std::string(refused[0]["name"].GetString()) == refused[1]["name"].GetString());
    CHECK(service.process().output().find("rahasia") == std::string::npos);

    std::vector<std::string> events;
    std::string path = "/api/auth/audit?limit=2";
    while (!path.empty() && events.size() < 20) {
        const auto page = service.get(path, admin);
        REQUIRE(page.status == 200);
        const auto rows = page.json();
        for (const auto& row : rows.GetArray()) events.emplace_back(row["event"].GetString());
        const auto link = page.header("Link");
        path = link.empty() ? "" : link.substr(1, link.find('>') - 1);
    }
    CHECK(events == std::vector<std::string>{"role_changed", "account_change_refused", "refresh_token_forged",
                                             "login_refused", "login_refused", "login_succeeded",
                                             "login_succeeded"});
    // A position of the other store is none here.
    for (const std::string& other :
         kind == Kind::mongo
             ? std::vector<std::string>{"17", "x"}
             : std::vector<std::string>{"999999999999999999999999", "abcdefabcdefabcdefabcdef", "-1"}) {
        CAPTURE(other);
        const auto cursor = shared::http::make_cursor("/api/auth/audit", "5." + other);
        CHECK(read("?after=" + cursor).status == 422);
    }
    const auto csv = service.call("GET", "/api/auth/audit?limit=1", "", admin, {{"Accept", "text/csv"}});
    CHECK(csv.header("Content-Type").starts_with("text/csv"));
    CHECK(csv.body.starts_with("at,event,actor,subject,name,client_address,request_id,detail\r\n\"20"));
    CHECK(csv.body.find("\"role_changed\"") != std::string::npos);
    CHECK(csv.has_header("Link"));
    for (const std::string wrong : {"?from=yesterday", "?to=2026-02-30", "?from=2026-01-01T24:00:00Z", "?x=1",
                                    "?after=x", "?limit=0"}) {
        CAPTURE(wrong);
        CHECK(read(wrong).status == 422);
    }
    CHECK(service.get("/api/auth/audit", service.login("22001").access).status == 403);
    CHECK(service.get("/api/auth/audit").status == 401);
}
