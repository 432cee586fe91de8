// The strict reader of an upstream's answer heads. What it refuses becomes a 502 and the connection closes.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/wire/head_lines.hpp"
#include "gateway/wire/method.hpp"
#include "gateway/wire/request_head.hpp"

namespace gateway::wire {

class ResponseHead : public HeadLines {
  public:
    unsigned status() const { return status_; }  // 100..599
    // 100..199 except 101: not the final answer; clear() and read on.
    bool informational() const { return status_ < 200 && status_ != 101; }
    std::string_view reason() const { return {base_ + reason_at_, reason_length_}; }
    unsigned version_minor() const { return version_minor_; }
    BodyKind body() const { return body_; }
    // With BodyKind::length; for HEAD and 304 what the header said, if has_content_length().
    std::uint64_t content_length() const { return content_length_; }
    bool has_content_length() const { return has_content_length_; }
    // The connection may carry another request once the body has been read to its end.
    bool keep_alive() const { return keep_alive_; }
    // 101 with "Upgrade: websocket" and "Connection: upgrade"; Sec-WebSocket-Accept is the caller's to check.
    bool upgrade_websocket() const { return upgrade_websocket_; }
    // A 503 that the service sends on purpose: it is busy, not broken.
    bool shed() const { return status_ == 503 && value(Header::x_overloaded) == "1"; }

    void clear();

  private:
    friend class HeadReader;
    friend ReadResult read_response_head(std::string_view, Method, const ReaderRules&, ResponseHead&);

    std::uint16_t status_ = 0;
    std::uint8_t version_minor_ = 1;
    BodyKind body_ = BodyKind::none;
    bool keep_alive_ = true;
    bool has_content_length_ = false;
    bool upgrade_websocket_ = false;
    std::uint16_t reason_at_ = 0;
    std::uint16_t reason_length_ = 0;
    std::uint64_t content_length_ = 0;

    std::uint32_t line_at_ = 0;
    std::uint32_t scanned_ = 0;
    bool start_line_done_ = false;
};

// `asked` is the request's method: HEAD has no body whatever the answer says. Same protocol as
// read_request_head.
ReadResult read_response_head(std::string_view bytes, Method asked, const ReaderRules& rules,
                              ResponseHead& head);

}  // namespace gateway::wire
