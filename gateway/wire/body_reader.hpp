// Takes the framing off a message body, in either direction.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/wire/chunked.hpp"
#include "gateway/wire/head_lines.hpp"

namespace gateway::wire {

class BodyReader {
  public:
    void start(BodyKind kind, std::uint64_t length);

    struct Step {
        std::size_t consumed = 0;
        std::string_view data{};  // payload, in one piece, inside the input
        Refusal refusal = Refusal::none;
    };
    // Takes what it can from the front of `bytes`. Chunks are moved together inside the input, so that the
    // payload is one piece; bytes behind the body's end are left as they are.
    Step read(char* bytes, std::size_t size);

    bool done() const { return done_; }
    BodyKind kind() const { return kind_; }
    // Bytes still to come, where the length is known.
    std::uint64_t remaining() const { return remaining_; }

  private:
    BodyKind kind_ = BodyKind::none;
    bool done_ = true;
    std::uint64_t remaining_ = 0;
    ChunkedDecoder decoder_;
};

}  // namespace gateway::wire
