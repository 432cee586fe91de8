// load PORT CONNECTIONS SECONDS TOKENS [PATH [METHOD [BODY_BYTES]]]: closed-loop HTTP/1.1 load on one thread,
// so cheap that on one core with the upstream it outruns every proxy on the other (wrk does not: then the
// fast ones would be measured half idle). TOKENS is a file with one access token a line; each request takes
// the next. Prints the same JSON line as load.lua.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "test/bench/gateway/sockets.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    std::uint16_t port = 0;
    std::size_t connections = 0;
    unsigned seconds = 0;
    std::vector<std::string> tokens;
    std::string path = "/";
    std::string method = "GET";
    std::size_t body_bytes = 0;
};

struct Connection {
    int fd = -1;
    const std::string* request = nullptr;
    std::size_t sent = 0;
    Clock::time_point started;
    std::string head;  // an incomplete head
    bool in_body = false;
    std::size_t body_left = 0;
};

char scratch[256 * 1024];

class Load {
  public:
    explicit Load(const Options& options)
        : address_(bench::loopback(options.port)), microseconds_(kMost + 1) {
        const std::string body(options.body_bytes, 'x');
        for (const auto& token : options.tokens) {
            std::string text = options.method + ' ' + options.path +
                               " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) +
                               "\r\nAuthorization: Bearer " + token + "\r\nAccept: application/json\r\n";
            if (!body.empty())
                text += "Content-Type: application/octet-stream\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n";
            requests_.push_back(text + "\r\n" + body);
        }
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        if (epoll_ < 0) bench::fail("epoll_create1");
        connections_.resize(options.connections);
        for (auto& connection : connections_) connect(connection);
    }

    void run(std::chrono::seconds duration) {
        const auto start = Clock::now();
        now_ = start;
        for (auto& connection : connections_) ask(connection);
        while (now_ - start < duration) {
            epoll_event events[256];
            const int count = ::epoll_wait(epoll_, events, 256, 100);
            now_ = Clock::now();
            for (int i = 0; i < count; ++i) {
                auto& connection = *static_cast<Connection*>(events[i].data.ptr);
                if ((events[i].events & EPOLLOUT) != 0) send(connection);
                if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0)
                    receive(connection);
            }
        }
        seconds_ = std::chrono::duration<double>(now_ - start).count();
    }

    void report() const {
        std::printf(R"({"requests":%llu,"seconds":%.6f,"p50_us":%zu,"p99_us":%zu,"p999_us":%zu,)"
                    R"("socket_errors":%llu,"refused":%llu})"
                    "\n",
                    answered_, seconds_, percentile(0.50), percentile(0.99), percentile(0.999), lost_,
                    refused_);
    }

  private:
    static constexpr std::size_t kMost = 2'000'000;  // longer ones count as 2 s

    void connect(Connection& connection) {
        connection = Connection();
        connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connection.fd < 0 ||
            ::connect(connection.fd, std::bit_cast<sockaddr*>(&address_), sizeof address_) != 0)
            bench::fail("connect");
        bench::no_delay(connection.fd);
        if (::fcntl(connection.fd, F_SETFL, O_NONBLOCK) != 0) bench::fail("fcntl");
        bench::watch(epoll_, connection.fd, &connection);
    }

    void ask(Connection& c) {
        c.request = &requests_[next_];
        next_ = (next_ + 1) % requests_.size();
        c.sent = 0;
        c.started = Clock::now();
        send(c);
    }

    void send(Connection& c) {
        while (c.request != nullptr && c.sent < c.request->size()) {
            const auto sent =
                ::send(c.fd, c.request->data() + c.sent, c.request->size() - c.sent, MSG_NOSIGNAL);
            if (sent < 0) return;  // full: EPOLLOUT comes; broken: the reader finds out
            c.sent += static_cast<std::size_t>(sent);
        }
    }

    void receive(Connection& c) {
        for (;;) {
            const auto got = ::recv(c.fd, scratch, sizeof scratch, 0);
            if (got < 0 && errno == EAGAIN) return;
            if (got <= 0) return lost(c);
            take(c, {scratch, static_cast<std::size_t>(got)});
            if (static_cast<std::size_t>(got) < sizeof scratch) return;
        }
    }

    void take(Connection& c, std::string_view bytes) {
        if (!c.in_body) {
            std::string joined;
            if (!c.head.empty()) {
                joined = std::move(c.head);
                c.head.clear();
                bytes = joined.append(bytes);
            }
            const auto end = bytes.find("\r\n\r\n");
            if (end == std::string_view::npos) {
                c.head = bytes;
                return;
            }
            begin_body(c, bytes.substr(0, end + 2));
            bytes.remove_prefix(end + 4);
        }
        c.body_left -= std::min(c.body_left, bytes.size());
        if (c.body_left == 0) answered(c);
    }

    void begin_body(Connection& c, std::string_view head) {
        if (head.size() < 12 || head[9] != '2') ++refused_;
        c.in_body = true;
        c.body_left = 0;
        for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "})
            if (const auto at = head.find(name); at != std::string_view::npos)
                std::from_chars(head.data() + at + name.size(), head.data() + head.size(), c.body_left);
    }

    void answered(Connection& c) {
        const auto took =
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - c.started).count();
        ++microseconds_[std::min(static_cast<std::size_t>(took), kMost)];
        ++answered_;
        c.in_body = false;
        ask(c);
    }

    void lost(Connection& c) {
        ++lost_;
        ::close(c.fd);
        connect(c);
        ask(c);
    }

    std::size_t percentile(double share) const {
        auto left = static_cast<unsigned long long>(share * static_cast<double>(answered_));
        for (std::size_t i = 0; i <= kMost; ++i) {
            if (microseconds_[i] > left) return i;
            left -= microseconds_[i];
        }
        return kMost;
    }

    sockaddr_in address_;
    int epoll_ = -1;
    std::vector<Connection> connections_;
    std::vector<std::string> requests_;
    std::size_t next_ = 0;
    Clock::time_point now_;
    std::vector<unsigned> microseconds_;  // how many answers took so long
    double seconds_ = 0;
    unsigned long long answered_ = 0;
    unsigned long long lost_ = 0;
    unsigned long long refused_ = 0;
};

template <class T>
void number(std::string_view text, T& out) {
    std::from_chars(text.data(), text.data() + text.size(), out);
}

}  // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> given(arguments + 1, arguments + count);
    Options options;
    if (given.size() >= 4) {
        number(given[0], options.port);
        number(given[1], options.connections);
        number(given[2], options.seconds);
        std::ifstream file(given[3]);
        options.tokens.assign(std::istream_iterator<std::string>(file), {});
    }
    if (options.port == 0 || options.connections == 0 || options.seconds == 0 || options.tokens.empty()) {
        std::fputs("usage: bench_load PORT CONNECTIONS SECONDS TOKENS [PATH [METHOD [BODY_BYTES]]]\n",
                   stderr);
        return 2;
    }
    if (given.size() > 4) options.path = given[4];
    if (given.size() > 5) options.method = given[5];
    if (given.size() > 6) number(given[6], options.body_bytes);
    Load load(options);
    load.run(std::chrono::seconds(options.seconds));
    load.report();
}
