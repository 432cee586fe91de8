// A Forwarder without a connection in front of it: the client is played by a recorder, the upstream by the
// test, turn by turn and in one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/worker_resources.hpp"
#include "gateway/respond/forwarder.hpp"

namespace test {

// Writes down what it is told. `fail(...)` and the like end the exchange as a connection would: finish, and
// whoever answers lets go.
class FakeClient final : public gateway::exchange::ClientSide {
  public:
    using Given = gateway::exchange::Given;
    using Reply = gateway::exchange::Reply;

    explicit FakeClient(gateway::exchange::Exchange& exchange) : exchange_(exchange) {}

    Given head(const Reply& reply, std::string_view first, bool last) override;
    Given informational(const gateway::wire::ResponseHead* lines,
                        std::span<const gateway::wire::Addition> overrides) override;
    Given body(std::string_view data, bool last) override;
    void end() override { over("end"); }
    void cut(std::string_view reason) override {
        exchange_.reason = reason;
        exchange_.cut_off = true;
        over("cut " + std::string(reason));
    }
    bool full() const override { return is_full; }
    void want_body() override { ++wanted; }
    Given tunnel(const Reply& reply, std::string_view first) override;

    // "200", "103", "body", "last", "tunnel", "end", "cut <reason>", in order.
    std::string events;
    std::string bytes;    // of the answer's body, or of the tunnel
    std::string headers;  // of the head: upstream's lines are not in it, additions and fields are
    std::string written;  // the head as HTTP/1.1 has it
    unsigned status = 0;
    Reply::Size size = Reply::Size::absent;
    std::uint64_t length = 0;
    int wanted = 0;
    bool is_full = false;
    // The next head, body or informational answer meets a client that has gone.
    bool goes_away = false;
    bool refuses_heads = false;

  private:
    void over(const std::string& how);
    Given take(std::string_view event);
    void note(const Reply& reply);

    gateway::exchange::Exchange& exchange_;
};

// A listening socket and the connections that came, oldest first. Nothing blocks.
class ScriptedUpstream {
  public:
    ScriptedUpstream();
    ~ScriptedUpstream();
    const std::string& address() const { return address_; }

    std::size_t connections();            // so far, closed ones too
    std::string read(std::size_t which);  // what has come since the last call
    void write(std::size_t which, std::string_view bytes);
    void close(std::size_t which);
    void reset(std::size_t which);
    void shutdown_write(std::size_t which);
    bool ended(std::size_t which);  // the gateway has closed its side, and everything has been read
    void stop_listening();          // connecting is refused from now on

  private:
    void accept_all();
    int listener_ = -1;
    std::string address_;
    std::vector<int> connections_;
    std::vector<char> ended_;
};

struct ForwarderSetup {
    std::string cluster = {};  // JSON members, each with a comma in front
    std::string route = {};
    std::size_t endpoints = 1;
    std::string root = {};  // JSON members, each with a comma behind
    std::string auth = R"("public")";
};

class ForwarderBench;

// One request: facts, client, forwarder.
class ForwardedRequest {
  public:
    ForwardedRequest(ForwarderBench& bench, std::string head);
    ~ForwardedRequest();

    bool over() const { return !client.events.empty() && (client.events.ends_with("end ") || is_cut()); }
    bool is_cut() const { return client.events.find("cut ") != std::string::npos; }

    gateway::exchange::Exchange exchange;
    FakeClient client;
    gateway::respond::Forwarder forwarder;

  private:
    const std::string head_;
};

class ForwarderBench {
  public:
    explicit ForwarderBench(const ForwarderSetup& setup = {});
    ~ForwarderBench();

    std::unique_ptr<ForwardedRequest> send(std::string_view method = "GET", std::string_view lines = {},
                                           std::string_view path = "/api/x");
    // Some turns of the loop.
    void turns(int count = 4);
    // Turns until `done`, at most two seconds.
    template <class Done>
    bool until(Done done) {
        for (int i = 0; i < 2000; ++i) {
            if (done()) return true;
            turn_and_wait();
        }
        return done();
    }
    // Lets so much time of the deadline wheel pass.
    void pass(std::chrono::milliseconds time);
    // Bytes in the first connection's request, once its head is complete.
    std::string request(std::size_t which = 0, std::size_t upstream = 0);

    // The connection that the last request has come on.
    std::size_t latest(std::size_t upstream = 0);

    gateway::upstream::Cluster& cluster() { return worker.snapshot->clusters[0]->cluster(); }
    gateway::upstream::InFlightLimit& route_limit();
    gateway::upstream::Endpoint& endpoint(std::size_t i = 0) { return *(*cluster().endpoints())[i]; }
    // Nobody holds a place, a queue's place, or an endpoint.
    bool nothing_held();

    gateway::net::Poller poller;
    gateway::net::DeadlineWheel wheel;
    std::vector<std::unique_ptr<ScriptedUpstream>> upstreams;
    gateway::exchange::Shared shared{1000, 0};
    gateway::observe::WorkerStats stats;
    gateway::observe::AccessLog log{nullptr};
    gateway::exchange::WorkerResources worker;

  private:
    void turn_and_wait();
    std::chrono::milliseconds elapsed_{0};
};

}  // namespace test
