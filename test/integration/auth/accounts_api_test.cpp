// Register, login, me, password: the real binary on both stores.
#include <crypt.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "services/auth/store/mongo_client.hpp"
#include "test/integration/auth/service_fixture.hpp"
#include "test/integration/auth/store_fixture.hpp"

using auth_test::kPassword;
using auth_test::Service;
using test::Reply;
using Kind = test::UserStore;

namespace {

std::string registration(const std::string& name, const std::string& email = "",
                         const std::string& password = kPassword) {
    return R"({"username":")" + name + R"(","email":")" + (email.empty() ? name + "@kampus.ac.id" : email) +
           R"(","password":")" + password + "\"}";
}

// What the first version of the service wrote: bcrypt, role "user".
void insert_legacy(const std::string& uri, const std::string& password) {
    const auto data = std::make_unique<crypt_data>();
    const std::string hash = crypt_r(password.c_str(), "$2b$10$abcdefghijklmnopqrstuu", data.get());
    boost::asio::io_context io;
    auth::store::MongoClient client(uri, 1);
    auto work = [hash](auth::store::MongoSession& session) -> auth::store::Result<> {
        std::vector<auth::store::Bson> documents;
        documents.emplace_back();
        documents.back()
            .id("_id", auth::store::new_object_id())
            .text("username", "lama")
            .text("email", "lama@kampus.ac.id")
            .text("password", hash)
            .text("role", "user")
            .time("createdAt", shared::system_now());
        return session.insert("users", documents);
    };
    REQUIRE(auth_test::run(io, client.run(work)).has_value());
}

bool is_problem(const Reply& reply, unsigned status, const std::string& code) {
    return reply.status == status && reply.header("Content-Type") == "application/problem+json" &&
           reply.text("code") == code && !reply.text("detail").empty() && !reply.text("title").empty() &&
           !reply.text("request_id").empty();
}

}  // namespace

TEST_CASE("a registered account logs in and sees itself") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto created = service.post("/api/auth/register", registration("budi"));
    CAPTURE(created.body);
    REQUIRE(created.status == 201);
    CHECK(created.text("username") == "budi");
    CHECK(created.text("email") == "budi@kampus.ac.id");
    CHECK(created.text("role") == "mahasiswa");
    CHECK(created.header("Cache-Control") == "no-store");
    CHECK(created.body.find("password") == std::string::npos);

    const auto login = service.login_reply("BUDI", kPassword);
    REQUIRE(login.status == 200);
    CHECK(login.text("token_type") == "Bearer");
    CHECK(login.header("Cache-Control") == "no-store");
    const auto json = login.json();
    CHECK(json["expires_in"].GetInt() == 600);
    const auto by_email = service.post(
        "/api/auth/login", R"({"email":"Budi@Kampus.ac.id","password":")" + std::string(kPassword) + "\"}");
    CHECK(by_email.status == 200);
    CHECK(service.login_reply("budi@kampus.ac.id", kPassword).status == 200);  // one field for both

    const auto me = service.get("/api/auth/me", login.text("access_token"));
    REQUIRE(me.status == 200);
    CHECK(me.text("id") == created.text("id"));
    CHECK(me.text("username") == "budi");
    CHECK(me.json()["nim"].IsNull());
    CHECK(me.text("created_at").size() == 20);
    const auto head = service.call("HEAD", "/api/auth/me", "", login.text("access_token"));
    CHECK(head.status == 200);
    CHECK(head.body.empty());
}

TEST_CASE("a taken name or address is a conflict even when everybody asks at once") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind, {{"HASH_QUEUE", "200"}}, false);
    std::vector<std::thread> threads;
    std::vector<unsigned> statuses(12);
    for (std::size_t i = 0; i < statuses.size(); ++i)
        threads.emplace_back([&, i] {
            statuses[i] =
                service.post("/api/auth/register", registration(i % 2 == 0 ? "budi" : "Budi")).status;
        });
    for (auto& thread : threads) thread.join();
    CHECK(std::count(statuses.begin(), statuses.end(), 201U) == 1);
    CHECK(std::count(statuses.begin(), statuses.end(), 409U) == 11);
    CHECK(is_problem(service.post("/api/auth/register", registration("budi", "x@kampus.ac.id")), 409,
                     "username_taken"));
    CHECK(is_problem(service.post("/api/auth/register", registration("other", "BUDI@kampus.ac.id")), 409,
                     "email_taken"));
}

