// Many clients that never finish what they begin, against the real gateway: others are served all the same.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "test/integration/gateway/fake_upstream.hpp"
#include "test/integration/gateway/gateway_process.hpp"

namespace test {
namespace {

// So many open descriptors, or as many as this process may have.
void allow_descriptors(rlim_t count) {
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur >= count) return;
    limit.rlim_cur = std::min(count, limit.rlim_max);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

// Connections from 127.0.0.`host`, each of which says the same and then nothing more.
class Crowd {
  public:
    explicit Crowd(std::uint16_t port) : port_(port) {}
    ~Crowd() { leave(); }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    void join(std::uint32_t host, const std::string& bytes) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) throw std::runtime_error("no descriptor");
        members_.push_back(fd);
        sockaddr_in from{};
        from.sin_family = AF_INET;
        from.sin_addr.s_addr = htonl(0x7F000000 + host);
        sockaddr_in to = from;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port_);
        if (::bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0 ||
            ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
            throw std::runtime_error("cannot connect");
        ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    void speak(const std::string& bytes) {
        for (int fd : members_) ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    void leave() {
        for (int fd : members_) ::close(fd);
        members_.clear();
    }

  private:
    std::uint16_t port_;
    std::vector<int> members_;
};

std::size_t resident_bytes(Gateway& gateway) {
    std::ifstream file("/proc/" + std::to_string(gateway.process().pid()) + "/status");
    const std::string status((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::size_t at = status.find("VmRSS:");
    REQUIRE(at != std::string::npos);
    return std::stoul(status.substr(at + 6)) * 1024;
}

}  // namespace

TEST_CASE("thousands of bodies that never come hold no upstream connection, place or much memory") {
    static constexpr std::size_t kMany = 4300;
    allow_descriptors(kMany + 200);
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint(), "", R"("in_flight":{"max":4,"queue":0})"));
    Crowd crowd(gateway.port());
    const std::size_t before = resident_bytes(gateway);
    for (std::size_t i = 0; i < kMany; ++i)
        crowd.join(1, "POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 60000\r\n\r\n");
    CHECK(gateway.wait_metric("gateway_requests_active ", kMany));
    CHECK(upstream.connections() == 0);
    // A request under way takes about 7 KiB, its body nothing before it comes.
    CHECK(gateway.metric("gateway_body_memory_bytes ") == 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK((resident_bytes(gateway) - before) / kMany < 8 * 1024);
#endif
    crowd.speak(std::string(10, 'x'));
    CHECK(gateway.wait_metric("gateway_body_memory_bytes ", 10 * kMany));
    const Reply served = request(gateway.port(), "POST", "/x", {}, "served");
    CHECK(served.status == 200);
    CHECK(served.body.ends_with("served"));
    CHECK(upstream.connections() == 1);
}

TEST_CASE("ten thousand half heads keep nobody out, and an idle connection in") {
    static constexpr std::size_t kMany = 10'000;
    allow_descriptors(kMany + 200);
    FakeUpstream upstream(FakeUpstream::echo);
    Gateway gateway(Gateway::in_front_of(upstream.endpoint()));
    RawConnection idle(gateway.port());
    const auto served = [&] {
        idle.send("GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n");
        return status_of(idle.read_until("-00\r\n\r\n")) == 200;
    };
    REQUIRE(served());
    Crowd crowd(gateway.port());
    for (std::size_t i = 0; i < kMany; ++i) crowd.join(2 + i % 8, "GET /x HTTP/1.1\r\nHost: a.te");
    CHECK(gateway.wait_metric("gateway_connections_shed_total ", 1));
    for (int i = 0; i < 20; ++i) CHECK(get(gateway.port(), "/x").status == 200);
    CHECK(served());
    // A connection that has asked for something once and now sends half a head is worth as much as an idle
    // one.
    idle.send("GET /x HTTP/1.1\r\nHost: a.te");
    for (int i = 0; i < 20; ++i) CHECK(get(gateway.port(), "/x").status == 200);
    idle.send("st\r\n\r\n");
    CHECK(status_of(idle.read_until("-00\r\n\r\n")) == 200);
    CHECK(gateway.metric("gateway_connections_refused_total ") == 0);
}

TEST_CASE("who has its last answer and does not go makes room, and so does what has only begun") {
    FakeUpstream upstream(FakeUpstream::echo);
    GatewayConfig config = Gateway::in_front_of(upstream.endpoint());
    config.client = R"("max_connections":50)";
    config.routes +=
        R"(,{"name":"shut","match":{"path":"/shut"},"auth":{"issuer":"kampus"},"target":{"cluster":"up"}})";
    struct Row {
        std::string bytes;
        const char* answered;
    };
    const Row rows[] = {
        {"GET /x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n", "{route=\"open-\",status=\"2xx\"} "},
        {"nonsense\r\n\r\n", "{route=\"(none)\",status=\"4xx\"} "},
        {"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\nGET /x HT", "{route=\"open-\",status=\"2xx\"} "},
        {"POST /shut HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\n",
         "{route=\"shut\",status=\"4xx\"} "},
        {"POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\n", nullptr},
    };
    for (const Row& row : rows) {
        INFO(row.bytes);
        Gateway gateway(config);
        Crowd crowd(gateway.port());
        for (int i = 0; i < 50; ++i) crowd.join(1, row.bytes);
        if (row.answered)
            REQUIRE(gateway.wait_metric(std::string("gateway_requests_total") + row.answered, 50));
        else
            REQUIRE(gateway.wait_metric("gateway_requests_active ", 50));
        for (int i = 0; i < 5; ++i) CHECK(get(gateway.port(), "/x").status == 200);
        CHECK(gateway.metric("gateway_connections_shed_total ") >= 1);
    }
}

}  // namespace test
