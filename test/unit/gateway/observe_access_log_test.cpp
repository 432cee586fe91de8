// What of a flood of refusals gets into the access log.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gateway/observe/access_log.hpp"

namespace gateway::observe {

namespace {

using std::chrono::seconds;

const wire::IpAddress kClient = *wire::IpAddress::parse("203.0.113.7");
const wire::IpAddress kOther = *wire::IpAddress::parse("203.0.113.8");

// A worker's log at a clock that the test moves, and the lines that came of it.
class Log {
  public:
    explicit Log(bool with_security = false) {
        for (std::string* path : {&path_, &security_path_}) {
            const int file = ::mkstemp(path->data());
            REQUIRE(file >= 0);
            ::close(file);
        }
        writer_ = std::make_unique<AccessLogWriter>(path_);
        if (with_security) security_ = std::make_unique<AccessLogWriter>(security_path_);
        log_ = std::make_unique<AccessLog>(writer_.get(), security_.get());
    }
    ~Log() {
        ::unlink(path_.c_str());
        ::unlink(security_path_.c_str());
    }

    void refuse(const wire::IpAddress& client, unsigned status, std::string_view reason, int times = 1) {
        const std::string text = client.to_string();
        AccessEntry entry = this->entry(status);
        entry.client = text;
        entry.reason = reason;
        for (int i = 0; i < times; ++i) log_->write_refusal(entry, client, now_);
    }
    void answer(unsigned status) { log_->write(entry(status)); }
    void pass(seconds time) {
        now_ += time;
        log_->tick(now_);
    }
    // Ends the log.
    std::vector<std::string> lines() {
        log_.reset();
        writer_.reset();
        return lines_of(path_);
    }
    std::vector<std::string> security_lines() {
        log_.reset();
        security_.reset();
        return lines_of(security_path_);
    }

  private:
    static std::vector<std::string> lines_of(const std::string& path) {
        std::ifstream file(path);
        std::vector<std::string> all;
        for (std::string line; std::getline(file, line);) all.push_back(line);
        return all;
    }
    static AccessEntry entry(unsigned status) {
        AccessEntry entry;
        entry.time = std::chrono::system_clock::time_point(seconds(1767225600));
        entry.status = status;
        return entry;
    }

    std::string path_ = "/tmp/access_log_XXXXXX";
    std::string security_path_ = "/tmp/security_log_XXXXXX";
    std::unique_ptr<AccessLogWriter> writer_;
    std::unique_ptr<AccessLogWriter> security_;
    std::unique_ptr<AccessLog> log_;
    RefusalSampler::Clock::time_point now_{seconds(1000)};
};

std::size_t count(const std::vector<std::string>& lines, std::string_view part) {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(), [&](const std::string& line) { return line.find(part) != line.npos; }));
}

}  // namespace

TEST_CASE("a flood of one client's refusals is ten lines and a count") {
    Log log;
    log.refuse(kClient, 401, "token_missing", 422);
    log.pass(seconds(9));
    log.refuse(kClient, 401, "token_missing");
    log.pass(seconds(1));
    log.refuse(kClient, 401, "token_missing", 11);
    const auto lines = log.lines();
    REQUIRE(lines.size() == 10 + 1 + 10 + 1);  // the end of the process writes what is counted by then
    CHECK(count(lines, R"("event":"request")") == 20);
    CHECK(lines[10] == R"({"ts":"2026-01-01T00:00:00.000Z","event":"more_refused","status":401,)"
                       R"("client":"203.0.113.7","reason":"token_missing","more":413})");
    CHECK(lines[21].ends_with(R"("more":1})"));
}

TEST_CASE("refusals of other clients, statuses and reasons, and all other lines, are written") {
    Log log;
    log.refuse(kClient, 401, "token_missing", 1000);
    log.refuse(kOther, 401, "token_missing");
    log.refuse(kClient, 403, "token_missing");
    log.refuse(kClient, 401, "token_expired");
    for (int i = 0; i < 300; ++i) {
        log.answer(200);
        log.answer(404);  // a service's
    }
    const auto lines = log.lines();
    CHECK(count(lines, R"("status":200)") == 300);
    CHECK(count(lines, R"("status":404)") == 300);
    CHECK(count(lines, R"("client":"203.0.113.8")") == 1);
    CHECK(count(lines, R"("status":403)") == 1);
    CHECK(count(lines, "token_expired") == 1);
    CHECK(count(lines, R"("more":)") == 1);
}