TEST_CASE("bodies that are wrong are refused with the place and never with a 500") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto access = service.login("22001").access;
    const auto admin = service.login("admin").access;
    const std::vector<std::pair<std::string, std::string>> calls{
        {"POST", "/api/auth/register"}, {"POST", "/api/auth/login"},
        {"POST", "/api/auth/refresh"},  {"PUT", "/api/auth/me/password"},
        {"POST", "/api/auth/users"},    {"PATCH", "/api/auth/users/" + service.id_of(access)}};
    const std::string deep = std::string(100, '[') + std::string(100, ']');
    for (const auto& [method, path] : calls) {
        CAPTURE(method, path);
        for (const std::string& body : std::vector<std::string>{
                 "{", "null", "[]", "\"text\"", "{\"username\":}", "{}x", "{\"a\":" + deep + "}",
                 "{\"username\":\"\xFF\"}", "{\"username\":\"a\",\"username\":\"b\"}", "{'username':'a'}"}) {
            CAPTURE(body);
            const auto reply = service.call(method, path, body, admin);
            CHECK(reply.status == 400);
            CHECK(reply.header("Content-Type") == "application/problem+json");
        }
        for (
            const std::string& body : std::vector<std::string>{
                R"({"unknown":"member"})",
                R"({"username":{"$ne":null},"email":{"$ne":null},"password":{"$gt":""}})",
                R"({"username":1,"password":true,"email":[],"refresh_token":{},"role":7,"nim":false,"current_password":1})",
                R"({"username":")" + std::string(5000, 'x') + R"(","password":"x"})",
                R"({"username":"a\u0000b","password":"abcdefghijk\u0000","refresh_token":"\u0007"})"}) {
            CAPTURE(body);
            const auto reply = service.call(method, path, body, admin);
            CHECK(reply.status == 422);
            CHECK(reply.text("code") == "validation_failed");
            CHECK(reply.body.find("\"pointer\":\"/") != std::string::npos);
        }
        CHECK(test::request(service.port(), method, path,
                            {{"Content-Type", "text/plain"}, test::bearer(admin)}, "{}")
                  .status == 415);
        CHECK(
            service.call(method, path, "{\"username\":\"" + std::string(70000, 'x') + "\"}", admin).status ==
            413);
    }
    CHECK(service.get("/health").status == 200);
}

TEST_CASE("login needs a name or an address and not both") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    CHECK(service.post("/api/auth/login", R"({"password":"x"})").status == 422);
    CHECK(service.post("/api/auth/login", R"({"username":"a","email":"b","password":"x"})").status == 422);
    CHECK(service.post("/api/auth/login", R"({"username":"a"})").status == 422);
}

TEST_CASE("weak passwords are refused when registering") {
    if (!test::have_servers(Kind::postgres)) return;
    Service service(Kind::postgres);
    for (const std::string password :
         {"short", "password12345", "budisantoso123", "aaaaaaaaaaaaaa", "qwertyuiop123"}) {
        CAPTURE(password);
        const auto reply = service.post("/api/auth/register", registration("budisantoso", "", password));
        CHECK(is_problem(reply, 422, "weak_password"));
        CHECK(reply.body.find("\"pointer\":\"/password\"") != std::string::npos);
    }
}

TEST_CASE("closed registration, and one of which nothing is said, refuses everybody") {
    if (!test::have_servers(Kind::postgres)) return;
    for (const std::string setting : {"closed", ""}) {
        Service service(Kind::postgres, {{"REGISTRATION", setting}});
        CHECK(
            is_problem(service.post("/api/auth/register", registration("budi")), 403, "registration_closed"));
    }
}

TEST_CASE("nobody registers by a reserved name and an admin gives one") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    for (const std::string name : {"administrator", "Adm1n", "system", "2200123"}) {
        CAPTURE(name);
        const auto refused = service.post("/api/auth/register", registration(name, "x@kampus.ac.id"));
        CHECK(is_problem(refused, 422, "validation_failed"));
        CHECK(refused.body.find("\"pointer\":\"/username\"") != std::string::npos);
        CHECK(service.post("/api/auth/users", registration(name), service.login("admin").access).status ==
              201);
    }
}

TEST_CASE("an unknown name a wrong password and a disabled account look the same") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto admin = service.login("admin").access;
    const auto student = service.id_of(service.login("22001").access);
    REQUIRE(service.call("PATCH", "/api/auth/users/" + student, R"({"disabled":true})", admin).status == 200);
    std::set<std::string> details;
    for (const auto& [name, password] : {std::pair{"22001", kPassword}, std::pair{"nobody", kPassword},
                                         std::pair{"dosen", "wrong password"}, std::pair{"", "x"}}) {
        const auto reply = service.login_reply(name, password);
        if (reply.status == 422) continue;  // an empty name is no name
        CHECK(is_problem(reply, 401, "invalid_credentials"));
        CHECK(reply.has_header("WWW-Authenticate"));
        details.insert(reply.text("detail"));
    }
    CHECK(details.size() == 1);
}

