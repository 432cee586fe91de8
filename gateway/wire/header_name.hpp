// Header fields that the gateway itself looks at. Everything else is `other`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gateway::wire {

enum class Header : std::uint8_t {
    other,
    accept,
    accept_encoding,
    accept_ranges,
    access_control,  // any other Access-Control-…
    access_control_request_headers,
    access_control_request_method,
    age,
    allow,
    authorization,
    cache_control,
    connection,
    content_encoding,
    content_length,
    content_type,
    cookie,
    date,
    etag,
    expect,
    forwarded,
    host,
    http2_settings,
    if_match,
    if_modified_since,
    if_none_match,
    if_range,
    if_unmodified_since,
    keep_alive,
    last_modified,
    link,
    location,
    origin,
    proxy,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    range,
    referer,
    retry_after,
    sec_websocket_accept,
    sec_websocket_extensions,
    sec_websocket_key,
    sec_websocket_protocol,
    sec_websocket_version,
    server,
    set_cookie,
    te,
    traceparent,
    tracestate,
    trailer,
    transfer_encoding,
    upgrade,
    user_agent,
    vary,
    via,
    www_authenticate,
    x_client_address,
    x_forwarded_for,
    x_forwarded_host,
    x_forwarded_other,  // any other X-Forwarded-…
    x_forwarded_port,
    x_forwarded_proto,
    x_overloaded,
    x_real_ip,
    x_request_id,
    x_session_id,
    x_user,  // X-User-Id, X-User-Role, …: any X-User-…
};
inline constexpr std::size_t kHeaderCount = static_cast<std::size_t>(Header::x_user) + 1;

// Ends at the gateway, whoever sent it: hop-by-hop fields (RFC 9110 section 7.6.1) and framing.
constexpr bool ends_here(Header id) {
    switch (id) {
        case Header::connection:
        case Header::content_length:
        case Header::expect:
        case Header::http2_settings:
        case Header::keep_alive:
        case Header::proxy:  // CGI programs would take it for HTTP_PROXY
        case Header::proxy_authenticate:
        case Header::proxy_authorization:
        case Header::proxy_connection:
        case Header::te:
        case Header::trailer:
        case Header::transfer_encoding:
        case Header::upgrade:
            return true;
        default:
            return false;
    }
}

// What the gateway itself says to an upstream: a client's copy is dropped, and nothing is decided by it.
constexpr bool written_by_gateway(Header id) {
    switch (id) {
        case Header::forwarded:
        case Header::host:
        case Header::traceparent:
        case Header::x_client_address:
        case Header::x_forwarded_for:
        case Header::x_forwarded_host:
        case Header::x_forwarded_other:
        case Header::x_forwarded_port:
        case Header::x_forwarded_proto:
        case Header::x_real_ip:
        case Header::x_request_id:
        case Header::x_session_id:
        case Header::x_user:
            return true;
        default:
            return false;
    }
}

// Case-insensitive.
Header classify(std::string_view name);

// ASCII case-insensitive equality; `lower` must already be lower-case.
bool equals_lower(std::string_view text, std::string_view lower);
bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace gateway::wire
