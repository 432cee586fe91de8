// A hundred thousand ended sessions: what they cost in memory and how long they take to be known.
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "test/support/system.hpp"
#include "test/support/token.hpp"

using namespace test;
using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t kSessions = 100'000;

// Resident memory; 0 where it cannot be read.
double megabytes(Process& process, const std::string& field = "VmRSS:") {
    std::ifstream status("/proc/" + std::to_string(process.pid()) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(field)) return std::stod(line.substr(field.size())) / 1024;
    return 0;
}

// The value of a metric without labels or with ours.
std::size_t metric(std::uint16_t port, const std::string& name) {
    std::istringstream text(get(port, "/metrics").body);
    for (std::string line; std::getline(text, line);)
        if (line.starts_with(name + " ") || line.starts_with(name + "{"))
            return static_cast<std::size_t>(std::stod(line.substr(line.rfind(' '))));
    return 0;
}

std::string sid_of(std::size_t number) {
    auto digits = std::to_string(number);
    return "sid-of-an-ended-" + std::string(6 - digits.size(), '0') + digits;
}

}  // namespace

TEST_CASE("a hundred thousand ended sessions are learned in pages, within bounds of memory and time") {
    if (!have_servers(UserStore::postgres)) return;
    System system(UserStore::postgres);
    const double before[] = {megabytes(system.auth()), megabytes(system.gateway()), megabytes(system.acad())};
    // Half of them ended in one burst within the overlap that cursors look back over.
    system.auth_database().run(
        "insert into auth_service.revocations (sid, ended_at, until) select 'sid-of-an-ended-' || "
        "lpad(i::text, 6, '0'), "
        "now() - case when i % 2 = 0 then (i % 500) * interval '1 second' else interval '10 seconds' end, "
        "now() + interval '15 minutes' from generate_series(0, " +
        std::to_string(kSessions - 1) + ") i");
    // As in the morning after: every process comes up anew.
    system.stop_gateway();
    system.stop_acad();
    system.stop_auth();
    const auto began = Steady::now();
    system.start_auth();
    REQUIRE(system.auth().wait_output("\"database_prepared\""));
    const auto auth_ready = Steady::now();
    system.start_acad();
    system.start_gateway();
    REQUIRE(system.wait_ready(200));
    const auto all_ready = Steady::now();
    CHECK(metric(system.admin_port(), "gateway_revoked_sessions") == kSessions);
    CHECK(metric(system.acad_port(), "revoked_sessions") == kSessions);

    // Not one of them lives, looked at in samples; another session does.
    TokenClaims claims;
    claims.nim = "22001";
    for (std::size_t i = 0; i < kSessions; i += 997) {
        claims.sid = sid_of(i);
        const auto token = mint_token(claims);
        CHECK(get(system.gateway_port(), "/api/acad/ips", {bearer(token)}).status == 401);
        CHECK(get(system.acad_port(), "/api/acad/ips", {bearer(token)}).status == 401);
    }
    claims.sid = "sid-of-a-live-one";
    CHECK(get(system.gateway_port(), "/api/acad/ips", {bearer(mint_token(claims))}).status == 200);

    // One more is heard of as fast as ever.
    const auto token = system.login("22001");
    REQUIRE(request(system.gateway_port(), "POST", "/api/auth/logout", {bearer(token)}).status == 204);
    const auto ended = Steady::now();
    while (get(system.gateway_port(), "/api/acad/ips", {bearer(token)}).status == 200 &&
           Steady::now() - ended < 5s) {
    }
    CHECK(Steady::now() - ended < 1s);

    const double after[] = {megabytes(system.auth()), megabytes(system.gateway()), megabytes(system.acad())};
    const auto ms = [](auto time) { return std::chrono::duration<double, std::milli>(time).count(); };
    std::printf(
        "100,000 ended sessions: auth-service %.1f MB (%.1f without, peak %.1f), gateway %.1f MB (%.1f), "
        "acad-service %.1f MB (%.1f); auth-service ready after %.0f ms, all after %.0f ms more\n",
        after[0], before[0], megabytes(system.auth(), "VmHWM:"), after[1], before[1], after[2], before[2],
        ms(auth_ready - began), ms(all_ready - auth_ready));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(megabytes(system.auth(), "VmHWM:") - before[0] < 90);
    CHECK(after[1] - before[1] < 12);
    CHECK(after[2] - before[2] < 12);
#endif
}
