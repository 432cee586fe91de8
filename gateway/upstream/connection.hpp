// One connection to an endpoint. Busy: it belongs to a request, which hears of its events. Idle: it belongs
// to its pool, is still watched, and leaves the pool when the peer closes it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/net/deadline_wheel.hpp"
#include "gateway/net/outbox.hpp"
#include "gateway/net/poller.hpp"
#include "gateway/net/stream.hpp"
#include "gateway/upstream/endpoint.hpp"

namespace gateway::upstream {

class EndpointPool;

// The request that uses a connection. Any of these may give the connection back or drop it.
class ConnectionUser {
  public:
    virtual void on_upstream_connected() = 0;
    // Connecting or the TLS handshake failed, or took too long.
    virtual void on_upstream_connect_failed(std::string_view reason) = 0;
    // Bytes or the end of the stream can be read.
    virtual void on_upstream_readable() = 0;
    // Everything that was handed to send() is out.
    virtual void on_upstream_drained() = 0;
    // A send failed: the peer is gone. It may still have sent an answer.
    virtual void on_upstream_send_failed() = 0;
    virtual void on_upstream_deadline() = 0;
    // Handling one of these threw.
    virtual void on_upstream_exception() noexcept = 0;

  protected:
    ~ConnectionUser() = default;
};

class Connection final : public net::PollHandler, public net::Timed {
  public:
    explicit Connection(std::shared_ptr<EndpointPool> pool);
    ~Connection() override;

    // Begins to connect; the user hears of the outcome, never from within this call. False: no socket could
    // be made.
    [[nodiscard]] bool connect(ConnectionUser* user, std::chrono::milliseconds timeout);
    void assign(ConnectionUser* user) { user_ = user; }

    EndpointPool& pool() { return *pool_; }
    // Has carried a request before.
    bool reused() const { return requests_ > 1; }
    void count_request() { ++requests_; }
    bool tls() const { return stream_.tls(); }

    // Sends or, when the socket is full, keeps the rest. Stop offering more while backlog() is true.
    using Sent = net::Outbox::Sent;
    Sent send(std::string_view first, std::string_view second = {}, std::string_view third = {});
    bool backlog() const { return !outbox_.empty(); }
    // Bytes wait for the end of the turn (net::SendBatch).
    bool batched() const { return stream_.batched(); }
    void shutdown_write();

    bool readable() const { return readable_; }
    net::IoResult read(std::span<char> into);
    // The peer has closed or reset the connection, as far as the events seen so far tell.
    bool hung_up() const { return hung_up_; }
    // Nothing tells that a request sent now would be lost, or answered by bytes of something else. The kernel
    // is asked (one system call) where the connection has been idle for some time, or where `check` says so.
    bool fit_for_use(bool check) const;
    void again();

    void set_deadline(std::chrono::milliseconds after);
    void clear_deadline();

    // Idle in the pool for at most so long.
    void become_idle(std::chrono::milliseconds timeout);
    void close();
    bool open() const { return stream_.open(); }
    std::uint32_t born() const { return born_; }

    void on_events(std::uint32_t events) override;
    void on_batch_sent(const net::SendBatch::Outcome& outcome) override;
    void on_exception() noexcept override;
    void on_deadline() override;

  private:
    enum class State : std::uint8_t { closed, connecting, handshaking, ready };

    bool silent() const;
    void continue_connecting();
    void connect_failed(std::string_view reason);
    void flush();

    std::shared_ptr<EndpointPool> pool_;  // idle ones are let go by EndpointPool::retire()
    ConnectionUser* user_ = nullptr;
    net::Stream stream_;
    net::Outbox outbox_;
    std::uint32_t requests_ = 0;
    std::uint32_t born_ = 0;       // tick
    std::int64_t idle_since_ = 0;  // ms of the poller's clock
    State state_ = State::closed;
    bool readable_ = false;
    bool hung_up_ = false;
    bool counted_ = true;  // among the pool's connections
};

}  // namespace gateway::upstream
