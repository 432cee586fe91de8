// Sends one request to its cluster and the answer back: limits, choice of endpoint, connection, retries,
// deadlines. A state machine on the events of one upstream connection; see docs/life-of-a-request.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/exchange/client_side.hpp"
#include "gateway/exchange/error_body.hpp"
#include "gateway/exchange/kept_body.hpp"
#include "gateway/exchange/responder.hpp"
#include "gateway/exchange/worker_resources.hpp"
#include "gateway/respond/attempt.hpp"
#include "gateway/upstream/retry_policy.hpp"

namespace gateway::respond {

class Forwarder final : public exchange::Responder,
                        public upstream::ConnectionUser,
                        public upstream::Waiter,
                        public upstream::ConnectionWaiter,
                        public exchange::Gatherer,
                        public net::Timed {
  public:
    explicit Forwarder(exchange::WorkerResources& worker) : worker_(worker), pending_(worker.shared.bodies) {}
    ~Forwarder() override { abandon(); }

    void start(exchange::Exchange& exchange) override;
    bool on_body(std::string_view data, bool last) override;
    void on_client_ready() override;
    void abandon() override;

    void on_upstream_connected() override;
    void on_upstream_connect_failed(std::string_view reason) override;
    void on_upstream_readable() override;
    void on_upstream_drained() override;
    void on_upstream_send_failed() override;
    void on_upstream_deadline() override;
    void on_upstream_exception() noexcept override;
    void on_place_free() override;
    void on_crowded_out() override;
    bool on_connection_free() override;
    void make_room() override;

  protected:
    void on_deadline() override;

  private:
    enum class State : std::uint8_t {
        idle,
        gathering,    // the body, or its first bytes; nothing is taken for it yet
        crowded_out,  // the memory of its body went to others; it is refused in the next turn
        queued,       // for a place in an in-flight limit, or for a connection of a full pool
        backing_off,  // before a retry
        connecting,
        exchanging,  // request going out, answer coming back
        tunnel,
        tunnel_client_ended,    // the client sends no more
        tunnel_upstream_ended,  // the upstream sends no more
    };
    // Of the request.
    enum class Body : std::uint8_t {
        held_back,  // until 100 Continue, which is answered when the body is wanted
        coming,
        complete,
    };
    // Whether the request can be sent again: pending_ holds all of its body so far.
    enum class Replay : std::uint8_t { possible, lost };
    enum class Take : std::uint8_t { kept_connection, new_connection };

    bool in_tunnel() const { return state_ >= State::tunnel; }
    bool keeping() const { return attempt_ && attempt_->progress == Attempt::Progress::kept; }
    bool answer_begun() const { return attempt_->progress == Attempt::Progress::head; }
    const config::Cluster& settings() const { return cluster_->cluster().settings(); }

    bool write_head(const config::ClusterTarget& target);
    void name_endpoint(const upstream::Endpoint& endpoint);

    void gather();
    bool gather_more(std::string_view data, bool last);
    void stop_gathering();
    void admit();
    bool take_place(upstream::InFlightLimit& limit, upstream::InFlightLimit::Place& place);
    void wait_for_connection();
    void leave_queue();
    void release_places();
    std::uint64_t client() const;
    bool never_repeated() const;

    void attempt();
    void send_request();
    bool keep(std::string_view before, std::string_view data, std::string_view after);
    bool append(std::string_view before, std::string_view data, std::string_view after);
    std::uint64_t body_memory() const;
    void lose_replay();
    bool on_tunnel_bytes(std::string_view data, bool last);
    bool wants_body() const;
    upstream::Verdict decide(upstream::Failure failure, std::uint16_t status = 0) const;
    bool repeat(upstream::Verdict verdict, upstream::Failure failure);
    void attempt_failed(upstream::Failure failure, exchange::Failed what);
    // An answer that was read and given up for a repetition goes to the client after all; else the failure
    // does.
    void give_up(const exchange::Answer& failure);
    void give_up(exchange::Failed what) { give_up(exchange::answer_for(what)); }
    void pass_on_kept();
    bool client_is_slow() const;

    std::chrono::milliseconds within_total(std::chrono::milliseconds phase) const;
    void arm(std::chrono::milliseconds phase);
    bool total_over() const;

    // These return false where the exchange, or this attempt, is over.
    bool on_answer_bytes(char* data, std::size_t size);
    bool on_answer_head(char* rest, std::size_t size);
    bool on_informational();
    bool on_kept_bytes(char* data, std::size_t size);
    bool repeat_kept(bool in_step);
    bool send_kept_head(bool last);
    exchange::Reply reply_with(const wire::ResponseHead& answer) const;
    bool open_tunnel(std::string_view rest);
    bool relay(char* data, std::size_t size);

    void pump();
    void on_answer_end(bool error);
    bool reusable(bool in_step) const;
    void finish(bool in_step);
    void end_tunnel();

    exchange::WorkerResources& worker_;
    exchange::Exchange* exchange_ = nullptr;
    upstream::WorkerCluster* cluster_ = nullptr;
    const upstream::EndpointPool* avoid_ = nullptr;  // where an attempt has just failed
    upstream::InFlightLimit::Place route_place_;
    upstream::InFlightLimit::Place cluster_place_;
    upstream::InFlightLimit::Ticket ticket_;
    std::optional<Attempt> attempt_;  // while connecting, exchanging, in a tunnel

    std::string head_;                                    // canonical request head, kept for retries
    std::optional<exchange::Gatherers::iterator> large_;  // in the worker's
    exchange::KeptBody pending_;  // framed body that waits for a connection, or is kept for a retry
    std::string answer_bytes_;    // an answer's head that came in pieces
    std::string kept_head_;       // of an answer that may be passed on after all
    std::string kept_body_;       // of the same, without framing
    std::string accept_;          // websocket: the Sec-WebSocket-Accept that must come back

    std::uint64_t hash_key_ = 0;
    std::uint32_t total_due_ = 0;  // tick; 0: none
    std::uint16_t host_at_ = 0;    // in head_: value of Host, where it is to name the endpoint; 0: it is not
    std::uint16_t host_length_ = 0;
    std::chrono::milliseconds first_byte_{0};
    std::chrono::milliseconds idle_{0};
    std::uint8_t silent_retries_ = 0;
    State state_ = State::idle;
    Body request_body_ = Body::complete;
    Replay replay_ = Replay::possible;
    Take take_ = Take::kept_connection;
    bool waits_for_connection_ = false;
};

}  // namespace gateway::respond
