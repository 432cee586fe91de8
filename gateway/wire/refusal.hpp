// Why a message was refused: status, stable code and texts, in one table.
#pragma once

#include <cstdint>
#include <string_view>

namespace gateway::wire {

// The connection closes after each of these: nobody knows where the next message would start.
enum class Refusal : std::uint8_t {
    none,
    bad_request_line,
    bad_method,             // not a token
    method_unknown,         // 501
    method_not_allowed,     // TRACE, CONNECT: 405
    bad_target,             // not origin form, not absolute form, a byte outside RFC 3986
    target_too_long,        // 414
    bad_path,               // no safe canonical form
    bad_version,            // not HTTP/x.y
    version_not_supported,  // 505
    bad_line_ending,        // bare CR or LF
    bad_header_name,
    bad_header_value,  // a control byte
    folded_header,     // obs-fold, or white space before the first header
    too_many_headers,  // 431
    head_too_large,    // 431
    host_missing,
    bad_host,
    host_mismatch,     // absolute form against Host
    duplicate_header,  // a header that may appear only once
    bad_content_length,
    length_with_encoding,  // Content-Length together with Transfer-Encoding
    bad_transfer_encoding,
    encoding_not_implemented,  // 501
    encoding_on_http10,
    bad_connection_header,  // names a header that may not be removed
    bad_expect,             // 417
    bad_websocket_handshake,
    websocket_version,   // 426
    bad_chunk,           // in the body
    trailers_too_large,  // in the body: 431
    // answers from upstream; the client gets a 502
    bad_status_line,
    bad_upstream_head,
};

struct RefusalInfo {
    std::uint16_t status;
    std::string_view code;    // snake_case, stable
    std::string_view reason;  // English, for logs
    std::string_view detail;  // Indonesian, for the client
};
const RefusalInfo& describe(Refusal refusal);

}  // namespace gateway::wire
