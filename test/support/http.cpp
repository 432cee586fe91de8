#include "test/support/http.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <stdexcept>

namespace test {

namespace bhttp = boost::beast::http;

std::string Reply::header(const std::string& name) const {
    for (const auto& [key, value] : headers)
        if (strcasecmp(key.c_str(), name.c_str()) == 0) return value;
    return {};
}

bool Reply::has_header(const std::string& name) const {
    for (const auto& [key, value] : headers)
        if (strcasecmp(key.c_str(), name.c_str()) == 0) return true;
    return false;
}

rapidjson::Document Reply::json() const {
    rapidjson::Document document;
    document.Parse(body.data(), body.size());
    if (document.HasParseError()) throw std::runtime_error("not JSON: " + body);
    return document;
}

std::string Reply::text(const char* member) const {
    const auto document = json();
    if (!document.IsObject() || !document.HasMember(member) || !document[member].IsString()) return {};
    return document[member].GetString();
}

Reply request(std::uint16_t port, const std::string& method, const std::string& target, HeaderList headers,
              const std::string& body) {
    std::string head = method + " " + target + " HTTP/1.1\r\n";
    bool has_host = false;
    bool has_framing = false;
    for (const auto& [name, value] : headers) {
        head += name + ": " + value + "\r\n";
        has_host = has_host || strcasecmp(name.c_str(), "host") == 0;
        has_framing = has_framing || strcasecmp(name.c_str(), "content-length") == 0 ||
                      strcasecmp(name.c_str(), "transfer-encoding") == 0;
    }
    if (!has_host) head += "Host: 127.0.0.1:" + std::to_string(port) + "\r\n";
    if (!has_framing && (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH"))
        head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    head += "Connection: close\r\n\r\n";

    RawConnection connection(port);
    connection.send(head + body);
    const auto bytes = connection.read_to_end(std::chrono::seconds(30));

    bhttp::response_parser<bhttp::string_body> parser;
    parser.eager(true);
    parser.body_limit(boost::none);
    if (method == "HEAD") parser.skip(true);
    boost::system::error_code error;
    std::string_view rest = bytes;
    while (!rest.empty() && !parser.is_done() && !error) {
        const auto used = parser.put(boost::asio::buffer(rest.data(), rest.size()), error);
        if (error == bhttp::error::need_more) error = {};
        if (used == 0) break;
        rest.remove_prefix(used);
    }
    if (!error && !parser.is_done() && parser.is_header_done()) parser.put_eof(error);
    if (error || !parser.is_done())
        throw std::runtime_error(method + " " + target + ": no complete answer (" + error.message() +
                                 "): " + bytes);
    Reply reply;
    reply.status = parser.get().result_int();
    for (const auto& field : parser.get())
        reply.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    reply.body = parser.get().body();
    return reply;
}

Reply get(std::uint16_t port, const std::string& target, HeaderList headers) {
    return request(port, "GET", target, std::move(headers));
}

Reply post_json(std::uint16_t port, const std::string& target, const std::string& body, HeaderList headers) {
    headers.emplace_back("Content-Type", "application/json");
    return request(port, "POST", target, std::move(headers), body);
}

std::pair<std::string, std::string> bearer(const std::string& token) {
    return {"Authorization", "Bearer " + token};
}

RawConnection::RawConnection(std::uint16_t port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd_);
        throw std::runtime_error("cannot connect to port " + std::to_string(port));
    }
}

RawConnection::~RawConnection() {
    if (fd_ >= 0) ::close(fd_);
}

RawConnection::RawConnection(RawConnection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), closed_(other.closed_) {}

void RawConnection::send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto count = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;  // the peer closed; what it had to say is still readable
        sent += static_cast<std::size_t>(count);
    }
}

void RawConnection::shutdown_send() {
    ::shutdown(fd_, SHUT_WR);
}

void RawConnection::reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(std::exchange(fd_, -1));
}

std::string RawConnection::read_some(std::chrono::milliseconds timeout) {
    pollfd watched{fd_, POLLIN, 0};
    if (timeout.count() <= 0 || ::poll(&watched, 1, static_cast<int>(timeout.count())) <= 0) return "";
    std::array<char, 16 * 1024> chunk;
    const auto count = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (count <= 0) {
        closed_ = true;
        return "";
    }
    return {chunk.data(), static_cast<std::size_t>(count)};
}

std::string RawConnection::read_until(const std::string& end, std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::string received;
    while (end.empty() || received.find(end) == std::string::npos) {
        const std::string more = read_some(std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now()));
        if (more.empty()) break;
        received += more;
    }
    return received;
}

std::string RawConnection::read_to_end(std::chrono::milliseconds timeout) {
    return read_until("", timeout);
}

}  // namespace test
