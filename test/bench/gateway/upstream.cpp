// upstream COUNTER_FILE: the server behind every proxy of the benchmark, as cheap as one can be.
//   main port: 151 bytes for any request, 1 MiB for "/big", request bodies (Content-Length only) are thrown
//   away auth port: 204 for any request; GET /internal/revocations is a feed of ended sessions that nothing
//   is added to
// COUNTER_FILE holds one 64-bit integer, the number of answers on the main port so far; the harness reads it
// while the load runs. Prints "port MAIN AUTH". Ends by a signal.
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "test/bench/gateway/sockets.hpp"

namespace {

constexpr std::string_view kSmall =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 80\r\n\r\n"
    R"({"nim":"22001","nama":"Ahmad Fauzan","jurusan":"Sains Data","ips":3.5,"sks":121})";
static_assert(kSmall.size() == 151);
constexpr std::string_view kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";
constexpr std::string_view kFeed =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n"
    R"({"cursor":"1","reset":false,"entries":[]})";
constexpr std::size_t kBigBody = 1024 * 1024;
constexpr std::time_t kFeedWait = 20;  // seconds that a poll for something new is held

struct Connection {
    int fd = -1;
    bool auth = false;         // came in on the auth port
    std::string input;         // an incomplete head
    std::size_t skip = 0;      // bytes of a request body still to come
    bool owes_answer = false;  // when that body is complete
    std::string rest;          // answer bytes that did not fit
    std::time_t held_until = 0;
};

char scratch[256 * 1024];

class Server {
  public:
    explicit Server(std::atomic<std::uint64_t>& answers) : answers_(answers) {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        if (epoll_ < 0) bench::fail("epoll_create1");
        main_ = bench::listen_on_loopback(main_port_);
        auth_ = bench::listen_on_loopback(auth_port_);
        bench::watch(epoll_, main_, &main_);
        bench::watch(epoll_, auth_, &auth_);
        big_ = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
               std::to_string(kBigBody) + "\r\n\r\n";
        big_.append(kBigBody, 'x');
    }

    void announce() const {
        std::printf("port %u %u\n", main_port_, auth_port_);
        std::fflush(stdout);
    }

    [[noreturn]] void run() {
        for (;;) {
            epoll_event events[256];
            const int count = ::epoll_wait(epoll_, events, 256, 1000);
            for (int i = 0; i < count; ++i) {
                void* owner = events[i].data.ptr;
                if (owner == &main_ || owner == &auth_) {
                    accept_all(owner == &auth_);
                    continue;
                }
                auto& connection = *static_cast<Connection*>(owner);
                if (connection.fd >= 0 && !on_event(connection, events[i].events)) bury(connection);
            }
            graves_.clear();
            answer_held();
        }
    }

  private:
    void accept_all(bool auth) {
        for (;;) {
            const int fd = ::accept4(auth ? auth_ : main_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;
            bench::no_delay(fd);
            auto connection = std::make_unique<Connection>();
            connection->fd = fd;
            connection->auth = auth;
            bench::watch(epoll_, fd, connection.get());
            connections_.emplace(fd, std::move(connection));
        }
    }

    bool on_event(Connection& c, std::uint32_t events) {
        if ((events & EPOLLERR) != 0) return false;
        if ((events & EPOLLOUT) != 0 && !c.rest.empty()) {
            const auto rest = std::move(c.rest);
            c.rest.clear();
            if (!send(c, rest)) return false;
        }
        if ((events & EPOLLIN) == 0) return true;
        const bool ending = (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
        for (;;) {
            const auto got = ::recv(c.fd, scratch, sizeof scratch, 0);
            if (got == 0) return false;
            if (got < 0) return errno == EAGAIN;
            if (!take(c, {scratch, static_cast<std::size_t>(got)})) return false;
            if (static_cast<std::size_t>(got) < sizeof scratch && !ending) return true;
        }
    }

    // Bytes that arrived: answers each request that is complete.
    bool take(Connection& c, std::string_view bytes) {
        std::string joined;
        if (!c.input.empty()) {
            joined = std::move(c.input);
            c.input.clear();
            bytes = joined.append(bytes);
        }
        for (;;) {
            const auto skipped = std::min(c.skip, bytes.size());
            c.skip -= skipped;
            bytes.remove_prefix(skipped);
            if (c.owes_answer && c.skip == 0) {
                c.owes_answer = false;
                if (!answer(c, "PUT ")) return false;
            }
            if (bytes.empty()) return true;
            const auto end = bytes.find("\r\n\r\n");
            if (end == std::string_view::npos) {
                c.input = bytes;
                return true;
            }
            const auto head = bytes.substr(0, end + 4);
            bytes.remove_prefix(head.size());
            if (!head.starts_with("GET ")) c.skip = content_length(head);
            // An answer before the body's end would make some proxies close the connection.
            c.owes_answer = c.skip > 0;
            if (!c.owes_answer && !answer(c, head)) return false;
        }
    }

    static std::size_t content_length(std::string_view head) {
        for (const std::string_view name : {"\r\ncontent-length:", "\r\nContent-Length:"}) {
            auto at = head.find(name);
            if (at == std::string_view::npos) continue;
            at = head.find_first_not_of(' ', at + name.size());
            std::size_t length = 0;
            std::from_chars(head.data() + at, head.data() + head.size(), length);
            return length;
        }
        return 0;
    }

    bool answer(Connection& c, std::string_view head) {
        if (c.auth) {
            if (!head.starts_with("GET /internal/revocations")) return send(c, kNoContent);
            if (head.find("since=") > head.find("\r\n")) return send(c, kFeed);
            c.held_until = std::time(nullptr) + kFeedWait;
            return true;
        }
        // Counted before it is sent: the reader may then be ahead by what is on its way, never behind.
        answers_.store(answers_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        return send(c, head.starts_with("GET /big") ? std::string_view(big_) : kSmall);
    }

    bool send(Connection& c, std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(c.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) {
                if (errno != EAGAIN) return false;
                c.rest += bytes;
                return true;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    void answer_held() {
        const auto now = std::time(nullptr);
        if (now == held_checked_) return;
        held_checked_ = now;
        for (auto& [fd, connection] : connections_) {
            if (connection->held_until == 0 || connection->held_until > now) continue;
            connection->held_until = 0;
            send(*connection, kFeed);  // a failure shows as an event of its own
        }
    }

    // Events of the same batch may still point to it.
    void bury(Connection& c) {
        const int fd = c.fd;
        const auto found = connections_.find(fd);
        c.fd = -1;
        graves_.push_back(std::move(found->second));
        connections_.erase(found);
        ::close(fd);
    }

    std::atomic<std::uint64_t>& answers_;
    int epoll_ = -1;
    int main_ = -1;
    int auth_ = -1;
    std::uint16_t main_port_ = 0;
    std::uint16_t auth_port_ = 0;
    std::string big_;
    std::time_t held_checked_ = 0;
    std::unordered_map<int, std::unique_ptr<Connection>> connections_;
    std::vector<std::unique_ptr<Connection>> graves_;
};

// The file as shared memory; made if it is not there.
std::atomic<std::uint64_t>& counter_in(const char* path) {
    const int fd = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::ftruncate(fd, sizeof(std::uint64_t)) != 0) bench::fail(path);
    void* memory = ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) bench::fail("mmap");
    return *new (memory) std::atomic<std::uint64_t>(0);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: bench_upstream COUNTER_FILE\n", stderr);
        return 2;
    }
    Server server(counter_in(arguments[1]));
    server.announce();
    server.run();
}
