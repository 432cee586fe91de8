// One request, what has been found out about it, and the way its answer goes. The filters fill it, whoever
// answers acts on it. Objects are reused, so that a request allocates nothing once their buffers have grown.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/auth/identity.hpp"
#include "gateway/exchange/client_side.hpp"
#include "gateway/exchange/error_body.hpp"
#include "gateway/exchange/own_answer.hpp"
#include "gateway/exchange/text_store.hpp"
#include "gateway/observe/ids.hpp"
#include "gateway/wire/head_writer.hpp"
#include "gateway/wire/ip_address.hpp"
#include "gateway/wire/request_head.hpp"

namespace gateway::exchange {

struct ResponseFilter;
struct RouteRuntime;
struct Tools;
class WorkerSnapshot;

struct Exchange {
    // Both outlive it.
    Exchange(const Tools& worker_tools, std::span<const ResponseFilter* const> response_filters);
    ~Exchange();
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    boost::intrusive_ptr<WorkerSnapshot> snapshot;

    // ---- the request; its views hold until the connection lets go of the bytes (see log_* for what is kept)
    wire::RequestHead head;
    std::chrono::steady_clock::time_point started;
    std::chrono::system_clock::time_point started_wall;

    // ---- who asks
    const wire::IpAddress* peer = nullptr;  // the connection's other end (after a PROXY header)
    std::string_view peer_text;
    bool peer_unknown = false;  // a PROXY header without an address: who speaks is not the peer
    bool secure = false;
    wire::IpAddress client;  // what a trusted proxy says, else the peer
    std::string_view client_text;
    bool peer_trusted = false;
    std::string_view forwarded_for;  // X-Forwarded-For towards the upstream, complete
    std::string_view forwarded_proto;
    std::string_view forwarded_host;
    std::string_view forwarded;  // RFC 7239; empty: not sent

    // ---- names of this request
    std::string_view request_id;
    observe::IdSource::Traceparent traceparent{};

    // ---- what was decided
    const config::Route* route = nullptr;
    std::size_t route_index = 0;
    const RouteRuntime* runtime = nullptr;
    auth::IdentityRef identity;
    std::vector<wire::Addition> response_additions;  // what request filters give to the answer
    bool websocket = false;                          // the client asks for a tunnel and the route allows it
    bool ends_with_client = false;                   // a client that has ended its side is gone

    // ---- for the access log and problem bodies, kept for the whole exchange
    std::string_view log_path;
    std::string_view log_user_agent;
    wire::Method method = wire::Method::get;
    unsigned version_minor = 1;
    std::string_view reason;    // why it was refused or failed
    std::string_view upstream;  // address of the endpoint that was asked last
    unsigned status = 0;        // of the answer; 0: it has not begun
    bool refused = false;       // 4xx by the gateway itself
    bool cut_off = false;       // the answer began, and the gateway or the upstream broke it off
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t upstream_us = 0;
    std::uint32_t retries = 0;

    TextStore text;

    // ---- both ends of the answer
    ClientSide* side = nullptr;
    Responder* responder = nullptr;  // null: nobody has begun to answer
    const Tools& tools;

    // From the connection to whoever answers; counts, and keeps the route's limit. See Responder::on_body.
    bool on_body(std::string_view data, bool last);

    // From whoever answers to the connection, through the response filters.
    bool begun() const { return status != 0; }
    // 499: the client left before an answer began. 599: the answer is cut off, whatever its head said.
    unsigned logged_status() const {
        if (!begun()) return 499;
        return cut_off && status != 101 ? 599 : status;
    }
    Given send_head(Reply& reply, std::string_view first, bool last);
    Given send_body(std::string_view data, bool last);
    Given send_tunnel(Reply& reply, std::string_view first);

    // An answer of our own. The exchange is over.
    void answer(const Answer& own);
    // The same where that is still possible; where the answer has begun, it is cut off.
    void fail(const Answer& own);
    void fail(Failed what) { fail(answer_for(what)); }

    // For the connection: the last step of each response filter. Every request passes here at its end.
    void finish();

    std::uint64_t microseconds_until(std::chrono::steady_clock::time_point now) const {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(now - started).count());
    }
    void reset();

  private:
    void filter_head(Reply& reply);
    std::string_view filter_body(std::string_view data, bool last);

    const std::span<const ResponseFilter* const> filters_;
    std::vector<wire::Addition> additions_;  // of the answer's head, while it is written
    OwnAnswer own_;
};

}  // namespace gateway::exchange