TEST_CASE("guessing is slowed down for every name and an admin can unlock") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    for (const std::string name : {"22001", "nobody"}) {
        CAPTURE(name);
        for (int i = 0; i < 6; ++i) CHECK(service.login_reply(name, "wrong password").status == 401);
        const auto reply = service.login_reply(name, kPassword);  // the right one has to wait too
        CHECK(is_problem(reply, 429, "too_many_attempts"));
        const int wait = std::stoi(reply.header("Retry-After"));
        CHECK(wait >= 1);
        CHECK(wait <= 2);
    }
    const auto admin = service.login("admin").access;
    const auto list = service.get("/api/auth/users?q=22001", admin).json();
    const std::string id = list[0]["id"].GetString();
    CHECK(service.post("/api/auth/users/" + id + "/unlock", "", admin).status == 204);
    CHECK(service.login_reply("22001", kPassword).status == 200);
    // A device that is known counts for itself, and is unlocked, too.
    const std::string device = service.login_reply("22001", kPassword).text("device_token");
    const auto from_device = [&](const std::string& password) {
        return service.post("/api/auth/login", R"({"username":"22001","password":")" + password +
                                                   R"(","device_token":")" + device + "\"}");
    };
    while (from_device("wrong password").status == 401) {
    }
    CHECK(is_problem(from_device(kPassword), 429, "too_many_attempts"));
    CHECK(service.post("/api/auth/users/" + id + "/unlock", "", admin).status == 204);
    CHECK(from_device(kPassword).status == 200);
    // Success forgets the failures: five are free again.
    for (int i = 0; i < 5; ++i) CHECK(service.login_reply("22001", "wrong password").status == 401);
    CHECK(service.login_reply("22001", kPassword).status == 200);
}

TEST_CASE("guesses at once count each, and right passwords at once all pass") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind, {{"HASH_QUEUE", "200"}});
    const auto at_once = [&](const std::string& name, const std::string& password) {
        std::vector<std::thread> threads;
        std::vector<unsigned> statuses(30);
        for (auto& status : statuses)
            threads.emplace_back([&] { status = service.login_reply(name, password).status; });
        for (auto& thread : threads) thread.join();
        return statuses;
    };
    for (const std::string name : {"22001", "nobody"}) {
        CAPTURE(name);
        const auto statuses = at_once(name, "wrong password");
        CHECK(std::count(statuses.begin(), statuses.end(), 401U) == 6);
        CHECK(std::count(statuses.begin(), statuses.end(), 429U) == 24);
    }
    const auto statuses = at_once("dosen", kPassword);
    CHECK(std::count(statuses.begin(), statuses.end(), 200U) == 30);
}

TEST_CASE("guesses by any of its names count for an account") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    for (int i = 0; i < 3; ++i) {
        CHECK(service.login_reply("22001", "wrong password").status == 401);
        CHECK(service.login_reply("22001@kampus.example", "wrong password").status == 401);
    }
    CHECK(service.login_reply("22001", kPassword).status == 429);
    CHECK(service.login_reply("22001@kampus.example", kPassword).status == 429);
}

TEST_CASE("guesses from elsewhere keep the owner neither out nor from a new password") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto first = service.login_reply("22001", kPassword);
    REQUIRE(first.status == 200);
    const auto token = first.text("device_token");
    const auto cookie = first.header("Set-Cookie");
    CHECK(cookie ==
          "kampus_device=" + token + "; Path=/api/auth; Max-Age=34560000; HttpOnly; SameSite=Strict");
    const std::string credentials = R"({"username":"22001","password":")" + std::string(kPassword) + "\"";
    const auto by_token = [&](const std::string& device) {
        return service.post("/api/auth/login", credentials + R"(,"device_token":")" + device + "\"}");
    };
    const auto by_cookie = [&](const std::string& device) {
        return service.call("POST", "/api/auth/login", credentials + "}", "",
                            {{"Cookie", "a=b; kampus_device=" + device}});
    };
    const auto other = service.login_reply("dosen", kPassword).text("device_token");
    for (int i = 0; i < 6; ++i) CHECK(service.login_reply("22001", "wrong password").status == 401);
    CHECK(service.login_reply("22001", kPassword).status == 429);
    CHECK(by_token(other).status == 429);  // a device of somebody else
    CHECK(by_token("x").status == 429);
    CHECK(by_cookie(other).status == 429);
    CHECK(by_token(token).status == 200);
    const auto again = by_cookie(token);
    CHECK(again.status == 200);
    CHECK(again.text("device_token") == token);
    CHECK(service.login_reply("22001", kPassword).status == 429);  // still, from elsewhere
    CHECK(service
              .call("PUT", "/api/auth/me/password",
                    R"({"current_password":")" + std::string(kPassword) +
                        R"(","new_password":"jeruk-manis-77"})",
                    first.text("access_token"))
              .status == 204);
    // Two of one family at one computer.
    const auto shared =
        service.post("/api/auth/login", R"({"username":"dosen","password":")" + std::string(kPassword) +
                                            R"(","device_token":")" + token + "\"}");
    CHECK(shared.text("device_token").ends_with(token.substr(token.find('.'))));
}

