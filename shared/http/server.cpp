#include "shared/http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <stdexcept>

#include "shared/http/connection.hpp"
#include "shared/http/exchange.hpp"
#include "shared/http/server_state.hpp"
#include "shared/log/log.hpp"

namespace shared::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Clock = Connection::Clock;

namespace {

constexpr auto kTick = std::chrono::milliseconds(200);     // how late a deadline may be noticed
constexpr auto kLinger = std::chrono::milliseconds(1000);  // for what a client still sends after its answer
constexpr std::size_t kMaxSurplus = 64;                    // connections beyond the limit that are told so
constexpr auto kLimitToldEvery = std::chrono::seconds(1);  // in the log
constexpr std::size_t kReadChunk = 8 * 1024;               // flat_buffer alone starts with 512-byte reads

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
    Impl(asio::io_context& io_, ServerOptions options, Router router, TokenCheck check,
         metrics::Registry& metrics)
        : io(io_),
          state(std::move(options), std::move(router), std::move(check), metrics),
          acceptor(io),
          retry_timer(io),
          ticker(io),
          connections_gauge(metrics.gauge("http_connections", "Open client connections")) {}

    asio::io_context& io;
    ServerState state;
    tcp::acceptor acceptor;
    asio::steady_timer retry_timer;
    asio::steady_timer ticker;
    prometheus::Gauge& connections_gauge;
    std::list<Connection> connections;  // known here so that deadlines and a drain can reach them
    Clock::time_point limit_told{};
    Clock::time_point drain_end = Clock::time_point::max();  // then everything left is cut off
    bool cut_off = false;                                    // that has been done
    std::function<void()> drained;

    void bind();
    asio::awaitable<void> accept_loop();
    void tell_limit();
    void tick();
    asio::awaitable<void> serve(std::list<Connection>::iterator connection);
    asio::awaitable<void> hear_out(Connection& connection);
    void finished(std::list<Connection>::iterator connection);
};

void Server::Impl::bind() {
    const auto address = asio::ip::make_address(state.options.address);
    const tcp::endpoint endpoint(address, state.options.port);
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        throw std::runtime_error("PORT: cannot listen on " + state.options.address + ":" +
                                 std::to_string(state.options.port) + ": " + error.message());
}

asio::awaitable<void> Server::Impl::accept_loop() {
    while (!state.draining) {
        boost::system::error_code error;
        tcp::socket socket(io);
        co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
        if (state.draining) break;
        if (error) {
            if (error == asio::error::operation_aborted) break;
            // EMFILE, ENFILE, ENOMEM and the like pass: wait a little, never spin, never die.
            log::warn("accept_failed", {{"reason", error.message()}});
            retry_timer.expires_after(std::chrono::milliseconds(100));
            co_await retry_timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
            continue;
        }
        const bool surplus = connections.size() >= state.options.max_connections;
        if (surplus) tell_limit();
        if (connections.size() >= state.options.max_connections + kMaxSurplus) continue;  // the socket closes
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        const auto connection = connections.emplace(connections.end(), std::move(socket));
        connection->surplus = surplus;
        connections_gauge.Set(static_cast<double>(connections.size()));
        auto session = serve(connection);
        auto self = shared_from_this();
        asio::co_spawn(io, std::move(session), [self, connection](std::exception_ptr failure) {
            if (failure) {
                try {
                    std::rethrow_exception(failure);
                } catch (const std::exception& e) {
                    log::error("connection_failed", {{"reason", e.what()}});
                }
            }
            self->finished(connection);
        });
    }
}

void Server::Impl::tell_limit() {
    if (Clock::now() < limit_told + kLimitToldEvery) return;
    limit_told = Clock::now();
    log::warn("connection_limit", {{"limit", state.options.max_connections}});
}

