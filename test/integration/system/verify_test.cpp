// nginx's way gives the same answers: GET /api/auth/verify, which auth_request asks, against the gateway's
// own check, over one table of credentials.
#include <catch2/catch.hpp>
#include <ctime>

#include "test/support/system.hpp"
#include "test/support/token.hpp"
#include "test/unit/shared/fake_server.hpp"

using namespace test;

namespace {

struct Row {
    std::string name;
    HeaderList headers;
    unsigned status;  // of the gateway; verify says 204 for 200
};

std::string claims_with(const std::string& more, std::int64_t exp_in = 600) {
    const auto now = static_cast<std::int64_t>(std::time(nullptr));
    return R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u-1","role":"mahasiswa","sid":"s-1","exp":)" +
           std::to_string(now + exp_in) + more + "}";
}

std::string signed_with(const std::string& header, const std::string& more = "", std::int64_t exp_in = 600) {
    return mint_raw(header, claims_with(more, exp_in));
}

std::vector<Row> table(const std::string& live, const std::string& ended) {
    const std::string header = R"({"alg":"HS256","typ":"JWT"})";
    const auto plain = signed_with(header);
    std::vector<Row> rows{
        {"no credentials", {}, 401},
        {"another scheme", {{"Authorization", "Basic dTpw"}}, 401},
        {"a scheme that begins like ours", {{"Authorization", "Bearerx " + plain}}, 401},
        {"the scheme alone", {{"Authorization", "Bearer"}}, 401},
        {"two spaces", {{"Authorization", "Bearer  " + plain}}, 401},
        {"a tab", {{"Authorization", "Bearer\t" + plain}}, 401},
        {"two tokens", {{"Authorization", "Bearer " + plain + "," + plain}}, 401},
        {"two headers", {bearer(plain), bearer(plain)}, 400},
        {"the scheme in small letters", {{"Authorization", "bearer " + plain}}, 200},
        {"the scheme in capitals", {{"Authorization", "BEARER " + plain}}, 200},
        {"a session of the service", {bearer(live)}, 200},
        {"an ended session", {bearer(ended)}, 401},
    };
    const auto add = [&](const std::string& name, const std::string& token, unsigned status) {
        rows.push_back({name, {bearer(token)}, status});
    };
    add("a good token", plain, 200);
    add("with nim", signed_with(header, R"(,"nim":"22001")"), 200);
    add("aud in a list",
        mint_raw(header, R"({"iss":"kampus-auth","aud":["x","kampus-api"],"sub":"u","exp":4000000000})"),
        200);
    add("typ at+jwt", signed_with(R"({"typ":"at+jwt","alg":"HS256"})"), 200);
    add("typ left out", signed_with(R"({"alg":"HS256"})"), 200);
    add("expired within the leeway", signed_with(header, "", -20), 200);
    add("expired", signed_with(header, "", -40), 401);
    add("rubbish", "x", 401);
    add("three parts of rubbish", "a.b.c", 401);
    add("without signature", plain.substr(0, plain.rfind('.') + 1), 401);
    add("with padding", plain + "=", 401);
    add("one character more", plain + "A", 401);
    add("another secret", mint_raw(header, claims_with(""), std::string(40, 'x')), 401);
    for (const std::string alg : {"none", "None", "hs256", "HS384", "RS256", "ES256"})
        add("alg " + alg, signed_with(R"({"alg":")" + alg + R"("})"), 401);
    add("alg twice", signed_with(R"({"alg":"none","alg":"HS256"})"), 401);
    add("crit", signed_with(R"({"alg":"HS256","crit":["exp"]})"), 401);
    add("a kid that is not there", signed_with(R"({"alg":"HS256","kid":"k"})"), 401);
    add("jwk inside", signed_with(R"({"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}})"),
        200);  // never looked at
    add("typ of an id token", signed_with(R"({"alg":"HS256","typ":"id+jwt"})"), 401);
    add("sub twice", signed_with(header, R"(,"sub":"admin")"), 401);
    add("not valid yet", signed_with(header, R"(,"nbf":4000000000)"), 401);
    add("issued in the future", signed_with(header, R"(,"iat":4000000000)"), 401);
    add("another issuer", mint_raw(header, R"({"iss":"x","aud":"kampus-api","sub":"u","exp":4000000000})"),
        401);
    add("another audience", mint_raw(header, R"({"iss":"kampus-auth","aud":"x","sub":"u","exp":4000000000})"),
        401);
    add("no sub", mint_raw(header, R"({"iss":"kampus-auth","aud":"kampus-api","exp":4000000000})"), 401);
    add("no exp", mint_raw(header, R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u"})"), 401);
    add("a role that is no text",
        mint_raw(header, R"({"iss":"kampus-auth","aud":"kampus-api","sub":"u","role":1,"exp":4000000000})"),
        401);
    add("a claim that ends its header line", signed_with(header, R"(,"nim":"1\r\nX-User-Role: admin")"), 401);
    add("a claim with a space behind", signed_with(header, R"(,"nim":"22001 ")"), 401);
    add("longer than 8 KiB", signed_with(header, ",\"x\":\"" + std::string(7000, 'a') + "\""), 401);
    return rows;
}

// The value of a header line in a request's head; empty where there is none.
std::string line_of(const std::string& head, const std::string& name) {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const auto from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
}

}  // namespace

TEST_CASE("verify decides like the gateway and names the same identity") {
    if (!have_servers(UserStore::postgres)) return;
    FakeServer acad;  // shows what the gateway hands on
    acad.otherwise("{}");
    SystemOptions options;
    const auto url = acad.url("");
    options.gateway = {{"ACAD_SERVICE", url.substr(url.rfind('/') + 1)}};
    System system(UserStore::postgres, options);
    const auto live = system.login("22001");
    const auto ended = system.login("22001");
    REQUIRE(request(system.gateway_port(), "POST", "/api/auth/logout", {bearer(ended)}).status == 204);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (get(system.gateway_port(), "/api/acad/ips", {bearer(ended)}).status == 200 &&
           std::chrono::steady_clock::now() < deadline) {
    }
    for (const auto& row : table(live, ended)) {
        INFO(row.name);
        const auto before = acad.requests().size();
        const auto edge = get(system.gateway_port(), "/api/acad/ips", row.headers);
        const auto verify = get(system.auth_port(), "/api/auth/verify", row.headers);
        CHECK(edge.status == row.status);
        CHECK(verify.status == (row.status == 200 ? 204 : row.status));
        const auto says_invalid = [](const Reply& reply) {
            return reply.header("WWW-Authenticate").find("error=\"invalid_token\"") != std::string::npos;
        };
        CHECK(says_invalid(edge) == says_invalid(verify));
        CHECK(edge.has_header("WWW-Authenticate") == verify.has_header("WWW-Authenticate"));
        if (row.status != 200) {
            CHECK_FALSE(verify.has_header("X-User-Id"));
            continue;
        }
        std::string head;
        for (const auto& request : acad.requests())
            if (request.starts_with("GET /api/acad/ips ")) head = request;
        REQUIRE(acad.requests().size() > before);
        for (const std::string name : {"X-User-Id", "X-User-Role", "X-User-Nim", "X-Session-Id"}) {
            INFO(name);
            CHECK(line_of(head, name) == verify.header(name));
        }
    }
}
