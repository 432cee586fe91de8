// One request and what has been found out about it. Plain data: the filters fill it, the session and the
// forwarder act on it. Objects are reused, so that a request allocates nothing once their buffers have grown.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/auth/identity.hpp"
#include "gateway/http/snapshot.hpp"
#include "gateway/observe/ids.hpp"
#include "gateway/wire/head_writer.hpp"
#include "gateway/wire/ip_address.hpp"
#include "gateway/wire/request_head.hpp"

namespace gateway::http {

// Text that must live as long as the request; no allocation as long as 2 KiB are enough.
class TextStore {
  public:
    TextStore() { store_.reserve(2048); }
    // The view stays good until clear().
    std::string_view keep(std::string_view text) {
        if (text.size() > store_.capacity() - store_.size()) return overflow_.emplace_back(text);
        const std::size_t at = store_.size();
        store_.append(text);
        return {store_.data() + at, text.size()};
    }
    void clear() {
        store_.clear();
        if (!overflow_.empty()) overflow_.clear();
    }

  private:
    std::string store_;
    std::deque<std::string> overflow_;  // does not move its elements
};

// An answer that the gateway gives itself. The texts are static, or in the exchange's TextStore.
struct Answer {
    enum class Body : std::uint8_t { problem, text, none };

    unsigned status = 0;
    Body body = Body::problem;
    std::string_view code;    // problem: stable, snake_case
    std::string_view detail;  // problem: Indonesian, for people
    std::string_view reason;  // for the log
    std::string_view www_authenticate;
    std::string_view allow;
    std::string_view location;
    std::string_view content_type;  // Body::text
    std::string_view text;          // Body::text
    unsigned retry_after_s = 0;     // 0: no Retry-After
    bool cacheable = false;         // else Cache-Control: no-store
    bool close = false;             // the connection cannot go on after this
};

struct Exchange {
    WorkerSnapshotRef snapshot;

    // ---- the request; its views hold until the session lets go of the bytes (see log_* for what is kept)
    wire::RequestHead head;
    std::chrono::steady_clock::time_point started;
    std::chrono::system_clock::time_point started_wall;

    // ---- who asks
    const wire::IpAddress* peer = nullptr;  // the connection's other end (after a PROXY header)
    std::string_view peer_text;
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
    std::vector<wire::Addition> response_additions;
    bool websocket = false;  // the client asks for a tunnel and the route allows it

    // ---- for the access log and problem bodies, kept for the whole exchange
    std::string_view log_path;
    std::string_view log_user_agent;
    wire::Method method = wire::Method::get;
    unsigned version_minor = 1;
    std::string_view reason;    // why it was refused or failed
    std::string_view upstream;  // address of the endpoint that was asked last
    unsigned status = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t upstream_us = 0;
    std::uint32_t retries = 0;

    TextStore text;

    std::uint64_t microseconds_until(std::chrono::steady_clock::time_point now) const {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(now - started).count());
    }

    void reset() {
        snapshot.reset();
        head.clear();
        peer = nullptr;
        peer_text = client_text = {};
        secure = peer_trusted = false;
        forwarded_for = forwarded_proto = forwarded_host = forwarded = {};
        request_id = {};
        route = nullptr;
        runtime = nullptr;
        identity.reset();
        response_additions.clear();
        websocket = false;
        log_path = log_user_agent = reason = upstream = {};
        method = wire::Method::get;
        version_minor = 1;
        status = 0;
        bytes_in = bytes_out = upstream_us = 0;
        retries = 0;
        text.clear();
    }
};

}  // namespace gateway::http
