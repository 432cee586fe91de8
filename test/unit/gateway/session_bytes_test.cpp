// A session on a socket pair, byte by byte, and the promise that a request allocates nothing once a worker is
// warm.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>
#include <string>
#include <thread>

#include "gateway/config/load.hpp"
#include "gateway/http/http1_connection.hpp"
#include "gateway/http/worker_context.hpp"
#include "test/support/token.hpp"

namespace {
// Allocations of this thread: the one that runs the session.
thread_local std::size_t g_allocations = 0;
}  // namespace

// The sanitizers bring their own operator new, which must not be mixed with another.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNT_ALLOCATIONS 1
void* operator new(std::size_t size) {
    ++g_allocations;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
#endif

namespace gateway::http {

namespace {

std::shared_ptr<const exchange::Snapshot> snapshot_of(const std::string& upstream_port) {
    const std::string text =
        R"({"listeners":[{"address":"127.0.0.1","port":0}],"access_log":{"enabled":false},)"
        R"("issuers":[{"name":"kampus","issuer":"kampus-auth","audience":"kampus-api",)"
        R"("keys":[{"algorithm":"HS256","secret":"${JWT_SECRET}"}]}],)"
        R"("clusters":[{"name":"up","endpoints":["127.0.0.1:)" +
        upstream_port +
        R"("],"health":{"enabled":false}}],"routes":[)"
        R"({"name":"health","match":{"path":"/health"},"auth":"public","target":{"builtin":"health"}},)"
        R"({"name":"api","match":{"prefix":"/api"},"auth":{"issuer":"kampus"},"target":{"cluster":"up"}}]})";
    config::Loaded loaded = config::parse(text, [](const std::string& name) -> std::optional<std::string> {
        if (name == "JWT_SECRET") return test::kJwtSecret;
        return std::nullopt;
    });
    INFO(loaded.report("test"));
    REQUIRE(loaded.config);
    return exchange::Snapshot::make(loaded.config, nullptr);
}

// A worker without its thread: the test takes its turns.
class Bench {
  public:
    explicit Bench(const std::string& upstream_port = "1", observe::AccessLogWriter* log = nullptr)
        : log_(log), context_(poller_, wheel_, shared_, stats_, log_) {
        auto snapshot = snapshot_of(upstream_port);
        std::vector<std::shared_ptr<upstream::WorkerCluster>> clusters;
        for (const auto& cluster : snapshot->clusters)
            clusters.push_back(std::make_shared<upstream::WorkerCluster>(poller_, wheel_, cluster, 1));
        context_.snapshot = new exchange::WorkerSnapshot(snapshot, std::move(clusters), stats_);
        connect();
    }
    // Another connection in place of the last one.
    void connect() {
        if (client_ >= 0) ::close(client_);
        std::array<int, 2> pair{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()) == 0);
        client_ = pair[0];
        net::Peer peer;
        peer.address = wire::IpAddress::v4(0x7F000001);
        REQUIRE(Http1Connection::open(context_, pair[1], peer, false, nullptr));
    }
    ~Bench() {
        ::close(client_);
        for (Http1Connection* session = context_.sessions.first; session; session = session->next())
            session->kill("end of test");
        poller_.end_turn();
        context_.spare_requests.clear();
        context_.snapshot.reset();
        poller_.end_turn();
    }

    void send(std::string_view bytes) {
        REQUIRE(::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
        take_turns();
    }
    // Without Catch, which allocates.
    void send_plain(std::string_view bytes) {
        if (::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
            std::abort();
        take_turns();
    }
    // What the session has sent since the last call; waits until `end` is at its end.
    std::string_view receive(std::string_view end = {}) {
        received_.clear();
        for (int i = 0; i < 2000; ++i) {
            take_turns();
            std::array<char, 16384> buffer;
            const ssize_t got = ::recv(client_, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (got > 0) received_.append(buffer.data(), static_cast<std::size_t>(got));
            if (got == 0) closed_ = true;
            if (closed_ || (!received_.empty() && received_.ends_with(end))) break;
            // An upstream's thread needs its time.
            if (!end.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return received_;
    }
    bool closed() const { return closed_; }
    const observe::WorkerStats& stats() const { return stats_; }
    WorkerContext& context() { return context_; }

  private:
    // More than any exchange without an upstream takes.
    void take_turns() {
        for (int i = 0; i < 8; ++i) poller_.turn(std::chrono::milliseconds(0));
    }

    net::Poller poller_;
    net::DeadlineWheel wheel_;
    exchange::Shared shared_{1000, 0};
    observe::WorkerStats stats_;
    observe::AccessLog log_;
    WorkerContext context_;
    int client_ = -1;
    std::string received_;
    bool closed_ = false;
};

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++n;
    return n;
}

// Answers each head with the same bytes, on any number of connections one after the other.
class OneAnswer {
  public:
    OneAnswer() {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), length) == 0);
        REQUIRE(::listen(fd_, 8) == 0);
        REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
        port_ = std::to_string(ntohs(address.sin_port));
        thread_ = std::thread([this] { serve(); });
    }
    ~OneAnswer() {
        stopping_ = true;
        ::shutdown(fd_, SHUT_RDWR);
        thread_.join();
        ::close(fd_);
    }
    const std::string& port() const { return port_; }

  private:
    void serve() {
        while (!stopping_) {
            const int connection = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) continue;
            std::string bytes;
            std::array<char, 4096> buffer;
            while (!stopping_) {
                pollfd wait{connection, POLLIN, 0};
                if (::poll(&wait, 1, 50) <= 0) continue;
                const ssize_t got = ::recv(connection, buffer.data(), buffer.size(), 0);
                if (got <= 0) break;
                bytes.append(buffer.data(), static_cast<std::size_t>(got));
                if (!bytes.ends_with("\r\n\r\n")) continue;
                bytes.clear();
                static constexpr std::string_view kAnswer =
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                ::send(connection, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
            }
            ::close(connection);
        }
    }
    int fd_ = -1;
    std::string port_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

const std::string kHealth = "GET /health HTTP/1.1\r\nHost: a.test\r\n\r\n";

}  // namespace

