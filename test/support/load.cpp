#include "test/support/load.hpp"

#include <optional>
#include <stdexcept>

#include "test/support/http.hpp"

namespace test {

namespace {

constexpr std::chrono::seconds kAnswerTimeout{10};

// Status of a complete answer with Content-Length, or what was missing.
struct Outcome {
    int status = 0;
    bool keep_alive = false;
    std::string broken;
};

Outcome ask(RawConnection& connection, const std::string& request) {
    Outcome outcome;
    connection.send(request);
    std::string bytes = connection.read_until("\r\n\r\n", kAnswerTimeout);
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string::npos || !bytes.starts_with("HTTP/1.1 ")) {
        outcome.broken = bytes.empty()
                             ? (connection.closed_by_peer() ? "closed before an answer" : "no answer")
                             : "half a head";
        return outcome;
    }
    const std::string head = bytes.substr(0, end + 2);
    outcome.status = std::stoi(head.substr(9, 3));
    outcome.keep_alive = head.find("\r\nConnection: close\r\n") == std::string::npos;
    const std::size_t length_at = head.find("\r\nContent-Length: ");
    const std::size_t length = length_at == std::string::npos ? 0 : std::stoul(head.substr(length_at + 18));
    std::size_t have = bytes.size() - end - 4;
    while (have < length) {
        // One byte is enough to come back: there is no end to look for.
        const std::string more = connection.read_some(kAnswerTimeout);
        if (more.empty()) {
            outcome.broken = "half a body";
            return outcome;
        }
        have += more.size();
    }
    if (have > length) outcome.broken = "bytes behind the answer";
    return outcome;
}

}  // namespace

Load::Load(std::uint16_t port, std::size_t connections, std::string request, int requests_per_connection,
           std::chrono::seconds at_most)
    : port_(port),
      request_(std::move(request)),
      requests_per_connection_(requests_per_connection),
      until_(std::chrono::steady_clock::now() + at_most) {
    for (std::size_t i = 0; i < connections; ++i) threads_.emplace_back([this] { run(); });
}

void Load::stop() {
    stopping_ = true;
    for (std::thread& thread : threads_)
        if (thread.joinable()) thread.join();
}

void Load::run() {
    std::optional<RawConnection> connection;
    int asked = 0;
    while (!stopping_ && std::chrono::steady_clock::now() < until_) {
        try {
            if (!connection) {
                connection.emplace(port_);
                asked = 0;
            }
        } catch (const std::exception& e) {
            failed(e.what());
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            continue;
        }
        const Outcome outcome = ask(*connection, request_);
        if (!outcome.broken.empty())
            failed(outcome.broken);
        else if (outcome.status != 200)
            failed(std::to_string(outcome.status));
        else
            ++good_;
        ++asked;
        if (!outcome.broken.empty() || !outcome.keep_alive ||
            (requests_per_connection_ != 0 && asked >= requests_per_connection_))
            connection.reset();
    }
}

void Load::failed(const std::string& why) {
    ++bad_;
    const std::lock_guard lock(mutex_);
    ++kinds_[why];
}

bool Load::wait_good(std::uint64_t more) const {
    const std::uint64_t wanted = good() + more;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(15);
    while (good() < wanted) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

std::string Load::bad_ones() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const auto& [why, count] : kinds_)
        text += (text.empty() ? "" : ", ") + std::to_string(count) + " x " + why;
    return text;
}

}  // namespace test
