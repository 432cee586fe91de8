// The service verifies with the keys of its issuer: by URL, as text, and the secret beside them.
#include <catch2/catch.hpp>
#include <ctime>
#include <thread>

#include "shared/jwt/jwks.hpp"
#include "test/integration/acad/acad_service.hpp"
#include "test/unit/shared/fake_server.hpp"
#include "test/unit/shared/jwt_support.hpp"

using namespace test::acad;
using namespace std::chrono_literals;
using shared::jwt::Algorithm;
using test::FakeServer;
using test::Signer;

namespace {

std::string token_of(const Signer& signer, const std::string& kid) {
    return signer.token(
        R"({"alg":")" + std::string(to_string(signer.algorithm())) + R"(","kid":")" + kid + "\"}",
        R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u-1","role":"admin","sid":"s-1","exp":)" +
            std::to_string(std::time(nullptr) + 600) + "}");
}

unsigned ips(const Service& service, const std::string& token) {
    return service.get("/api/acad/ips?nim=22001", token).status;
}

std::size_t fetches(const FakeServer& server) {
    return server.requests().size();
}

}  // namespace

TEST_CASE("keys that cannot be had are a 503 until they come, and a rotation is followed") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("seed-demo", database.uri());
    const Signer first(Algorithm::es256), second(Algorithm::eddsa), stranger(Algorithm::es256);
    FakeServer auth;  // drops every connection
    const Service service(
        database.uri(),
        {{"JWT_SECRET", ""}, {"JWKS_URL", auth.url("/.well-known/jwks.json")}, {"JWKS_REFRESH_S", "1"}},
        false);
    const auto reply = service.get("/api/acad/ips?nim=22001", token_of(first, "k1"));
    CHECK(reply.status == 503);
    CHECK(reply.has_header("Retry-After"));
    CHECK(test::get(service.port(), "/health").text("keys") == "unknown");
    CHECK(test::get(service.port(), "/health").status == 503);

    auth.otherwise(shared::jwt::to_jwks({first.key("k1")}));
    service.wait_health(200);
    CHECK(ips(service, token_of(first, "k1")) == 200);
    CHECK(ips(service, admin()) == 401);  // signed with a secret that this service has not
    CHECK(ips(service, token_of(stranger, "k1")) == 401);

    // The next key is there before it signs; the old one verifies until it leaves.
    auth.otherwise(shared::jwt::to_jwks({first.key("k1"), second.key("k2")}));
    const auto becomes = [&](const std::string& token, unsigned wanted) {
        unsigned status = 0;
        for (int i = 0; i < 200 && status != wanted; ++i) {
            status = ips(service, token);
            if (status != wanted) std::this_thread::sleep_for(25ms);
        }
        return status == wanted;
    };
    CHECK(becomes(token_of(second, "k2"), 200));
    CHECK(ips(service, token_of(first, "k1")) == 200);
    auth.otherwise(shared::jwt::to_jwks({second.key("k2")}));
    CHECK(becomes(token_of(first, "k1"), 401));
    CHECK(ips(service, token_of(second, "k2")) == 200);
    const auto metrics = test::get(service.port(), "/metrics").body;
    CHECK(metrics.find("verification_keys 1\n") != std::string::npos);

    // While nothing can be fetched the last keys serve, and an unknown one is nobody's fault.
    auth.otherwise("no", 500);
    CHECK(becomes(token_of(stranger, "k3"), 503));
    CHECK(ips(service, token_of(second, "k2")) == 200);
}

TEST_CASE("an unknown key is looked for at once, and not for each token that names one") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("seed-demo", database.uri());
    const Signer known(Algorithm::es256), fresh(Algorithm::es256);
    FakeServer auth;
    auth.otherwise(shared::jwt::to_jwks({known.key("k1")}));
    const Service service(database.uri(), {{"JWKS_URL", auth.url("/jwks")}});
    CHECK(ips(service, admin()) == 200);  // the secret beside it
    REQUIRE(fetches(auth) == 1);
    auth.otherwise(shared::jwt::to_jwks({known.key("k1"), fresh.key("k2")}));
    unsigned status = 0;
    for (int i = 0; i < 100 && status != 200; ++i) {
        status = ips(service, token_of(fresh, "k2"));
        if (status != 200) std::this_thread::sleep_for(25ms);
    }
    CHECK(status == 200);
    for (int i = 0; i < 50; ++i) CHECK(ips(service, token_of(fresh, "x" + std::to_string(i))) == 401);
    CHECK(fetches(auth) == 2);
}

TEST_CASE("a key set may be given as text") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("seed-demo", database.uri());
    const Signer signer(Algorithm::rs256);
    const Service service(database.uri(),
                          {{"JWT_SECRET", ""}, {"JWKS", shared::jwt::to_jwks({signer.key("k1")})}});
    CHECK(ips(service, token_of(signer, "k1")) == 200);
    CHECK(ips(service, token_of(signer, "k2")) == 401);
    for (const std::string broken : {"{", R"({"keys":[]})"}) {
        auto environment = settings(database.uri());
        environment["JWKS"] = broken;
        test::Process process(test::binary("acad-service"), {}, environment);
        CHECK(process.wait_exit() == 1);
        CHECK(process.output().find("JWKS ") != std::string::npos);
    }
}
