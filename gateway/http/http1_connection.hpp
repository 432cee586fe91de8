// One client connection that speaks HTTP/1: reads requests, one at a time, and gives their answers the form
// of the protocol. A state machine, not a coroutine: an idle connection holds no buffer, no frame and no
// timer of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/exchange/client_side.hpp"
#include "gateway/http/worker_context.hpp"
#include "gateway/net/listener.hpp"
#include "gateway/net/outbox.hpp"
#include "gateway/net/stream.hpp"
#include "gateway/wire/body_reader.hpp"

namespace gateway::http {

class Http1Connection final : public exchange::ClientSide, public net::PollHandler, public net::Timed {
  public:
    // Takes a connected, non-blocking socket and registers it; deletes itself through the poller when it is
    // over. Returns false (and closes) where that was impossible.
    static bool open(WorkerContext& worker, int descriptor, const net::Peer& peer, bool proxy_protocol,
                     const net::TlsContext* tls);
    ~Http1Connection() override;

    // ---- for the worker
    void close_if_idle();  // draining
    void shed();           // is in WorkerContext::expendable or idle: makes room
    void kill(std::string_view reason);
    Http1Connection* next() const { return all_.next; }

    // ---- for who answers
    exchange::Given head(const exchange::Reply& reply, std::string_view first, bool last) override;
    exchange::Given informational(const wire::ResponseHead* lines,
                                  std::span<const wire::Addition> overrides) override;
    exchange::Given body(std::string_view data, bool last) override;
    void end() override;
    void cut(std::string_view reason) override;
    bool full() const override { return !out_.empty(); }
    void want_body() override;
    exchange::Given tunnel(const exchange::Reply& reply, std::string_view first) override;

    void on_events(std::uint32_t events) override;
    void on_batch_sent(const net::SendBatch::Outcome& outcome) override;
    void on_exception() noexcept override;

  protected:
    void on_deadline() override;

  private:
    enum class State : std::uint8_t {
        proxy_header,  // expects a PROXY protocol header
        handshaking,   // TLS
        idle,          // between requests
        reading_head,
        handling,       // request complete or its body coming, answer not finished
        draining_body,  // answer finished, unread body is read away
        closing,        // answer out, waiting for the client's FIN
        tunnel,
        tunnel_ending,  // the other side sends no more: our FIN is out or owed
        closed,
    };
    // What the client sends besides heads: a body, a tunnel's bytes.
    enum class Inflow : std::uint8_t {
        held,  // nobody wants more of it now
        wanted,
        ended,  // its FIN has been seen
    };
    // In which of the worker's lists it makes room for others.
    enum class Waiting : std::uint8_t { nowhere, expendable, idle };
    enum class After : std::uint8_t { keep, close };
    enum class Framing : std::uint8_t { plain, chunked };  // of the answer's body

    Http1Connection(WorkerContext& worker, const net::Peer& peer);

    bool in_tunnel() const { return state_ == State::tunnel || state_ == State::tunnel_ending; }
    bool wants_input() const;
    // Its FIN has come, it has sent all that it had to, and its request is not wanted any more then.
    bool left() const;
    void read_loop();
    void on_bytes(char* data, std::size_t size);
    std::size_t process(char* data, std::size_t size);
    void process_kept();
    void on_end_of_input();
    void read_proxy_header();
    void continue_handshake();

    void begin_head();
    void begin_request();
    void begin_unreadable();
    void refuse(wire::Refusal refusal);
    bool read_body(char* data, std::size_t size, std::size_t& at);
    void hand_on(std::string_view data, bool last);
    void hold_body();
    void body_deadline();

    void decide_keep_alive(const exchange::Reply& reply);
    exchange::Given hand_out(wire::Output& out, std::string_view data, bool last);
    exchange::Given send(std::string_view first, std::string_view second = {}, std::string_view third = {});
    // Sends what waits for the end of the turn. False: the client is gone and everything is over.
    bool flush_batch();
    void flush();
    static bool write_head(wire::Output& out, const exchange::Reply& reply, wire::ClientResponse& add);
    void await_client();
    void on_drained();
    void end_exchange();
    void become_idle();
    void wait_as(Waiting kind);
    void stop_waiting();
    void await_rest();
    void begin_close();
    void client_gone(std::string_view reason);
    void close();

    WorkerContext& worker_;
    net::Stream stream_;
    std::unique_ptr<respond::ActiveRequest> request_;
    std::string in_;  // read, not used yet: an incomplete head, pipelined requests
    net::Outbox out_;
    wire::BodyReader body_;
    std::string peer_text_;
    net::Peer peer_;
    // Small ones where the address leaves room.
    State state_ = State::idle;
    Inflow inflow_ = Inflow::held;
    After after_ = After::keep;
    Framing framing_ = Framing::plain;
    bool readable_ = false;
    bool hung_up_ = false;
    std::uint64_t body_read_ = 0;       // bytes; from 0 again for what is only read away
    std::uint32_t body_began_ = 0;      // tick
    std::uint32_t body_held_from_ = 0;  // tick; with Inflow::held
    std::uint32_t requests_ = 0;
    Waiting waiting_as_ = Waiting::nowhere;
    bool in_process_ = false;
    bool counted_ = false;       // peer_.address, in Shared::addresses
    bool peer_unknown_ = false;  // a PROXY header without an address
    ConnectionList::Links all_;
    ConnectionList::Links waiting_;
};

}  // namespace gateway::http
