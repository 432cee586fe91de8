#include "forwarder_bench.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

#include "gateway/config/load.hpp"
#include "gateway/pipeline/pipeline.hpp"
#include "gateway/pipeline/response_filters.hpp"

namespace test {

using namespace gateway;  // NOLINT: a test's own file
using std::chrono::milliseconds;

// ---- client

void FakeClient::note(const Reply& reply) {
    status = reply.status;
    size = reply.size;
    length = reply.length;
    headers += "X-Request-Id: " + std::string(reply.request_id) + "\n";
    for (const auto& list : {reply.additions, reply.fields})
        for (const wire::Addition& line : list)
            headers += std::string(line.name) + ": " + std::string(line.value) + "\n";
    wire::ClientResponse add;
    add.request_id = reply.request_id;
    add.additions = reply.additions;
    add.own = reply.fields;
    std::array<char, 8192> buffer{};
    wire::Output out(buffer.data(), buffer.size());
    REQUIRE((reply.upstream ? wire::write_response_head(out, *reply.upstream, add)
                            : wire::write_own_response_head(out, reply.status, add)));
    written = out.view();
}

FakeClient::Given FakeClient::take(std::string_view event) {
    if (goes_away) {
        over("gone");
        return Given::gone;
    }
    events.append(event).append(" ");
    return Given::taken;
}

FakeClient::Given FakeClient::head(const Reply& reply, std::string_view first, bool last) {
    if (refuses_heads) {
        refuses_heads = false;
        return Given::unwritable;
    }
    if (goes_away) return take("");
    note(reply);
    bytes.append(first);
    return take(std::to_string(reply.status) + (last ? " last" : ""));
}

FakeClient::Given FakeClient::informational(const wire::ResponseHead* lines,
                                            std::span<const wire::Addition>) {
    return take(lines ? std::to_string(lines->status()) : "100");
}

FakeClient::Given FakeClient::body(std::string_view data, bool last) {
    if (goes_away) return take("");
    bytes.append(data);
    return take(last ? "last" : "body");
}

FakeClient::Given FakeClient::tunnel(const Reply& reply, std::string_view first) {
    if (goes_away) return take("");
    note(reply);
    bytes.append(first);
    return take("tunnel");
}

void FakeClient::over(const std::string& how) {
    events.append(how).append(" ");
    exchange_.finish();
    if (exchange_.responder) exchange_.responder->abandon();
}

// ---- upstream

ScriptedUpstream::ScriptedUpstream() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(listener_, 32) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

ScriptedUpstream::~ScriptedUpstream() {
    for (std::size_t i = 0; i < connections_.size(); ++i) close(i);
    if (listener_ >= 0) ::close(listener_);
}

void ScriptedUpstream::accept_all() {
    while (listener_ >= 0) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        connections_.push_back(fd);
        ended_.push_back(0);
    }
}

std::size_t ScriptedUpstream::connections() {
    accept_all();
    return connections_.size();
}

