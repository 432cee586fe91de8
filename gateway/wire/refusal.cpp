#include "gateway/wire/refusal.hpp"

#include <array>

namespace gateway::wire {
namespace {

constexpr std::array kInfo{
    RefusalInfo{200, "", "", ""},
    RefusalInfo{400, "bad_request_line", "malformed request line", "Baris permintaan tidak sah"},
    RefusalInfo{400, "bad_method", "method is not a token", "Metode permintaan tidak sah"},
    RefusalInfo{501, "method_unknown", "method is not implemented", "Metode permintaan tidak dikenal"},
    RefusalInfo{405, "method_not_allowed", "TRACE and CONNECT are not served",
                "Metode permintaan tidak diizinkan"},
    RefusalInfo{400, "bad_target", "malformed request target", "Alamat permintaan tidak sah"},
    RefusalInfo{414, "target_too_long", "request target is too long", "Alamat permintaan terlalu panjang"},
    RefusalInfo{400, "bad_path", "path has no safe canonical form", "Path permintaan tidak sah"},
    RefusalInfo{400, "bad_version", "malformed HTTP version", "Versi HTTP tidak sah"},
    RefusalInfo{505, "version_not_supported", "HTTP version is not supported", "Versi HTTP tidak didukung"},
    RefusalInfo{400, "bad_line_ending", "bare CR or LF", "Akhir baris tidak sah"},
    RefusalInfo{400, "bad_header_name", "header name is not a token", "Nama header tidak sah"},
    RefusalInfo{400, "bad_header_value", "control byte in a header value", "Nilai header tidak sah"},
    RefusalInfo{400, "folded_header", "header line starts with white space",
                "Header terlipat tidak diterima"},
    RefusalInfo{431, "too_many_headers", "too many header lines", "Jumlah header terlalu banyak"},
    RefusalInfo{431, "head_too_large", "header lines are too large", "Header terlalu besar"},
    RefusalInfo{400, "host_missing", "Host is missing", "Header Host tidak ada"},
    RefusalInfo{400, "bad_host", "Host is not a valid authority", "Header Host tidak sah"},
    RefusalInfo{400, "host_mismatch", "absolute target does not agree with Host",
                "Header Host tidak cocok dengan alamat"},
    RefusalInfo{400, "duplicate_header", "a header that may appear once appears twice",
                "Header ganda tidak diterima"},
    RefusalInfo{400, "bad_content_length", "malformed or repeated Content-Length",
                "Content-Length tidak sah"},
    RefusalInfo{400, "length_with_encoding", "Content-Length together with Transfer-Encoding",
                "Content-Length dan Transfer-Encoding tidak boleh bersama"},
    RefusalInfo{400, "bad_transfer_encoding", "malformed or repeated Transfer-Encoding",
                "Transfer-Encoding tidak sah"},
    RefusalInfo{501, "encoding_not_implemented", "transfer coding is not implemented",
                "Transfer-Encoding tidak didukung"},
    RefusalInfo{400, "encoding_on_http10", "Transfer-Encoding on HTTP/1.0",
                "Transfer-Encoding tidak berlaku pada HTTP/1.0"},
    RefusalInfo{400, "bad_connection_header", "Connection is malformed or names a header that must stay",
                "Header Connection tidak sah"},
    RefusalInfo{417, "bad_expect", "expectation is not supported", "Header Expect tidak didukung"},
    RefusalInfo{400, "bad_websocket_handshake", "malformed WebSocket handshake",
                "Permintaan WebSocket tidak sah"},
    RefusalInfo{426, "websocket_version", "WebSocket version is not 13", "Versi WebSocket tidak didukung"},
    RefusalInfo{400, "bad_chunk", "malformed chunked body", "Isi permintaan tidak sah"},
    RefusalInfo{431, "trailers_too_large", "trailers are too large", "Trailer terlalu besar"},
    RefusalInfo{502, "bad_status_line", "upstream sent a malformed status line",
                "Layanan memberi jawaban tidak sah"},
    RefusalInfo{502, "bad_upstream_head", "upstream sent a malformed head",
                "Layanan memberi jawaban tidak sah"},
};
static_assert(kInfo.size() == static_cast<std::size_t>(Refusal::bad_upstream_head) + 1);

}  // namespace

const RefusalInfo& describe(Refusal refusal) {
    return kInfo[static_cast<std::size_t>(refusal)];
}

}  // namespace gateway::wire