void Server::Impl::tick() {
    ticker.expires_after(kTick);
    ticker.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (error) return;
        self->state.turns.export_metrics();
        const auto now = Clock::now();
        const bool drain_over = now >= self->drain_end;
        for (auto& connection : self->connections) {
            if (now < connection.deadline && !drain_over) continue;
            connection.expired = true;
            boost::system::error_code ignored;
            if (drain_over && !connection.streaming)
                connection.stream.shutdown(tcp::socket::shutdown_both, ignored);
            connection.stream.cancel(ignored);
        }
        // A tick later what could be cut off is gone; what is left is a handler that waits for something
        // else.
        if (drain_over && std::exchange(self->cut_off, true)) {
            if (auto done = std::exchange(self->drained, nullptr)) {
                log::warn("drain_incomplete", {{"connections", self->connections.size()}});
                done();
            }
            return;
        }
        self->tick();
    });
}

void Server::Impl::finished(std::list<Connection>::iterator connection) {
    connections.erase(connection);
    connections_gauge.Set(static_cast<double>(connections.size()));
    if (state.draining && connections.empty()) {
        ticker.cancel();
        if (auto done = std::exchange(drained, nullptr)) done();
    }
}

asio::awaitable<void> Server::Impl::serve(std::list<Connection>::iterator connection) {
    auto& stream = connection->stream;
    auto& buffer = connection->buffer;
    bool keep = true;
    while (keep && !state.draining) {
        if (buffer.size() == 0) {
            connection->expires_after(connection->surplus ? state.options.head_timeout
                                                          : state.options.idle_timeout);
            boost::system::error_code error;
            const auto space = buffer.prepare(kReadChunk);
            const auto count =
                co_await stream.async_read_some(space, asio::redirect_error(asio::use_awaitable, error));
            if (error) break;  // closed, reset, idle for too long, or drained
            buffer.commit(count);
        }
        connection->busy = true;
        Exchange exchange(state, *connection);
        keep = co_await exchange.run();
        connection->busy = false;
    }
    boost::system::error_code ignored;
    stream.shutdown(tcp::socket::shutdown_send, ignored);
    if (connection->unread) {
        co_await hear_out(*connection);
    }
    stream.close(ignored);
}

// To close while a client still sends would reset the connection, and take the answer away from it.
asio::awaitable<void> Server::Impl::hear_out(Connection& connection) {
    connection.expires_after(kLinger);
    boost::system::error_code error;
    while (!error && !state.draining) {
        connection.buffer.clear();
        const auto space = connection.buffer.prepare(kReadChunk);
        co_await connection.stream.async_read_some(space, asio::redirect_error(asio::use_awaitable, error));
    }
}

Server::Server(asio::io_context& io, ServerOptions options, Router router, TokenCheck check,
               metrics::Registry& metrics)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(router), std::move(check), metrics)) {
    impl_->bind();
}

Server::~Server() = default;

std::uint16_t Server::port() const {
    return impl_->acceptor.local_endpoint().port();
}

std::size_t Server::connections() const {
    return impl_->connections.size();
}

void Server::start() {
    log::info("listening", {{"address", impl_->state.options.address}, {"port", port()}});
    impl_->tick();
    auto loop = impl_->accept_loop();
    asio::co_spawn(impl_->io, std::move(loop), [self = impl_](std::exception_ptr failure) {
        if (failure) log::error("accept_loop_failed");
    });
}

void Server::retire() {
    impl_->state.retired = true;
}

void Server::drain(std::chrono::milliseconds grace, std::function<void()> done) {
    auto& impl = *impl_;
    if (impl.state.draining) return;
    impl.state.draining = true;
    boost::system::error_code ignored;
    impl.acceptor.close(ignored);
    impl.retry_timer.cancel();
    if (impl.connections.empty()) {
        impl.ticker.cancel();
        asio::post(impl.io, std::move(done));
        return;
    }
    impl.drained = std::move(done);
    for (auto& connection : impl.connections)
        if (!connection.busy) connection.stream.cancel(ignored);
    impl.drain_end = Clock::now() + grace;
}

}  // namespace shared::http
