// A client that takes its answers slowly: what it has not taken yet is not lost, and its deadlines stay.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

#include "forwarder_bench.hpp"
#include "gateway/config/load.hpp"
#include "gateway/http/http1_connection.hpp"

namespace gateway::http {

namespace {

using std::chrono::milliseconds;

// A worker without its thread and one connection whose socket takes little at a time.
class SlowClient {
  public:
    SlowClient() : context_(poller_, wheel_, shared_, stats_, log_) {
        const std::string text =
            R"({"listeners":[{"address":"127.0.0.1","port":0}],"access_log":{"enabled":false},)"
            R"("client":{"head_timeout_ms":3000,"write_timeout_ms":5000,"body_timeout_ms":60000,"min_body_rate_bytes":0},)"
            R"("clusters":[{"name":"up","endpoints":[")" +
            upstream.address() +
            R"("],"health":{"enabled":false},"in_flight":{"max":1,"queue":1,"queue_timeout_ms":600000}}],)"
            R"("routes":[)"
            R"({"name":"health","match":{"path":"/health"},"auth":"public","target":{"builtin":"health"}},)"
            R"({"name":"api","match":{"prefix":"/api"},"auth":"public","target":{"cluster":"up"},)"
            R"("limits":{"buffer_request_bytes":0}}]})";
        config::Loaded loaded = config::parse(
            text, [](const std::string&) -> std::optional<std::string> { return std::nullopt; });
        INFO(loaded.report("test"));
        REQUIRE(loaded.config);
        auto snapshot = exchange::Snapshot::make(loaded.config, nullptr);
        std::vector<std::shared_ptr<upstream::WorkerCluster>> clusters;
        for (const auto& cluster : snapshot->clusters)
            clusters.push_back(std::make_shared<upstream::WorkerCluster>(poller_, wheel_, cluster, 1));
        context_.snapshot = new exchange::WorkerSnapshot(snapshot, std::move(clusters), stats_);
        std::array<int, 2> pair{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()) == 0);
        client_ = pair[0];
        const int few_bytes = 1;
        ::setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &few_bytes, sizeof few_bytes);
        net::Peer peer;
        peer.address = wire::IpAddress::v4(0x7F000001);
        REQUIRE(Http1Connection::open(context_, pair[1], peer, false, nullptr));
    }
    ~SlowClient() {
        ::close(client_);
        for (Http1Connection* open = context_.sessions.first; open; open = open->next())
            open->kill("end of test");
        poller_.end_turn();
        context_.spare_requests.clear();
        context_.snapshot.reset();
        poller_.end_turn();
    }

    void send(std::string_view bytes) {
        REQUIRE(::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
        turns();
    }
    void end_of_requests() {
        ::shutdown(client_, SHUT_WR);
        turns();
    }
    // All that comes, a little at a time.
    std::string receive() {
        std::string all;
        std::array<char, 2000> buffer;
        for (int quiet = 0; quiet < 20; ++quiet) {
            const ssize_t got = ::recv(client_, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (got > 0) quiet = 0;
            if (got > 0) all.append(buffer.data(), static_cast<std::size_t>(got));
            turns();
        }
        return all;
    }
    void turns() {
        for (int i = 0; i < 8; ++i) poller_.turn(milliseconds(0));
    }
    void pass(milliseconds time) {
        elapsed_ += time;
        wheel_.tick(elapsed_);
        turns();
    }
    std::string at_upstream() {
        for (int i = 0; i < 2000 && upstream.connections() == 0; ++i) poller_.turn(milliseconds(1));
        turns();
        return upstream.read(0);
    }
    upstream::WorkerCluster& cluster() { return *context_.snapshot->clusters[0]; }
    std::size_t connections() const { return context_.sessions.size; }

    test::ScriptedUpstream upstream;

  private:
    net::Poller poller_;
    net::DeadlineWheel wheel_;
    exchange::Shared shared_{1000, 0};
    observe::WorkerStats stats_;
    observe::AccessLog log_{nullptr};
    WorkerContext context_;
    milliseconds elapsed_{0};
    int client_ = -1;
};

// More than the client's socket takes and less than the upstream's.
constexpr std::size_t kMuch = 60'000;

}  // namespace

TEST_CASE("a client that has ended its side gets the whole of its last answer") {
    SlowClient client;
    client.send("GET /api/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    client.end_of_requests();
    CHECK(client.at_upstream().starts_with("GET /api/x "));
    client.upstream.write(0, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kMuch) + "\r\n\r\n" +
                                 std::string(kMuch, 'x'));
    client.turns();
    const std::string answer = client.receive();
    CHECK(answer.size() - answer.find("\r\n\r\n") - 4 == kMuch);
    CHECK(client.connections() == 0);
}

TEST_CASE("half a head behind an answer that was taken late has its deadline") {
    SlowClient client;
    std::string many;
    for (int i = 0; i < 60; ++i) many += "GET /health HTTP/1.1\r\nHost: a.test\r\n\r\n";
    client.send(many + "GET /hea");
    CHECK(client.receive().ends_with("}"));
    client.pass(milliseconds(2'500));
    CHECK(client.receive().empty());
    client.pass(milliseconds(1'000));
    CHECK(client.receive().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_CASE("who sends its body and never takes the answer meets the deadline of the answer") {
    for (const std::size_t rest : {1, 1'000}) {
        INFO(rest);
        SlowClient client;
        client.send("POST /api/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1100\r\n\r\n" +
                    std::string(100, 'b'));
        CHECK(client.at_upstream().starts_with("POST /api/x "));
        client.upstream.write(0,
                              "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(kMuch, 'x'));
        client.turns();
        client.pass(milliseconds(1'000));
        client.send(std::string(rest, 'b'));
        CHECK(client.at_upstream().ends_with(std::string(rest, 'b')));
        client.pass(milliseconds(3'500));
        CHECK(client.connections() == 1);
        client.pass(milliseconds(1'000));
        CHECK(client.connections() == 0);
    }
}

TEST_CASE("time in which nobody wanted a body does not count against the client") {
    SlowClient client;
    upstream::InFlightLimit::Place taken = client.cluster().cluster().in_flight.try_acquire(0);
    client.send("POST /api/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    client.pass(milliseconds(59'000));
    taken.reset();
    CHECK(client.at_upstream().starts_with("POST /api/x "));
    CHECK(client.receive() == "HTTP/1.1 100 Continue\r\n\r\n");
    client.pass(milliseconds(59'000));
    client.send("hello");
    CHECK(client.at_upstream() == "hello");
}

}  // namespace gateway::http