TEST_CASE("the gateway's own refusals are logged ten times, then counted; other answers are all logged") {
    std::string path = "/tmp/access_log_XXXXXX";
    const int file = ::mkstemp(path.data());
    REQUIRE(file >= 0);
    ::close(file);
    {
        OneAnswer upstream;
        observe::AccessLogWriter writer(path);
        Bench bench(upstream.port(), &writer);
        const std::string token = test::mint_token({});
        for (int i = 0; i < 50; ++i) {
            bench.connect();
            bench.send("nonsense\r\n\r\n");
            bench.receive("}");
        }
        bench.connect();
        for (int i = 0; i < 50; ++i) {
            bench.send("GET /api/a HTTP/1.1\r\nHost: a.test\r\n\r\n");
            bench.receive("}");
            bench.send("GET /unrouted HTTP/1.1\r\nHost: a.test\r\n\r\n");
            bench.receive("}");
            bench.send(kHealth);
            bench.receive("}");
            bench.send("GET /api/b HTTP/1.1\r\nHost: a.test\r\nAuthorization: Bearer " + token + "\r\n\r\n");
            bench.receive("{}");
        }
    }
    std::ifstream stream(path);
    const std::string log{std::istreambuf_iterator<char>(stream), {}};
    ::unlink(path.c_str());
    CHECK(count(log, R"("status":200)") == 100);
    for (const std::string_view of : {R"(401,"client":"127.0.0.1","reason":"no_credentials")",
                                      R"(404,"client":"127.0.0.1","reason":"route_not_found")",
                                      R"(400,"client":"127.0.0.1","reason":"bad_request_line")"}) {
        INFO(of);
        CHECK(count(log, R"("event":"more_refused","status":)" + std::string(of) + R"(,"more":40})") == 1);
    }
    CHECK(count(log, "\n") == 100 + 3 * 11);
}

TEST_CASE("an answer of the gateway's own, byte for byte") {
    Bench bench;
    bench.send("GET /health HTTP/1.1\r\nHost: a.test\r\nX-Request-Id: id-7\r\n\r\n");
    const std::string date = "Date: " + bench.context().date + "\r\n";
    CHECK(bench.receive() == "HTTP/1.1 200 OK\r\nX-Request-Id: id-7\r\n" + date +
                                 "Content-Type: application/json\r\nCache-Control: "
                                 "no-store\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}");
    bench.send("HEAD /health HTTP/1.1\r\nHost: a.test\r\nX-Request-Id: id-8\r\n\r\n");
    CHECK(bench.receive().ends_with("Content-Length: 15\r\n\r\n"));
    bench.send("GET /health HTTP/1.0\r\nX-Request-Id: id-9\r\n\r\n");
    CHECK(bench.receive().find("\r\nConnection: close\r\n") != std::string::npos);
    bench.receive("end of the stream");
    CHECK(bench.closed());
}

