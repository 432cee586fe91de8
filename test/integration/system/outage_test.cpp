// A part that is down gives 503 (never a 500), and comes back without anybody being restarted.
#include <catch2/catch.hpp>

#include "test/support/system.hpp"

using namespace test;

TEST_CASE("a service that is away is a 503 with Retry-After, and works again when it is back") {
    if (!have_servers(UserStore::postgres)) return;
    System system(UserStore::postgres);
    const auto token = system.login("22001");
    const auto ips = [&] { return get(system.gateway_port(), "/api/acad/ips", {bearer(token)}); };
    REQUIRE(ips().status == 200);

    system.stop_acad();
    const auto down = ips();
    CHECK(down.status == 503);
    CHECK(down.has_header("Retry-After"));
    CHECK(down.header("Content-Type") == "application/problem+json");
    CHECK(system.wait_ready(503));
    CHECK(get(system.gateway_port(), "/health").status == 200);

    system.start_acad();
    CHECK(system.wait_ready(200));
    CHECK(ips().status == 200);
}

TEST_CASE("databases whose connections all break give 503 or 200, never 500, and recover") {
    if (!have_servers(UserStore::postgres)) return;
    System system(UserStore::postgres);
    const auto token = system.login("22001");
    const auto& database = system.acad_database();
    for (int round = 0; round < 5; ++round) {
        database.run("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '" +
                     database.name() + "' AND pid <> pg_backend_pid()");
        const auto status = get(system.gateway_port(), "/api/acad/ips", {bearer(token)}).status;
        CHECK((status == 200 || status == 503));
    }
    CHECK(get(system.gateway_port(), "/api/acad/ips", {bearer(token)}).status == 200);
}