TEST_CASE("a known device has its own failures to spend and no more") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto token = service.login_reply("22001", kPassword).text("device_token");
    const auto attempt = [&](const std::string& password) {
        return service
            .post("/api/auth/login",
                  R"({"username":"22001","password":")" + password + R"(","device_token":")" + token + "\"}")
            .status;
    };
    for (int i = 0; i < 6; ++i) CHECK(attempt("wrong password") == 401);
    CHECK(attempt(kPassword) == 429);
    CHECK(service.login_reply("22001", kPassword).status == 200);  // from elsewhere
}

TEST_CASE("new passwords are limited by account and a refused one costs nothing") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind, {{"PASSWORD_CHANGE_BURST", "4"}, {"PASSWORD_CHANGES_PER_MINUTE", "1"}});
    const auto change = [&](const std::string& access, const std::string& current,
                            const std::string& wanted) {
        return service
            .call("PUT", "/api/auth/me/password",
                  R"({"current_password":")" + current + R"(","new_password":")" + wanted + "\"}", access)
            .status;
    };
    const auto student = service.login("22001").access;
    // The same in another normalization form.
    CHECK(change(student, "caf\u00E9 di tepi laut", "cafe\u0301 di tepi laut") == 422);
    for (int i = 0; i < 10; ++i) CHECK(change(student, "wrong password", "short") == 422);
    for (int i = 0; i < 4; ++i) CHECK(change(student, "wrong password", "jeruk-manis-77") == 403);
    CHECK(change(student, kPassword, "jeruk-manis-77") == 429);
    CHECK(change(service.login("dosen").access, kPassword, "jeruk-manis-77") == 204);
}

TEST_CASE("wrong current passwords in a session are slowed down and lock no login") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto access = service.login("22001").access;
    const auto change = [&](const std::string& current) {
        return service
            .call("PUT", "/api/auth/me/password",
                  R"({"current_password":")" + current + R"(","new_password":"jeruk-manis-77"})", access)
            .status;
    };
    for (int i = 0; i < 6; ++i) CHECK(change("wrong password") == 403);
    CHECK(change(kPassword) == 429);
    CHECK(service.login_reply("22001", kPassword).status == 200);
}

TEST_CASE("an address that fails too often is slowed down, and refused where the account has failures") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind, {{"ADDRESS_FAILURE_BURST", "5"}, {"ADDRESS_FAILURES_PER_MINUTE", "1"}});
    const auto device = service.login_reply("dosen", kPassword).text("device_token");
    for (int i = 0; i < 5; ++i) CHECK(service.login_reply("name" + std::to_string(i), "wrong").status == 401);
    CHECK(service.login_reply("name0", "wrong").status == 429);
    using Clock = std::chrono::steady_clock;
    auto start = Clock::now();
    CHECK(service.login_reply("admin", kPassword).status == 200);
    CHECK(Clock::now() - start >= std::chrono::seconds(2));
    start = Clock::now();
    CHECK(service
              .post("/api/auth/login", R"({"username":"dosen","password":")" + std::string(kPassword) +
                                           R"(","device_token":")" + device + "\"}")
              .status == 200);
    // Another client behind the trusted proxy is not affected.
    const auto other = service.call("POST", "/api/auth/login",
                                    R"({"username":"admin","password":")" + std::string(kPassword) + "\"}",
                                    "", {{"X-Client-Address", "203.0.113.7"}});
    CHECK(other.status == 200);
    CHECK(Clock::now() - start < std::chrono::seconds(2));

    // 32 may wait at once, no more.
    std::vector<std::thread> threads;
    std::vector<unsigned> statuses(40);
    for (std::size_t i = 0; i < statuses.size(); ++i)
        threads.emplace_back(
            [&, i] { statuses[i] = service.login_reply("other" + std::to_string(i), "wrong").status; });
    for (auto& thread : threads) thread.join();
    CHECK(std::count(statuses.begin(), statuses.end(), 429U) == 8);
}

