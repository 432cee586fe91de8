// Tunnels: only where a route allows them, only after a right 101.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "gateway/wire/websocket.hpp"
#include "test/integration/gateway/fake_upstream.hpp"
#include "test/integration/gateway/gateway_process.hpp"

namespace test {

using std::chrono::milliseconds;

namespace {

const std::string kHandshake =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

void accept_tunnel(UpstreamConnection& connection) {
    const std::string head = connection.read_head();
    connection.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        gateway::wire::websocket_accept(header_of(head, "Sec-WebSocket-Key")) + "\r\n\r\n");
}

void echo_tunnel(UpstreamConnection& connection) {
    accept_tunnel(connection);
    while (true) connection.send(connection.read_exactly(1));
}

}  // namespace

TEST_CASE("a tunnel carries bytes both ways, those behind the handshake too") {
    FakeUpstream upstream(echo_tunnel);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), R"("websocket":true)"));
    RawConnection client(gateway.port());
    client.send(kHandshake + "early");
    const std::string answer = client.read_until("early");
    CHECK(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
    CHECK(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
    CHECK(upstream.received().find("Connection: Upgrade\r\nUpgrade: websocket\r\n") != std::string::npos);
    client.send("more");
    CHECK(client.read_until("more") == "more");
    CHECK(gateway.metric("gateway_tunnels ") == 1);
    client.shutdown_send();
    client.read_to_end(milliseconds(5000));
    CHECK(client.closed_by_peer());
    CHECK(gateway.metric("gateway_tunnels ") == 0);
}

TEST_CASE("a large tunnel stream arrives complete") {
    FakeUpstream upstream([](UpstreamConnection& connection) {
        accept_tunnel(connection);
        connection.send(std::string(20'000'000, 'd'));
        connection.shutdown_send();
        connection.read_to_end();
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), R"("websocket":true)"));
    RawConnection client(gateway.port());
    client.send(kHandshake);
    client.read_until("\r\n\r\n");
    std::size_t total = 0;
    const std::string rest = client.read_to_end(milliseconds(30'000));
    for (char c : rest) total += c == 'd' ? 1 : 0;
    CHECK(total >= 19'900'000);
    CHECK(client.closed_by_peer());
}

TEST_CASE("where the route does not allow it the upgrade is an ordinary request") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    RawConnection client(gateway.port());
    client.send(kHandshake);
    const std::string answer = client.read_until("-00\r\n\r\n");
    CHECK(status_of(answer) == 200);
    CHECK(upstream.received().find("Upgrade") == std::string::npos);
}

TEST_CASE("a wrong 101 opens nothing") {
    const std::string wrong = GENERATE(
        std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"),
        std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
    FakeUpstream upstream([&](UpstreamConnection& connection) {
        connection.read_head();
        connection.send(wrong);
        connection.read_to_end();
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), R"("websocket":true)"));
    const std::string answer =
        exchange(gateway.port(), kHandshake + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(status_of(answer) == 502);
    CHECK(answer.find("HTTP/1.1", 10) == std::string::npos);
    CHECK(upstream.received().find("smuggled") == std::string::npos);
}

TEST_CASE("an upstream that declines an upgrade answers like any other, and the connection goes on") {
    FakeUpstream upstream([](UpstreamConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        connection.read_head();
        connection.answer("yes");
    });
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), R"("websocket":true)"));
    RawConnection client(gateway.port());
    client.send(kHandshake);
    CHECK(status_of(client.read_until("\r\n\r\nno")) == 403);
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(status_of(client.read_until("yes")) == 200);
}

TEST_CASE("a handshake with a wrong version is told the right one") {
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), R"("websocket":true)"));
    const std::string answer =
        exchange(gateway.port(),
                 "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    CHECK(status_of(answer) == 426);
    CHECK(answer.find("Sec-WebSocket-Version: 13\r\n") != std::string::npos);
    CHECK(upstream.connections() == 0);
}

TEST_CASE("a tunnel without a byte ends after its idle limit") {
    FakeUpstream upstream(echo_tunnel);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint(), R"("websocket":true)");
    config.client = R"("tunnel_idle_timeout_ms":500)";
    Gateway gateway(config);
    RawConnection client(gateway.port());
    client.send(kHandshake);
    client.read_until("\r\n\r\n");
    client.read_to_end(milliseconds(5000));
    CHECK(client.closed_by_peer());
}

}  // namespace test