TEST_CASE("refusals that are few make no count") {
    Log log;
    log.refuse(kClient, 401, "token_missing", 10);
    log.pass(seconds(10));
    log.refuse(kClient, 401, "token_missing", 10);
    log.pass(seconds(10));
    CHECK(log.lines().size() == 20);
}

TEST_CASE("the addresses of an IPv6 customer count together") {
    Log log;
    for (int i = 0; i < 100; ++i)
        log.refuse(*wire::IpAddress::parse("2001:db8:1:2::" + std::to_string(i)), 429, "rate_limited");
    log.refuse(*wire::IpAddress::parse("2001:db8:1:3::1"), 429, "rate_limited");
    const auto lines = log.lines();
    REQUIRE(lines.size() == 12);
    CHECK(count(lines, R"("client":"2001:db8:1:2::/64","reason":"rate_limited","more":90)") == 1);
}

TEST_CASE("a flood from more clients than are remembered stays small") {
    Log log;
    const auto flood = [&](std::uint32_t first) {
        for (std::uint32_t i = 0; i < 5000; ++i)
            log.refuse(wire::IpAddress::v4(first + i), 401, "token_missing");
    };
    flood(0x0A000000);
    log.refuse(kClient, 400, "bad_header", 20);
    log.pass(seconds(10));
    flood(0x0B000000);
    const auto lines = log.lines();
    const auto whole = RefusalSampler::kMostKinds + RefusalSampler::kWhole;
    const auto rest = R"("event":"more_refused","status":401,"more":)" + std::to_string(5000 - whole) + "}";
    CHECK(count(lines, rest) == 2);
    CHECK(count(lines, R"("event":"more_refused","status":400,"more":10})") == 1);
    CHECK(lines.size() == 2 * (whole + 1) + 11);
}

TEST_CASE("refusals that are security events go to their own stream, counts too, and nothing else does") {
    Log log(true);
    for (const unsigned status : {400U, 401U, 403U, 429U, 404U, 405U, 408U, 413U, 431U})
        log.refuse(kClient, status, "reason", 12);
    for (const unsigned status : {200U, 401U, 403U, 503U}) log.answer(status);  // of services
    const auto others = log.lines();
    const auto security = log.security_lines();
    CHECK(security.size() == 4 * 11);
    CHECK(count(security, R"("more":2})") == 4);
    for (const char* status : {"400", "401", "403", "429"}) {
        INFO(status);
        CHECK(count(security, std::string(R"("status":)") + status) == 11);
    }
    CHECK(others.size() == 5 * 11 + 4);
}

TEST_CASE("a byte is escaped wherever it stands") {
    for (unsigned c = 0; c < 0x80; ++c) {
        std::string escaped(1, static_cast<char>(c));
        if (c == '"' || c == '\\') escaped.insert(0, 1, '\\');
        if (c < 0x20 || c == 0x7F) {
            char text[8];
            std::snprintf(text, sizeof text, "\\u%04x", c);
            escaped = text;
        }
        for (std::size_t at = 0; at < 20; ++at) {
            CAPTURE(c, at);
            std::string text(20, 'a');
            text[at] = static_cast<char>(c);
            std::string out;
            append_json_string(out, text);
            CHECK(out == '"' + std::string(at, 'a') + escaped + std::string(19 - at, 'a') + '"');
            // Beside bytes that are more than ASCII, too.
            text.insert(at, "\xC3\xA9");
            out.clear();
            append_json_string(out, text);
            CHECK(out == '"' + std::string(at, 'a') + "\xC3\xA9" + escaped + std::string(19 - at, 'a') + '"');
        }
    }
}

}  // namespace gateway::observe
