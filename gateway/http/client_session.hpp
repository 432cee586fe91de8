// One client connection: reads requests, runs the pipeline, hands the answer out. A state machine, not a
// coroutine: an idle connection holds no buffer, no frame and no timer of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/http/body_reader.hpp"
#include "gateway/http/error_body.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/forwarder.hpp"
#include "gateway/http/static_files.hpp"
#include "gateway/http/worker_context.hpp"
#include "gateway/net/listener.hpp"
#include "gateway/net/outbox.hpp"
#include "gateway/net/stream.hpp"

namespace gateway::http {

// What a request needs while it is under way; reused by later requests of the worker.
struct ActiveRequest {
    explicit ActiveRequest(WorkerContext& worker) : forwarder(worker, exchange) { exchange.reset(); }
    Exchange exchange;
    Forwarder forwarder;
    FileBody file;
};

class ClientSession final : public net::PollHandler, public net::Timed {
  public:
    // Takes a connected, non-blocking socket and registers it; deletes itself through the poller when it is
    // over. `listener`: index into the configuration's listeners. Returns false (and closes) where that was
    // impossible.
    static bool open(WorkerContext& worker, int descriptor, const net::Peer& peer, std::size_t listener,
                     bool proxy_protocol, const net::TlsContext* tls);
    ~ClientSession() override;

    // ---- for the forwarder
    using Sent = net::Outbox::Sent;
    // Sends or keeps. `failed`: the client is gone and the exchange has been ended; touch nothing any more.
    Sent send(std::string_view first, std::string_view second = {}, std::string_view third = {});
    bool backlog() const { return !out_.empty(); }
    // The last byte of the answer has been handed to send().
    void answer_finished();
    // The answer has begun and cannot be completed: the client must see that.
    void answer_aborted(std::string_view reason);
    // An answer of our own instead of one from upstream.
    void answer(const Answer& answer);
    // Whether the connection goes on after this answer; decides it.
    bool decide_keep_alive(bool possible);
    // More request body may be read.
    void resume_body();
    void enter_tunnel();
    void tunnel_finished();
    void shutdown_write();

    // ---- for the worker
    void close_if_idle();  // draining
    void shed();           // has not asked for anything: makes room
    void kill(std::string_view reason);
    ClientSession* next() const { return next_; }

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
        closed,
    };

    ClientSession(WorkerContext& worker, const net::Peer& peer, std::size_t listener);

    bool wants_input() const;
    void read_loop();
    void on_bytes(char* data, std::size_t size);
    std::size_t process(char* data, std::size_t size);
    void process_kept();
    void on_end_of_input();
    void read_proxy_header();
    void continue_handshake();

    void begin_head();
    void begin_request();
    void dispatch();
    bool read_body(char* data, std::size_t size, std::size_t& at);
    void begin_unreadable();
    void refuse(wire::Refusal refusal);
    void serve_builtin(const config::BuiltinTarget& target);
    void serve_file(const config::StaticTarget& target);
    void pump_file();

    // Sends what waits for the end of the turn. False: the client is gone and everything is over.
    bool flush_batch();
    void flush();
    void await_client();
    void on_drained();
    void end_exchange();
    void become_idle();
    void begin_close();
    void client_gone(std::string_view reason);
    void close();
    void body_deadline();

    // Lists of the worker.
    void link(WorkerContext::List& list, ClientSession* ClientSession::*previous,
              ClientSession* ClientSession::*next);
    void unlink(WorkerContext::List& list, ClientSession* ClientSession::*previous,
                ClientSession* ClientSession::*next);
    void join_idle();
    void leave_idle();

    WorkerContext& worker_;
    net::Stream stream_;
    std::unique_ptr<ActiveRequest> request_;
    std::string in_;  // read, not used yet: an incomplete head, pipelined requests
    net::Outbox out_;
    BodyReader body_;
    std::string peer_text_;
    net::Peer peer_;
    std::uint64_t body_read_ = 0;
    std::uint32_t body_began_ = 0;   // tick
    std::uint32_t body_paused_ = 0;  // tick since when back-pressure holds the body; 0: it does not
    std::uint32_t requests_ = 0;
    std::uint16_t listener_;
    State state_ = State::idle;
    bool readable_ = false;
    bool hung_up_ = false;
    bool in_process_ = false;
    bool keep_alive_ = true;
    bool want_close_ = false;  // whatever the request says
    bool in_idle_list_ = false;
    bool counted_ = false;  // peer_.address, in Shared::addresses
    bool end_of_input_ = false;
    ClientSession* previous_ = nullptr;
    ClientSession* next_ = nullptr;
    ClientSession* idle_previous_ = nullptr;
    ClientSession* idle_next_ = nullptr;
};

}  // namespace gateway::http