TEST_CASE("a head split at any byte is the same request") {
    const std::string bytes = "GET /api/x HTTP/1.1\r\nHost: a.test\r\nX-Request-Id: id\r\n\r\n";
    std::string whole;
    {
        Bench bench;
        bench.send(bytes);
        whole = bench.receive("}");
        CHECK(whole.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    }
    const auto without_date = [](std::string text) {
        const std::size_t at = text.find("Date: ");
        return text.erase(at, text.find("\r\n", at) - at);
    };
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        Bench bench;
        bench.send(std::string_view(bytes).substr(0, cut));
        bench.send(std::string_view(bytes).substr(cut));
        CHECK(without_date(std::string(bench.receive("}"))) == without_date(whole));
    }
}

TEST_CASE("requests that come together are all answered, an unfinished one waits") {
    Bench bench;
    std::string many;
    for (int i = 0; i < 50; ++i) many += kHealth;
    bench.send(many + kHealth.substr(0, 10));
    CHECK(count(bench.receive(), "HTTP/1.1 200 OK") == 50);
    bench.send(kHealth.substr(10));
    CHECK(count(bench.receive(), "HTTP/1.1 200 OK") == 1);
}

TEST_CASE("empty lines behind a request are nobody's request") {
    Bench bench;
    bench.send(kHealth + "\r\n");
    CHECK(count(bench.receive("}"), "HTTP/1.1 200 OK") == 1);
    CHECK(bench.context().idle.size == 1);
    CHECK(bench.context().spare_requests.size() == 1);
    bench.send("\r");
    bench.send("\n\r\n");
    CHECK(bench.context().idle.size == 1);
    bench.send("\r\n" + kHealth);
    CHECK(count(bench.receive("}"), "HTTP/1.1 200 OK") == 1);
    bench.send("\rG");
    CHECK(bench.receive("}").starts_with("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_CASE("what follows a refused request is never looked at") {
    Bench bench;
    bench.send("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + kHealth);
    const std::string answer(bench.receive());
    CHECK(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    CHECK(count(answer, "HTTP/1.1") == 1);
}

TEST_CASE("an idle connection holds no request and no buffer") {
    Bench bench;
    bench.send(kHealth);
    bench.receive();
    CHECK(bench.context().idle.size == 1);
    CHECK(bench.context().spare_requests.size() == 1);
    CHECK(sizeof(Http1Connection) <= 320);
}

TEST_CASE("memory of a burst goes back once nobody needs it") {
    Bench bench;
    WorkerContext& worker = bench.context();
    std::vector<std::unique_ptr<respond::ActiveRequest>> burst;
    for (int i = 0; i < 2'000; ++i) burst.push_back(worker.take_request());
    for (auto& request : burst) worker.give_back(std::move(request));
    REQUIRE(worker.spare_requests.size() == 2'000);
    worker.trim();  // the burst was in the time before: they may be needed again
    CHECK(worker.spare_requests.size() == 2'000);
    burst.clear();
    for (int i = 0; i < 30; ++i) burst.push_back(worker.take_request());
    for (auto& request : burst) worker.give_back(std::move(request));
    worker.trim();  // thirty were in use
    CHECK(worker.spare_requests.size() == 38);
    worker.trim();  // none
    CHECK(worker.spare_requests.size() == 8);
}

TEST_CASE("a forwarded request with a verified token allocates nothing once the worker is warm") {
    OneAnswer upstream;
    Bench bench(upstream.port());
    const std::string bytes =
        "GET /api/acad/ips?nim=22001 HTTP/1.1\r\nHost: a.test\r\nUser-Agent: test\r\nAccept: */*\r\n"
        "Authorization: Bearer " +
        test::mint_token({}) + "\r\n\r\n";
    for (int i = 0; i < 50; ++i) {
        bench.send(bytes);
        REQUIRE(bench.receive("{}").starts_with("HTTP/1.1 200 OK\r\n"));
    }
    const std::size_t before = g_allocations;
    static constexpr int kRequests = 300;
    int good = 0;
    for (int i = 0; i < kRequests; ++i) {
        bench.send_plain(bytes);
        good += bench.receive("{}").starts_with("HTTP/1.1 200 OK\r\n") ? 1 : 0;
    }
    const std::size_t used = g_allocations - before;
    CHECK(good == kRequests);
    CHECK(used == 0);
#ifdef COUNT_ALLOCATIONS
    CHECK(before > 0);  // the counter counts
#endif
}

}  // namespace gateway::http
