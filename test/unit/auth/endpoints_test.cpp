// The table of endpoints is who may do what: a row that changes is seen here.
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>

#include "services/auth/api/endpoints.hpp"

using namespace auth::api;

namespace {

using Names = std::set<std::string>;

template <class Wanted>
Names rows(Wanted wanted) {
    Names names;
    for (const auto& row : kEndpoints)
        if (wanted(row)) names.insert(std::string(row.method) + " " + std::string(row.pattern));
    return names;
}

}  // namespace

TEST_CASE("what needs no token is this and nothing else") {
    CHECK(rows([](const auto& row) { return !row.access.needs_token(); }) ==
          Names{"POST /api/auth/register", "POST /api/auth/login", "POST /api/auth/refresh",
                "POST /api/auth/verify", "GET /api/auth/verify", "GET /.well-known/jwks.json", "GET /health",
                "GET /api/auth/health", "GET /livez", "GET /metrics", "GET /internal/revocations"});
}

TEST_CASE("accounts are the admin's and the rest of the tokens' calls is everybody's") {
    for (const auto& row : kEndpoints) {
        CAPTURE(std::string(row.method), std::string(row.pattern));
        if (!row.access.needs_token()) continue;
        const bool users = row.pattern.starts_with("/api/auth/users") || row.pattern == "/api/auth/audit";
        CHECK(row.access.allows("admin"));
        CHECK(row.access.allows("dosen") == !users);
        CHECK(row.access.allows("mahasiswa") == !users);
        CHECK(row.access.allows("") == !users);
    }
}

TEST_CASE("what costs a password hash or tries a secret is counted as a sign-in") {
    CHECK(rows([](const auto& row) { return row.rules.rate == Rate::sign_in; }) ==
          Names{"POST /api/auth/register", "POST /api/auth/login", "POST /api/auth/refresh",
                "PUT /api/auth/me/password"});
}

TEST_CASE("what an edge and a probe ask waits for nobody's turn") {
    CHECK(rows([](const auto& row) { return row.rules.at_once; }) ==
          Names{"GET /api/auth/verify", "GET /.well-known/jwks.json", "GET /health", "GET /api/auth/health",
                "GET /livez", "GET /metrics", "GET /internal/revocations"});
}

TEST_CASE("bodies are JSON of at most 64 KiB where there is one") {
    CHECK(rows([](const auto& row) { return row.rules.body == Body::json; }) ==
          Names{"POST /api/auth/register", "POST /api/auth/login", "POST /api/auth/refresh",
                "PUT /api/auth/me/password", "POST /api/auth/users", "PATCH /api/auth/users/{id}"});
    for (const auto& row : kEndpoints) {
        CHECK(row.rules.body != Body::streamed);
        CHECK(row.rules.body_limit_bytes == 64 * 1024);
    }
}

TEST_CASE("only the lists and the feed have parameters, and files and health do not mind any") {
    std::map<std::string, std::string> named;
    Names any;
    for (const auto& row : kEndpoints) {
        if (row.rules.query == kAnyQuery)
            any.insert(std::string(row.pattern));
        else if (!row.rules.query.empty())
            named[std::string(row.method) + " " + std::string(row.pattern)] = row.rules.query;
    }
    CHECK(named == std::map<std::string, std::string>{
                       {"GET /api/auth/audit", "limit after actor subject event from to"},
                       {"GET /api/auth/sessions", "limit after"},
                       {"GET /api/auth/users", "limit after role disabled q"},
                       {"GET /internal/revocations", "since wait"}});
    CHECK(any == Names{"/.well-known/jwks.json", "/health", "/api/auth/health", "/livez", "/metrics"});
}
