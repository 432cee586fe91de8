// One try at one endpoint: what it holds there, and the answer as far as it has been read. What is still held
// when it ends is given back by its destructor.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "gateway/upstream/connection.hpp"
#include "gateway/upstream/pool.hpp"
#include "gateway/wire/body_reader.hpp"
#include "gateway/wire/response_head.hpp"

namespace gateway::respond {

class Attempt {
  public:
    Attempt(upstream::CircuitBreaker::Permit permit, const upstream::WorkerCluster::Choice& choice);
    ~Attempt();
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    upstream::EndpointPool& pool() { return pool_; }
    upstream::Endpoint& endpoint() { return pool_.endpoint(); }

    // Takes an idle connection; false: there is none. `check`: the kernel is asked whether it lives.
    bool take_idle(upstream::ConnectionUser& user, bool check);
    // Begins to connect; the user hears of the outcome later. False: no socket could be made.
    [[nodiscard]] bool connect(upstream::ConnectionUser& user, std::chrono::milliseconds timeout);
    upstream::Connection& connection() const { return *connection_; }
    // The connection has carried requests before.
    bool pooled() const { return connection_ && connection_->reused(); }
    // The exchange is over and both sides are in step: the connection serves others.
    void give_back_connection();

    // What is known about the endpoint by its answer. A good head is news for the breaker; that the endpoint
    // lives only a complete answer proves.
    void answered(upstream::SteadyMs now);
    void completed(upstream::SteadyMs now);
    // There is no answer, a bad one, or it broke off. Counts once.
    void failed(upstream::SteadyMs now);

    enum class Request : std::uint8_t {
        open,
        refused,  // the upstream takes no more of it; it may answer all the same
    };
    enum class Progress : std::uint8_t {
        nothing,
        some_bytes,
        kept,  // the head and what has come of the body, until it is decided whether somebody else is asked
        head,  // passed on
    };
    Request request = Request::open;
    Progress progress = Progress::nothing;
    wire::ResponseHead head;
    wire::BodyReader body;

  private:
    upstream::EndpointPool& pool_;
    upstream::CircuitBreaker::Permit permit_;
    const bool last_resort_;    // the endpoint is out
    bool good_answer_ = false;  // answered()
    std::unique_ptr<upstream::Connection> connection_;
};

}  // namespace gateway::respond
