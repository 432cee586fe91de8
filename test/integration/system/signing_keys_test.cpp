// auth-service signs with key files; the gateway and acad-service know them by JWKS alone.
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <thread>

#include "test/support/system.hpp"
#include "test/support/token.hpp"

using namespace test;
using namespace std::chrono_literals;

namespace {

// The header says which key signed it.
std::string key_of(const std::string& token) {
    return token.substr(0, token.find('.'));
}

struct Session {
    std::string access;
    std::string refresh;
};

Session session_of(const Reply& reply) {
    return {reply.text("access_token"), reply.text("refresh_token")};
}

}  // namespace

TEST_CASE("signing keys go from next to active to retired with no token refused anywhere") {
    if (!have_servers(UserStore::postgres)) return;
    SystemOptions options;
    options.signing_keys = true;
    options.auths = 2;
    // A key is published for longer than a replica takes to see it (2 s) and a verifier to fetch it (1 s).
    options.auth = {{"SIGNING_KEY_PUBLISH_S", "6"}};
    // One user asks all the time: the limit of a user is none here.
    options.gateway = {{"JWKS_REFRESH_MS", "1000"}, {"USER_RATE", "1000000"}, {"USER_BURST", "1000000"}};
    options.acad = {{"JWKS_REFRESH_S", "1"}};
    System system(UserStore::postgres, options);
    const auto login = post_json(system.gateway_port(), "/api/auth/login",
                                 R"({"username":"22001","password":")" + system.password("22001") + "\"}");
    REQUIRE(login.status == 200);
    auto session = session_of(login);
    CHECK(session.access.starts_with("eyJhbGciOiJFUzI1NiI"));  // {"alg":"ES256"
    // Neither acad-service nor the gateway holds the secret.
    TokenClaims claims;
    claims.nim = "22001";
    for (const auto port : {system.acad_port(), system.gateway_port()})
        CHECK(get(port, "/api/acad/ips", {bearer(mint_token(claims))}).status == 401);

    std::vector<std::string> tokens{session.access};  // the first of each key
    std::size_t asked = 0;
    std::map<unsigned, std::size_t> refused;
    const auto ask_everywhere = [&] {
        for (const auto& token : tokens)
            for (const auto& [port, path] : {std::pair{system.gateway_port(), "/api/acad/ips"},
                                             std::pair{system.acad_port(), "/api/acad/ips"},
                                             std::pair{system.auth_port(0), "/api/auth/verify"},
                                             std::pair{system.auth_port(1), "/api/auth/verify"}}) {
                ++asked;
                if (const auto status = get(port, path, {bearer(token)}).status;
                    status != 200 && status != 204)
                    ++refused[status];
            }
    };
    // New tokens come from both replicas, so that the one that learns of a step last signs too.
    std::size_t turn = 0;
    const auto renew = [&] {
        const auto reply = post_json(system.auth_port(turn++ % 2), "/api/auth/refresh",
                                     R"({"refresh_token":")" + session.refresh + "\"}");
        REQUIRE(reply.status == 200);
        session = session_of(reply);
        bool known = false;
        for (const auto& token : tokens) known = known || key_of(token) == key_of(session.access);
        if (!known) tokens.push_back(session.access);
        ++asked;
        if (const auto status = get(system.gateway_port(), "/api/acad/ips", {bearer(session.access)}).status;
            status != 200)
            ++refused[status];
    };
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    auto next_step = std::chrono::steady_clock::now() + 6500ms;
    int steps = 0;
    while (tokens.size() < 3 && std::chrono::steady_clock::now() < deadline) {
        if (steps < 2 && std::chrono::steady_clock::now() >= next_step) {
            system.rotate_key();
            ++steps;
            next_step = std::chrono::steady_clock::now() + 6500ms;
        }
        renew();
        ask_everywhere();
    }
    CHECK(tokens.size() == 3);
    for (int i = 0; i < 20; ++i) {
        renew();
        ask_everywhere();
    }
    const std::set<std::string> keys{key_of(tokens[0]), key_of(tokens[1]), key_of(tokens[2])};
    CHECK(keys.size() == 3);
    for (const auto& [status, count] : refused)
        FAIL_CHECK(count << " of " << asked << " requests got " << status);
    CHECK(asked > 200);
    // active, next and the two that are retired, once the replica that is asked has seen the last step
    const auto published = [&] {
        return get(system.gateway_port(), "/.well-known/jwks.json").json()["keys"].Size();
    };
    const auto seen_by_all = std::chrono::steady_clock::now() + 10s;
    while (published() != 4 && std::chrono::steady_clock::now() < seen_by_all)
        std::this_thread::sleep_for(100ms);
    CHECK(published() == 4);
}
