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
    x_forwarded_for,
    x_forwarded_host,
    x_forwarded_other,  // any other X-Forwarded-…
    x_forwarded_port,
    x_forwarded_proto,
    x_real_ip,
    x_request_id,
    x_session_id,
    x_user,  // X-User-Id, X-User-Role, …: any X-User-…
};
inline constexpr std::size_t kHeaderCount = static_cast<std::size_t>(Header::x_user) + 1;

// Case-insensitive.
Header classify(std::string_view name);

// ASCII case-insensitive equality; `lower` must already be lower-case.
bool equals_lower(std::string_view text, std::string_view lower);
bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace gateway::wire
