// Sends one request to its cluster and the answer back: limits, choice of endpoint, connection, retries,
// deadlines. A state machine on the events of one upstream connection; see docs/life-of-a-request.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/http/attempt.hpp"
#include "gateway/http/error_body.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/worker_context.hpp"
#include "gateway/upstream/pool.hpp"
#include "gateway/upstream/retry_policy.hpp"
#include "gateway/wire/response_head.hpp"

namespace gateway::http {

class ClientSession;

class Forwarder final : public upstream::ConnectionUser, public upstream::Waiter, public net::Timed {
  public:
    Forwarder(WorkerContext& worker, Exchange& exchange) : worker_(worker), exchange_(exchange) {}
    ~Forwarder() override { abandon(); }

    // The request's head must still be readable; nothing of it is needed afterwards. May answer through the
    // session at once.
    void start(ClientSession& session, const config::ClusterTarget& target);
    bool active() const { return state_ != State::idle; }

    // ---- the request's body
    bool wants_body() const;
    void on_body(std::string_view data, bool last);

    // ---- the client's side
    void on_client_drained();
    void on_tunnel_bytes(std::string_view bytes);
    void on_tunnel_client_end();
    bool answer_started() const { return answer_started_; }
    bool upstream_ended() const { return upstream_ended_; }
    // The exchange is over for the client: lets go of connection and limits.
    void abandon();

    // ---- events
    void on_upstream_connected() override;
    void on_upstream_connect_failed(std::string_view reason) override;
    void on_upstream_readable() override;
    void on_upstream_drained() override;
    void on_upstream_send_failed() override;
    void on_upstream_deadline() override;
    void on_upstream_exception() noexcept override;
    void on_place_free() override;

  protected:
    void on_deadline() override;

  private:
    enum class State : std::uint8_t {
        idle,
        queued,       // for a place in an in-flight limit, or for a connection of a full pool
        backing_off,  // before a retry
        connecting,
        exchanging,  // request going out, answer coming back
        tunnel,
    };

    // Empties a reused buffer; gives back memory that an unusual request made it take.
    static void forget(std::string& text);
    bool write_head(const config::ClusterTarget& target);
    void admit();
    bool take_places();
    void name_endpoint(const upstream::Endpoint& endpoint);
    void wait_for_place(upstream::InFlightLimit& limit);
    void leave_queue();
    void attempt();
    void send_request();
    void keep_for_replay();
    void release_places();
    upstream::Verdict decide(upstream::Failure failure, std::uint16_t status = 0) const;
    bool repeat(upstream::Verdict verdict, upstream::Failure failure);
    void attempt_failed(upstream::Failure failure, Failed what);
    void fail(Answer answer);
    std::chrono::milliseconds within_total(std::chrono::milliseconds phase) const;
    void arm(std::chrono::milliseconds phase);
    bool total_over() const;

    void pump();
    bool on_answer_bytes(char* data, std::size_t size);
    bool on_answer_head(char* rest, std::size_t size);
    bool on_informational();
    bool open_tunnel(char* rest, std::size_t size);
    // `head`: bytes that go before the payload. False: the exchange is over.
    bool relay(std::string_view head, char* data, std::size_t size);
    void on_answer_end(bool error);
    void finish(bool reusable);

    WorkerContext& worker_;
    Exchange& exchange_;
    ClientSession* session_ = nullptr;
    upstream::WorkerCluster* cluster_ = nullptr;
    const upstream::EndpointPool* avoid_ = nullptr;  // where an attempt has just failed
    upstream::InFlightLimit::Place route_place_;
    upstream::InFlightLimit::Place cluster_place_;
    upstream::InFlightLimit::QueuePlace queue_place_;
    std::optional<Attempt> attempt_;  // while connecting, exchanging, in a tunnel

    std::string head_;          // canonical request head, kept for retries
    std::string pending_;       // framed body that waits for a connection, or is kept for a retry
    std::string answer_bytes_;  // an answer's head that came in pieces
    std::string accept_;        // websocket: the Sec-WebSocket-Accept that must come back

    std::uint64_t hash_key_ = 0;
    std::uint64_t serial_ = 0;     // changes when this object starts on another request
    std::uint32_t total_due_ = 0;  // tick; 0: none
    std::uint16_t host_at_ = 0;    // in head_: value of Host, where it is to name the endpoint; 0: it is not
    std::uint16_t host_length_ = 0;
    std::chrono::milliseconds first_byte_{0};
    std::chrono::milliseconds idle_{0};
    State state_ = State::idle;
    bool chunked_up_ = false;
    bool expect_continue_ = false;
    bool body_complete_ = false;
    bool kept_ = false;  // pending_ holds all of the body so far
    bool fresh_only_ = false;
    bool silent_used_ = false;
    bool answer_started_ = false;
    bool chunked_down_ = false;
    bool upstream_ended_ = false;  // tunnel
    bool client_ended_ = false;    // tunnel
    bool pumping_ = false;
};

}  // namespace gateway::http
