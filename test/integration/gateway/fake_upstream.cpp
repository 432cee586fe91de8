#include "test/integration/gateway/fake_upstream.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

namespace test {

namespace {

constexpr int kReadTimeoutMs = 10'000;

struct PeerClosed : std::runtime_error {
    PeerClosed() : std::runtime_error("peer closed") {}
};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

}  // namespace

std::string UpstreamConnection::read_until(const std::string& end) {
    while (true) {
        const std::size_t at = unread_.find(end);
        if (at != std::string::npos) {
            const std::string found = unread_.substr(0, at + end.size());
            unread_.erase(0, at + end.size());
            return found;
        }
        pollfd wait{fd_, POLLIN, 0};
        if (fd_ < 0 || ::poll(&wait, 1, kReadTimeoutMs) <= 0) throw PeerClosed();
        std::array<char, 65536> buffer;
        const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (got <= 0) throw PeerClosed();
        const std::string bytes(buffer.data(), static_cast<std::size_t>(got));
        record_(bytes);
        unread_ += bytes;
    }
}

std::string UpstreamConnection::read_head() {
    std::string head = read_until("\r\n\r\n");
    head.resize(head.size() - 2);
    return head;
}

std::string UpstreamConnection::read_exactly(std::size_t bytes) {
    while (unread_.size() < bytes) {
        pollfd wait{fd_, POLLIN, 0};
        if (fd_ < 0 || ::poll(&wait, 1, kReadTimeoutMs) <= 0) throw PeerClosed();
        std::array<char, 65536> buffer;
        const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (got <= 0) throw PeerClosed();
        const std::string more(buffer.data(), static_cast<std::size_t>(got));
        record_(more);
        unread_ += more;
    }
    const std::string taken = unread_.substr(0, bytes);
    unread_.erase(0, bytes);
    return taken;
}

std::string UpstreamConnection::read_to_end() {
    std::string all;
    try {
        while (true) all += read_exactly(1);
    } catch (const PeerClosed&) {
    }
    return all;
}

void UpstreamConnection::send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) throw PeerClosed();
        sent += static_cast<std::size_t>(n);
    }
}

void UpstreamConnection::answer(const std::string& body, const std::string& more_headers) {
    send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more_headers +
         "\r\n" + body);
}

void UpstreamConnection::shutdown_send() {
    ::shutdown(fd_, SHUT_WR);
}

void UpstreamConnection::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void UpstreamConnection::reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
}

FakeUpstream::FakeUpstream(Script script) : script_(std::move(script)) {
    listen_fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (listen_fd_ < 0 || ::bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(listen_fd_, 256) != 0 ||
        ::getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
        throw std::runtime_error("fake upstream: cannot listen");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_loop(); });
}

FakeUpstream::~FakeUpstream() {
    stopping_ = true;
    ::shutdown(listen_fd_, SHUT_RDWR);
    acceptor_.join();
    ::close(listen_fd_);
    {
        const std::lock_guard lock(mutex_);
        for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
}

void FakeUpstream::accept_loop() {
    while (!stopping_) {
        const int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        const std::size_t number = connections_.fetch_add(1);
        {
            const std::lock_guard lock(mutex_);
            open_.push_back(fd);
        }
        threads_.emplace_back([this, fd, number] {
            UpstreamConnection connection(fd, number, [this](const std::string& bytes) {
                const std::lock_guard lock(mutex_);
                received_ += bytes;
            });
            try {
                script_(connection);
            } catch (const PeerClosed&) {
            }
            const std::lock_guard lock(mutex_);
            std::erase(open_, fd);
            connection.close();
        });
    }
}

std::string FakeUpstream::received() const {
    const std::lock_guard lock(mutex_);
    return received_;
}

bool FakeUpstream::wait_received(const std::string& text, std::chrono::milliseconds timeout) const {
    const auto until = std::chrono::steady_clock::now() + timeout;
    while (std::chrono::steady_clock::now() < until) {
        if (received().find(text) != std::string::npos) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
}

std::string header_of(const std::string& head, const std::string& name) {
    const std::string wanted = "\r\n" + lower(name) + ":";
    const std::size_t at = lower(head).find(wanted);
    if (at == std::string::npos) return "";
    std::size_t from = at + wanted.size();
    while (from < head.size() && head[from] == ' ') ++from;
    return head.substr(from, head.find("\r\n", from) - from);
}

std::string read_body_of(UpstreamConnection& connection, const std::string& head) {
    if (header_of(head, "Transfer-Encoding") == "chunked") {
        std::string body;
        while (true) {
            const std::string size_line = connection.read_until("\r\n");
            const std::size_t size = std::stoul(size_line, nullptr, 16);
            const std::string data = connection.read_exactly(size + 2);
            if (size == 0) return body;
            body += data.substr(0, size);
        }
    }
    const std::string length = header_of(head, "Content-Length");
    return length.empty() ? "" : connection.read_exactly(std::stoul(length));
}

void FakeUpstream::echo(UpstreamConnection& connection) {
    while (true) {
        const std::string head = connection.read_head();
        const std::string body = read_body_of(connection, head);
        connection.answer(head + "\r\n" + body);
    }
}

}  // namespace test
