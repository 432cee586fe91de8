// The service follows the feed of ended sessions when it is told where it is.
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "test/integration/acad/acad_service.hpp"

namespace asio = boost::asio;
using namespace test::acad;
using namespace std::chrono_literals;

namespace {

// Answers every poll with all sessions that have been ended so far; one request a connection.
class FakeFeed {
  public:
    FakeFeed() : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeFeed() {
        stopping_ = true;
        boost::system::error_code ignored;
        asio::ip::tcp::socket wake(io_);
        wake.connect(acceptor_.local_endpoint(), ignored);
        thread_.join();
    }
    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) +
               "/internal/revocations";
    }
    void end_session(const std::string& sid) {
        const std::lock_guard lock(mutex_);
        ended_.push_back(sid);
    }
    std::string last_head() {
        const std::lock_guard lock(mutex_);
        return head_;
    }

  private:
    std::string page() {
        const std::lock_guard lock(mutex_);
        std::string entries;
        const auto until = std::to_string(std::time(nullptr) + 600);
        for (const auto& sid : ended_) {
            entries += (entries.empty() ? "" : ",") + std::string(R"({"sid":")") + sid + R"(","until":)" +
                       until + "}";
        }
        return R"({"cursor":"c","reset":false,"entries":[)" + entries + "]}";
    }
    void serve() {
        while (!stopping_) {
            boost::system::error_code error;
            asio::ip::tcp::socket socket(io_);
            acceptor_.accept(socket, error);
            if (error || stopping_) return;
            asio::streambuf buffer;
            const auto count = asio::read_until(socket, buffer, "\r\n\r\n", error);
            if (error) continue;
            {
                const std::lock_guard lock(mutex_);
                head_.assign(asio::buffers_begin(buffer.data()),
                             asio::buffers_begin(buffer.data()) + static_cast<std::ptrdiff_t>(count));
            }
            std::this_thread::sleep_for(50ms);  // a short hold, as the real one has a long one
            const auto body = page();
            asio::write(socket,
                        asio::buffer("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: "
                                     "close\r\nContent-Length: " +
                                     std::to_string(body.size()) + "\r\n\r\n" + body),
                        error);
        }
    }

    asio::io_context io_;
    asio::ip::tcp::acceptor acceptor_;
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::vector<std::string> ended_;
    std::string head_;
    std::thread thread_;
};

std::string token_of_session(const std::string& sid) {
    test::TokenClaims claims;
    claims.nim = "22001";
    claims.sid = sid;
    return test::mint_token(claims);
}

// Until the status is seen or three seconds are over.
unsigned status_becomes(const Service& service, const std::string& token, unsigned wanted) {
    unsigned status = 0;
    for (int i = 0; i < 60; ++i) {
        status = service.get("/api/acad/ips", token).status;
        if (status == wanted) break;
        std::this_thread::sleep_for(50ms);
    }
    return status;
}

}  // namespace

TEST_CASE("a token of an ended session is refused, and others are not") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("seed-demo", database.uri());
    FakeFeed feed;
    feed.end_session("s-before");
    const Service service(database.uri(), {{"AUTH_FEED_URL", feed.url()}});
    CHECK(status_becomes(service, token_of_session("s-live"), 200) == 200);
    CHECK(service.get("/api/acad/ips", token_of_session("s-before")).status == 401);
    feed.end_session("s-live");
    CHECK(status_becomes(service, token_of_session("s-live"), 401) == 401);
    CHECK(service.get("/api/acad/ips", token_of_session("s-other")).status == 200);
    CHECK(feed.last_head().find("Authorization: Bearer ") != std::string::npos);
    CHECK(test::get(service.port(), "/metrics").body.find("revoked_sessions 2") != std::string::npos);
}

TEST_CASE("without a feed's answer no session is judged, and the service says 503") {
    if (!test::have_postgres()) return;
    const test::PostgresDatabase database;
    command("seed-demo", database.uri());
    std::string url;
    {
        FakeFeed gone;
        url = gone.url();
    }
    Service service(database.uri(), {{"AUTH_FEED_URL", url}}, false);
    REQUIRE(service.process().wait_output("schema_ready"));
    const auto health = test::get(service.port(), "/health");
    CHECK(health.status == 503);
    CHECK(health.body == R"({"status":"unavailable","database":"up","keys":"known","sessions":"unknown"})");
    const auto reply = service.get("/api/acad/ips", token_of_session("s-any"));
    CHECK(reply.status == 503);
    CHECK(reply.has_header("Retry-After"));
}