std::string ScriptedUpstream::read(std::size_t which) {
    accept_all();
    std::string all;
    std::array<char, 65536> buffer;
    while (true) {
        const ssize_t got = ::recv(connections_.at(which), buffer.data(), buffer.size(), 0);
        if (got == 0) ended_[which] = 1;
        if (got <= 0) return all;
        all.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

void ScriptedUpstream::write(std::size_t which, std::string_view bytes) {
    accept_all();
    REQUIRE(::send(connections_.at(which), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
}

void ScriptedUpstream::close(std::size_t which) {
    accept_all();
    if (connections_.at(which) >= 0) ::close(connections_[which]);
    connections_[which] = -1;
}

void ScriptedUpstream::reset(std::size_t which) {
    accept_all();
    const linger now{1, 0};
    ::setsockopt(connections_.at(which), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(which);
}

void ScriptedUpstream::shutdown_write(std::size_t which) {
    accept_all();
    ::shutdown(connections_.at(which), SHUT_WR);
}

bool ScriptedUpstream::ended(std::size_t which) {
    read(which);
    return ended_[which] != 0;
}

void ScriptedUpstream::stop_listening() {
    accept_all();
    ::close(listener_);
    listener_ = -1;
}

// ---- request

ForwardedRequest::ForwardedRequest(ForwarderBench& bench, std::string head)
    : exchange(bench.worker.tools, pipeline::response_filters()),
      client(exchange),
      forwarder(bench.worker),
      head_(std::move(head)) {
    exchange.snapshot = bench.worker.snapshot;
    exchange.side = &client;
    exchange.started = bench.poller.now();
    exchange.started_wall = std::chrono::system_clock::now();
    static const wire::IpAddress kPeer = wire::IpAddress::v4(0x7F000001);
    exchange.peer = &kPeer;
    exchange.peer_text = "127.0.0.1";
    const wire::ReadResult read =
        wire::read_request_head(head_, exchange.snapshot->shared->rules, exchange.head);
    REQUIRE(read.status == wire::ReadStatus::complete);
    exchange::Answer own;
    pipeline::Context context{exchange, bench.worker.tools, own};
    REQUIRE(pipeline::run(context) == pipeline::Verdict::next);
    exchange.responder = &forwarder;
    forwarder.start(exchange);
}

ForwardedRequest::~ForwardedRequest() {
    forwarder.abandon();
    exchange.reset();
}

// ---- bench

ForwarderBench::ForwarderBench(const ForwarderSetup& setup) : worker(poller, wheel, shared, stats, log) {
    std::string endpoints;
    for (std::size_t i = 0; i < setup.endpoints; ++i) {
        upstreams.push_back(std::make_unique<ScriptedUpstream>());
        endpoints += (i == 0 ? "\"" : ",\"") + upstreams.back()->address() + "\"";
    }
    const std::string text =
        "{" + setup.root +
        R"("listeners":[{"address":"127.0.0.1","port":0}],)"
        R"("access_log":{"enabled":false},"response_headers":[{"name":"X-Top","value":"1"}],)"
        R"("clusters":[{"name":"up","endpoints":[)" +
        endpoints + R"(],"health":{"enabled":false})" + setup.cluster +
        R"(}],"routes":[{"name":"api","match":{"prefix":"/api"},"auth":)" + setup.auth +
        R"(,)"
        R"("target":{"cluster":"up"})" +
        setup.route + "}]}";
    config::Loaded loaded =
        config::parse(text, [](const std::string&) -> std::optional<std::string> { return std::nullopt; });
    INFO(loaded.report("test"));
    REQUIRE(loaded.config);
    auto snapshot = exchange::Snapshot::make(loaded.config, nullptr);
    std::vector<std::shared_ptr<upstream::WorkerCluster>> clusters;
    for (const auto& cluster : snapshot->clusters)
        clusters.push_back(std::make_shared<upstream::WorkerCluster>(poller, wheel, cluster, 1));
    worker.snapshot = new exchange::WorkerSnapshot(snapshot, std::move(clusters), stats);
}

ForwarderBench::~ForwarderBench() {
    worker.snapshot.reset();
    poller.end_turn();
}

std::unique_ptr<ForwardedRequest> ForwarderBench::send(std::string_view method, std::string_view lines,
                                                       std::string_view path) {
    std::string head(method);
    head.append(" ").append(path).append(" HTTP/1.1\r\nHost: a.test\r\n").append(lines).append("\r\n");
    return std::make_unique<ForwardedRequest>(*this, std::move(head));
}

void ForwarderBench::turns(int count) {
    for (int i = 0; i < count; ++i) poller.turn(milliseconds(0));
}

void ForwarderBench::turn_and_wait() {
    poller.turn(milliseconds(1));
}

void ForwarderBench::pass(milliseconds time) {
    elapsed_ += time;
    wheel.tick(elapsed_);
}

std::string ForwarderBench::request(std::size_t which, std::size_t upstream) {
    std::string bytes;
    until([&] {
        if (upstreams[upstream]->connections() <= which) return false;
        bytes += upstreams[upstream]->read(which);
        return bytes.find("\r\n\r\n") != std::string::npos;
    });
    return bytes;
}

std::size_t ForwarderBench::latest(std::size_t upstream) {
    std::size_t which = 0;
    REQUIRE(until([&] {
        for (which = 0; which < upstreams[upstream]->connections(); ++which)
            if (!upstreams[upstream]->read(which).empty()) return true;
        return false;
    }));
    return which;
}

upstream::InFlightLimit& ForwarderBench::route_limit() {
    return *worker.snapshot->shared->route_runtime[0].in_flight;
}

bool ForwarderBench::nothing_held() {
    bool free = cluster().in_flight.active() == 0 && cluster().in_flight.waiting() == 0 &&
                route_limit().active() == 0 && route_limit().waiting() == 0;
    for (const auto& one : *cluster().endpoints()) free = free && one->in_flight == 0;
    return free;
}

}  // namespace test
