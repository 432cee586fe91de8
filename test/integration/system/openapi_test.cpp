// docs/openapi/ and the running servers agree: every described call is made, every answer is as described,
// and the servers have no call that is not described.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "test/support/openapi_document.hpp"
#include "test/support/system.hpp"

using namespace test;

namespace {

// One call: `operation` is the described path, `target` what is really asked for.
struct Call {
    std::string method;
    std::string operation;
    std::string target;
    std::string as;  // account, or "" for no token
    std::string body;
    unsigned status;
};

Reply make(System& system, std::uint16_t port, const Call& call) {
    HeaderList headers;
    if (!call.as.empty()) headers.push_back(bearer(system.login(call.as)));
    if (!call.body.empty())
        headers.emplace_back("Content-Type", call.body.starts_with('{') ? "application/json" : "text/csv");
    return request(port, call.method, call.target, headers, call.body);
}

void hold(System& system, std::uint16_t port, const std::string& name, const std::vector<Call>& calls) {
    const OpenApiDocument document(name);
    std::set<std::string> succeeded;
    for (const auto& call : calls) {
        const auto reply = make(system, port, call);
        INFO(call.method << " " << call.target << " as " << call.as << " -> " << reply.status << " "
                         << reply.body);
        CHECK(reply.status == call.status);
        for (const auto& fault : document.check({call.method, call.operation}, reply)) {
            INFO(fault);
            CHECK(fault.empty());
        }
        if (reply.status < 400) succeeded.insert(call.method + " " + call.operation);
    }
    for (const auto& operation : document.operations()) {
        INFO(operation.method << " " << operation.path << " is described but no call of it succeeded here");
        CHECK(succeeded.contains(operation.method + " " + operation.path));
    }
}

// The methods that a server names for a path (Allow of OPTIONS, which needs no token) are those that are
// described. `below`: only paths that begin so.
void hold_methods(std::uint16_t port, const std::string& name, const std::string& below = "/") {
    const OpenApiDocument document(name);
    std::map<std::string, std::set<std::string>> described;
    for (const auto& operation : document.operations()) described[operation.path].insert(operation.method);
    for (const auto& [path, methods] : described) {
        if (!path.starts_with(below)) continue;
        std::string target;
        for (std::size_t i = 0; i < path.size(); ++i) {
            target += path[i] == '{' ? 'x' : path[i];
            if (path[i] == '{') i = path.find('}', i);
        }
        const auto allow = request(port, "OPTIONS", target).header("Allow") + ",";
        std::set<std::string> allowed;
        for (std::size_t from = 0; from < allow.size();) {
            const auto comma = allow.find(',', from);
            const auto method = allow.substr(from, comma - from);
            if (method != "HEAD" && method != "OPTIONS" && !method.empty()) allowed.insert(method);
            from = allow.find_first_not_of(' ', comma + 1);
        }
        INFO(path << " allows " << allow);
        CHECK(allowed == methods);
    }
}

}  // namespace

TEST_CASE("the gateway's own answers are as described") {
    if (!have_servers(UserStore::postgres)) return;
    System system(UserStore::postgres);
    hold(system, system.gateway_port(), "gateway",
         {{"GET", "/health", "/health", "", "", 200}, {"GET", "/ready", "/ready", "", "", 200}});
}

TEST_CASE("the services have exactly the calls that are described") {
    if (!have_servers(UserStore::postgres)) return;
    System system(UserStore::postgres);
    hold_methods(system.acad_port(), "acad");
    hold_methods(system.auth_port(), "auth");
}

TEST_CASE("the gateway names the methods of a resource, not those of its route") {
    if (!have_servers(UserStore::postgres)) return;
    System system(UserStore::postgres);
    hold_methods(system.gateway_port(), "acad", "/api/acad/");
    hold_methods(system.gateway_port(), "auth", "/api/auth/");
    const auto token = bearer(system.login("admin"));
    for (const char* path :
         {"/api/acad/mahasiswa/22001", "/api/acad/mata_kuliah/IF101", "/api/auth/users/x"}) {
        INFO(path);
        const auto asked = request(system.gateway_port(), "OPTIONS", path).header("Allow");
        const auto refused = request(system.gateway_port(), "POST", path, {token});
        CHECK(refused.status == 405);
        CHECK(refused.header("Allow") == asked);
    }
}
