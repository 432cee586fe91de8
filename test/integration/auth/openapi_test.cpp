// docs/openapi/auth.yaml and the service agree: each described call is made, and each answer is as described.
#include <catch2/catch.hpp>
#include <set>

#include "test/integration/auth/service_fixture.hpp"
#include "test/support/openapi_document.hpp"

using auth_test::kPassword;
using auth_test::Service;
using Kind = test::UserStore;

namespace {

class Checker {
  public:
    explicit Checker(Service& service) : service_(service), document_("auth") {}

    // `target` as it is asked, `path` as it is described.
    test::Reply call(const std::string& method, const std::string& path, const std::string& target,
                     unsigned status, const std::string& token = "", const std::string& body = "") {
        auto reply = service_.call(method, target, body, token);
        INFO(method << " " << target << " -> " << reply.status << " " << reply.body);
        CHECK(reply.status == status);
        answered(method, path, reply);
        return reply;
    }
    void answered(const std::string& method, const std::string& path, const test::Reply& reply) {
        for (const auto& fault : document_.check({method, path}, reply)) {
            INFO(method << " " << path << ": " << fault);
            CHECK(fault.empty());
        }
        if (reply.status < 400) answered_.insert(method + " " + path);
    }
    test::Reply call(const std::string& method, const std::string& path, unsigned status,
                     const std::string& token = "", const std::string& body = "") {
        return call(method, path, path, status, token, body);
    }
    void done() {
        for (const auto& operation : document_.operations()) {
            const auto name = operation.method + " " + operation.path;
            INFO(name << " is described but no call of it succeeded here");
            CHECK(answered_.contains(name));
        }
    }

  private:
    Service& service_;
    test::OpenApiDocument document_;
    std::set<std::string> answered_;
};

}  // namespace

TEST_CASE("every call that the auth document describes answers as described") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    Checker check(service);
    const std::string auth = "/api/auth/";
    const std::string password = kPassword;
    const auto admin = service.login("admin").access;
    const auto student = service.login("22001");

    check.call("GET", "/health", 200);
    check.call("GET", auth + "health", 200);
    check.call("GET", "/livez", 200);
    check.call("GET", "/metrics", 200);
    check.call("GET", "/.well-known/jwks.json", 200);
    check.call("GET", "/internal/revocations", 401);
    check.call("POST", auth + "register", 201, "",
               R"({"username":"budi","email":"budi@kampus.ac.id","password":"kuda-laut-biru-9"})");
    check.call("POST", auth + "register", 409, "",
               R"({"username":"budi","email":"budi@kampus.ac.id","password":"kuda-laut-biru-9"})");
    check.call("POST", auth + "register", 422, "", R"({"username":"b","email":"b","password":"b"})");
    check.call("POST", auth + "register", 400, "", "{");
    check.call("POST", auth + "login", 401, "", R"({"username":"budi","password":"wrong"})");
    check.call("POST", auth + "login", 422, "", R"({"username":{"$ne":null},"password":"x"})");
    const auto login =
        check.call("POST", auth + "login", 200, "", R"({"username":"budi","password":")" + password + "\"}");
    const auto budi = login.text("access_token");
    check.call("POST", auth + "refresh", 200, "",
               R"({"refresh_token":")" + login.text("refresh_token") + "\"}");
    check.call("POST", auth + "refresh", 401, "", R"({"refresh_token":"x"})");
    const auto me = check.call("GET", auth + "me", 200, budi);
    check.call("GET", auth + "me", 401);
    check.call("PUT", auth + "me/password", 204, budi,
               R"({"current_password":")" + password + R"(","new_password":"jeruk-manis-77"})");
    check.call("PUT", auth + "me/password", 403, budi,
               R"({"current_password":"x","new_password":"jeruk-manis-78"})");
    const auto sessions = check.call("GET", auth + "sessions", 200, student.access).json();
    const std::string sid = sessions[0]["sid"].GetString();
    check.call("DELETE", auth + "sessions", 204, student.access);
    check.call("DELETE", auth + "sessions/{sid}", auth + "sessions/none", 404, student.access);
    check.call("GET", auth + "verify", 204, student.access);
    check.call("GET", auth + "verify", 401);
    check.call("POST", auth + "verify", 200, student.access);
    check.call("POST", auth + "verify", 401);
    check.call("DELETE", auth + "sessions/{sid}", auth + "sessions/" + sid, 204, student.access);
    check.call("GET", auth + "audit", 200, admin);
    check.call("GET", auth + "audit", 403, budi);
    check.call("GET", auth + "audit", auth + "audit?from=x", 422, admin);
    check.call("GET", auth + "users", 200, admin);
    check.call("GET", auth + "users", 403, budi);
    check.call("GET", auth + "users", auth + "users?limit=0", 422, admin);
    const auto created = check.call(
        "POST", auth + "users", 201, admin,
        R"({"username":"siti","email":"siti@kampus.ac.id","password":"kuda-laut-biru-9","role":"dosen","nim":null})");
    const auto siti = auth + "users/" + created.text("id");
    check.call("GET", auth + "users/{id}", siti, 200, admin);
    check.call("GET", auth + "users/{id}", auth + "users/none", 404, admin);
    check.answered("GET", auth + "users/{id}",
                   service.call("GET", siti, "", admin, {{"If-None-Match", "*"}}));
    check.call("GET", auth + "me", auth + "me?x=1", 422, budi);
    check.call("PATCH", auth + "users/{id}", siti, 200, admin, R"({"role":"mahasiswa","nim":"22009"})");
    check.call("PATCH", auth + "users/{id}", siti, 422, admin, R"({"role":"rektor"})");
    check.call("POST", auth + "users/{id}/unlock", siti + "/unlock", 204, admin);
    check.call("DELETE", auth + "users/{id}/sessions", siti + "/sessions", 204, admin);
    check.call("DELETE", auth + "users/{id}", siti, 204, admin);
    check.call("POST", auth + "logout", 204, budi);
    check.call("GET", "/internal/revocations", 401, budi);

    check.answered("GET", "/internal/revocations", service.feed("?wait=0"));
    check.done();
}
