// Canonical heads. Nothing of a received head's framing is copied: start line, Host, framing, forwarding and
// identity headers are written here; the remaining lines are copied as "Name: value".
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "gateway/wire/output.hpp"
#include "gateway/wire/request_head.hpp"
#include "gateway/wire/response_head.hpp"

namespace gateway::wire {

// What a gateway of ours calls itself in Via (RFC 9110 section 7.6.3).
inline constexpr std::string_view kVia = "1.1 kampus-gateway";
inline constexpr std::string_view kViaName = kVia.substr(4);

// A header that the gateway adds. Values are checked in Output::header.
struct Addition {
    enum class Mode : std::uint8_t {
        set,        // replaces lines of that name; an empty value only removes them
        if_absent,  // only where there is no line of that name
        append,     // besides what is there
    };
    std::string_view name;
    std::string_view value;
    Mode mode = Mode::set;
};

struct UpstreamRequest {
    std::string_view path;   // canonical or rewritten
    std::string_view query;  // without '?'
    bool has_query = false;
    std::string_view host;  // Host header towards the upstream
    // ---- our own words, each empty: not sent; the route's request headers stand in place of them
    std::string_view forwarded_for;    // complete value of X-Forwarded-For
    std::string_view forwarded_proto;  // "http" | "https"
    std::string_view forwarded_host;
    std::string_view client_address;  // X-Client-Address, and X-Real-IP
    std::string_view request_id;
    std::string_view traceparent;
    std::string_view forwarded;       // RFC 7239
    std::string_view identity_lines;  // complete lines out of checked values (auth::Identity::header_block)
    std::span<const Addition> additions{};  // the route's request headers
    // Framing towards the upstream; `length` with content_length, or `chunked`, or none.
    BodyKind body = BodyKind::none;
    std::uint64_t content_length = 0;
    bool send_zero_length = false;  // "Content-Length: 0" for a POST/PUT/PATCH without a body
    bool upgrade_websocket = false;
    bool expect_continue = false;  // forward "Expect: 100-continue"
};

// Lines of `head` that are marked drop stay behind. False: did not fit, or a value was refused (see Output).
[[nodiscard]] bool write_request_head(Output& out, const RequestHead& head, const UpstreamRequest& add);

struct ClientResponse {
    unsigned client_version_minor = 1;  // HTTP/1.0 gets "Connection: keep-alive" where the connection stays
    bool keep_alive = true;
    BodyKind body = BodyKind::none;     // framing towards the client
    bool write_content_length = false;  // for body none: HEAD, 304 and empty bodies; with content_length
    std::uint64_t content_length = 0;
    bool upgrade_websocket = false;  // 101
    std::string_view request_id;
    std::span<const Addition> additions{};  // CORS, security, RateLimit headers
    // Of an answer of our own: Content-Type and the like; additions stand in place of them.
    std::span<const Addition> own{};
};

[[nodiscard]] bool write_response_head(Output& out, const ResponseHead& head, const ClientResponse& add);

// Head of an answer that the gateway itself gives; `body` as above.
[[nodiscard]] bool write_own_response_head(Output& out, unsigned status, const ClientResponse& add);

// Informational answer (103) passed on: status line and kept lines, no framing. `overrides` replace or remove
// lines that are there; they add none.
[[nodiscard]] bool write_informational_head(Output& out, const ResponseHead& head,
                                            std::span<const Addition> overrides);

std::string_view reason_phrase(unsigned status);  // RFC 9110; empty for codes it does not know

// What may be taken over from a client: 1..128 printable bytes without separators that logs or headers trip
// over.
bool sane_request_id(std::string_view text);
// W3C Trace Context level 1, version 00: "00-<32 hex>-<16 hex>-<2 hex>", ids not all zero.
bool valid_traceparent(std::string_view text);

}  // namespace gateway::wire
