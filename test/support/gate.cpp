#include "test/support/gate.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace test {

struct Gate::Impl {
    struct Pair : std::enable_shared_from_this<Pair> {
        explicit Pair(Impl& owner) : gate(owner), client(owner.io), server(owner.io) {}
        void pump(tcp::socket& from, tcp::socket& to, std::vector<char>& buffer,
                  const std::atomic<bool>& silent) {
            from.async_read_some(
                asio::buffer(buffer), [&, self = shared_from_this()](auto error, std::size_t count) {
                    if (error) return cut();
                    if (silent) return pump(from, to, buffer, silent);
                    if (&from == &client && gate.counted({buffer.data(), count})) last = true;
                    if (&from == &server && last && gate.then) return std::exchange(gate.then, nullptr)();
                    asio::async_write(to, asio::buffer(buffer, count), [&, self](auto failed, std::size_t) {
                        if (failed) return cut();
                        pump(from, to, buffer, silent);
                    });
                });
        }
        void cut() {
            boost::system::error_code ignored;
            client.set_option(asio::socket_base::linger(true, 0),
                              ignored);  // a reset, as a killed host gives
            client.close(ignored);
            server.close(ignored);
        }
        Impl& gate;
        bool last = false;  // the next answer is the one
        tcp::socket client;
        tcp::socket server;
        std::vector<char> up = std::vector<char>(65536);
        std::vector<char> down = std::vector<char>(65536);
    };

    explicit Impl(unsigned short target_port)
        : acceptor(io), target(asio::ip::address_v4::loopback(), target_port) {
        holder.open(tcp::v4());
        holder.set_option(tcp::socket::reuse_address(true));
        holder.bind({asio::ip::address_v4::loopback(), 0});
        port = holder.local_endpoint().port();
        listen();
        thread = std::thread([this] { io.run(); });
    }
    ~Impl() {
        asio::post(io, [this] { io.stop(); });
        thread.join();
    }
    void listen() {
        acceptor.open(tcp::v4());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        acceptor.bind({asio::ip::address_v4::loopback(), port});
        acceptor.listen();
        accept();
    }
    void accept() {
        auto pair = std::make_shared<Pair>(*this);
        acceptor.async_accept(pair->client, [this, pair](auto error) {
            if (error) return;
            pairs.insert(pair);
            pair->server.async_connect(target, [this, pair](auto failed) {
                if (failed) return pair->cut();
                pair->pump(pair->client, pair->server, pair->up, silent);
                pair->pump(pair->server, pair->client, pair->down, silent);
            });
            accept();
        });
    }
    bool counted(std::string_view piece) { return remaining > 0 && counts(piece) && --remaining == 0; }
    // Runs on the gate's thread and waits for it.
    template <class F>
    void on_thread(F work) {
        std::promise<void> done;
        asio::post(io, [&] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }

    asio::io_context io;
    asio::executor_work_guard<asio::io_context::executor_type> guard{io.get_executor()};
    // Bound and never listening: while the gate is shut, nobody else gets the port.
    tcp::socket holder{io};
    tcp::acceptor acceptor;
    tcp::endpoint target;
    unsigned short port = 0;
    std::atomic<bool> silent{false};
    int remaining = 0;  // pieces until `then`
    std::function<bool(std::string_view)> counts;
    std::function<void()> then;
    std::set<std::shared_ptr<Pair>> pairs;
    std::thread thread;
};

Gate::Gate(unsigned short target_port) : impl_(std::make_unique<Impl>(target_port)) {}
Gate::~Gate() = default;
unsigned short Gate::port() const {
    return impl_->port;
}
void Gate::shut() {
    impl_->on_thread([this] {
        impl_->acceptor.close();
        for (const auto& pair : impl_->pairs) pair->cut();
        impl_->pairs.clear();
    });
}
void Gate::open() {
    impl_->on_thread([this] { impl_->listen(); });
}
void Gate::at_answer(int count, std::function<bool(std::string_view)> counts, std::function<void()> then) {
    impl_->on_thread([&] {
        impl_->remaining = count;
        impl_->counts = std::move(counts);
        impl_->then = std::move(then);
    });
}
void Gate::set_silent(bool silent) {
    impl_->silent = silent;
}

}  // namespace test