TEST_CASE("changing the password needs the old one and ends the other sessions") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto here = service.login("22001");
    const auto elsewhere = service.login("22001");
    const auto change = [&](const std::string& current, const std::string& wanted) {
        return service.call("PUT", "/api/auth/me/password",
                            R"({"current_password":")" + current + R"(","new_password":")" + wanted + "\"}",
                            here.access);
    };
    CHECK(is_problem(change("wrong password", "jeruk-manis-77"), 403, "wrong_current_password"));
    CHECK(is_problem(change(kPassword, "short"), 422, "weak_password"));
    CHECK(is_problem(change(kPassword, kPassword), 422, "weak_password"));
    CHECK(change(kPassword, "jeruk-manis-77").status == 204);
    CHECK(service.get("/api/auth/me", here.access).status == 200);
    CHECK(service.get("/api/auth/me", elsewhere.access).status == 401);
    CHECK(service.refresh(elsewhere.refresh).status == 401);
    CHECK(service.refresh(here.refresh).status == 200);
    CHECK(service.login_reply("22001", kPassword).status == 401);
    CHECK(service.login_reply("22001", "jeruk-manis-77").status == 200);
}

TEST_CASE("more logins than can be hashed get 503 with Retry-After and the rest succeed") {
    if (!test::have_servers(Kind::postgres)) return;
    Service service(Kind::postgres, {{"HASH_THREADS", "1"}, {"HASH_QUEUE", "2"}});
    std::vector<std::thread> threads;
    std::vector<Reply> replies(24);
    for (std::size_t i = 0; i < replies.size(); ++i)
        threads.emplace_back([&, i] { replies[i] = service.login_reply("dosen", kPassword); });
    for (auto& thread : threads) thread.join();
    int busy = 0;
    int ok = 0;
    for (const auto& reply : replies) {
        if (reply.status == 200) ++ok;
        if (reply.status == 503) {
            ++busy;
            CHECK(reply.has_header("Retry-After"));
            CHECK(reply.header("X-Overloaded") == "1");
            CHECK(reply.text("code") == "overloaded");
        }
    }
    CHECK(ok >= 1);
    CHECK(ok + busy == 24);
    CHECK(busy >= 1);
    CHECK(service.login_reply("dosen", kPassword).status == 200);
}

TEST_CASE("a bcrypt account of the first version logs in and gets today's hash and role") {
    if (!test::have_servers(Kind::mongo)) return;
    Service service(Kind::mongo, {}, false);
    insert_legacy(service.uri(), "rahasia lama");
    const auto login = service.login_reply("lama", "rahasia lama");
    REQUIRE(login.status == 200);
    const auto me = service.get("/api/auth/me", login.text("access_token"));
    CHECK(me.text("role") == "mahasiswa");
    CHECK(service.process().wait_output("\"password_rehashed\""));
    CHECK(service.login_reply("lama", "rahasia lama").status == 200);
    CHECK(service.login_reply("lama", "rahasia baru").status == 401);
}

TEST_CASE("a password that is longer than bcrypt saw logs in and has to be replaced") {
    if (!test::have_servers(Kind::mongo)) return;
    Service service(Kind::mongo, {}, false);
    const std::string seen = "kuda nil biru menari di tepi sungai, sambil menunggu bulan purnama datang";
    REQUIRE(seen.size() >= 72);
    insert_legacy(service.uri(), seen + " lagi");
    const auto login = service.login_reply("lama", seen + " lagi");
    REQUIRE(login.status == 200);
    CHECK(login.json()["must_change_password"].GetBool());
    CHECK(service.get("/api/auth/verify", login.text("access_token")).header("X-User-Role").empty());
    CHECK(service.login_reply("lama", seen + " lagi").status == 200);
    CHECK(service.process().output().find("\"password_rehashed\"") == std::string::npos);
    const std::string change =
        R"({"current_password":")" + seen + R"( lagi","new_password":"jeruk-manis-77"})";
    CHECK(service.call("PUT", "/api/auth/me/password", change, login.text("access_token")).status == 200);
    CHECK_FALSE(service.login_reply("lama", "jeruk-manis-77").json().HasMember("must_change_password"));
}
