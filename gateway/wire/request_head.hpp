// The strict reader of HTTP/1.1 request heads (RFC 9112): the only code that sees a client's raw bytes. Every
// rule of docs/security.md's table is decided here; what it lets through has exactly one meaning.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/wire/head_lines.hpp"
#include "gateway/wire/method.hpp"
#include "gateway/wire/refusal.hpp"
#include "gateway/wire/rules.hpp"

namespace gateway::wire {

struct ReadResult {
    ReadStatus status = ReadStatus::incomplete;
    Refusal refusal = Refusal::none;
    std::size_t consumed = 0;  // complete: bytes of the head, a leading empty line included
};

// Views stay good for as long as the bytes that were read (see HeadLines::rebase) and this object live.
class RequestHead : public HeadLines {
  public:
    Method method() const { return method_; }
    unsigned version_minor() const { return version_minor_; }
    bool keep_alive() const { return keep_alive_; }
    BodyKind body() const { return body_; }  // none, length or chunked
    std::uint64_t content_length() const { return content_length_; }
    // The client waits for "100 Continue" before it sends the body.
    bool expect_continue() const { return expect_continue_; }
    // A complete and valid WebSocket opening handshake (RFC 6455 section 4.2.1).
    bool upgrade_websocket() const { return upgrade_websocket_; }

    // The canonical path: for routing, authorization and forwarding alike. "*" for OPTIONS *.
    std::string_view path() const {
        return path_rewritten_ ? std::string_view(path_) : std::string_view(base_ + path_at_, path_length_);
    }
    bool has_query() const { return has_query_; }
    std::string_view query() const { return {base_ + query_at_, query_length_}; }  // without '?'
    // As sent, with the port; empty only for HTTP/1.0 without Host.
    std::string_view authority() const { return {base_ + authority_at_, authority_length_}; }
    // The authority without its port and without the dot of the root; brackets of an IPv6 literal kept. Case
    // as sent.
    std::string_view host() const { return {base_ + authority_at_, host_length_}; }

    // Starts over for the next message on the connection.
    void clear();

  private:
    friend class HeadReader;
    friend ReadResult read_request_head(std::string_view, const ReaderRules&, RequestHead&);

    Method method_ = Method::get;
    std::uint8_t version_minor_ = 1;
    BodyKind body_ = BodyKind::none;
    bool keep_alive_ = true;
    bool expect_continue_ = false;
    bool upgrade_websocket_ = false;
    bool has_query_ = false;
    bool path_rewritten_ = false;
    bool absolute_form_ = false;
    std::uint64_t content_length_ = 0;
    std::uint16_t target_at_ = 0;
    std::uint16_t path_at_ = 0;
    std::uint16_t path_length_ = 0;
    std::uint16_t query_at_ = 0;
    std::uint16_t query_length_ = 0;
    std::uint16_t authority_at_ = 0;
    std::uint16_t authority_length_ = 0;
    std::uint16_t host_length_ = 0;
    std::string path_;  // only where the canonical form differs from the bytes

    // Progress of an incomplete head: where the line in work starts, and how far its end was looked for. A
    // slow client's bytes are looked at once, not once for each read.
    std::uint32_t line_at_ = 0;
    std::uint32_t scanned_ = 0;
    bool start_line_done_ = false;
};

// Reads the head at the start of `bytes`. On `incomplete`, call again with the same head object and the same
// bytes plus what arrived since (they may have moved). After `complete` or `refused`, call head.clear()
// first. No allocation, unless a path has to be rewritten.
ReadResult read_request_head(std::string_view bytes, const ReaderRules& rules, RequestHead& head);

}  // namespace gateway::wire
