// Chunked transfer coding (RFC 9112 section 7.1): strict incremental decoder without copies, and what the
// encoder needs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/wire/refusal.hpp"

namespace gateway::wire {

// Extensions are skipped and trailers dropped; both are bounded.
//
//   while (true) {
//       auto step = decoder.next(bytes);
//       bytes.remove_prefix(step.consumed);
//       switch (step.status) { data: use step.data; need_more: read; done: …; refused: 400 or 502, close }
//   }
class ChunkedDecoder {
  public:
    enum class Status : std::uint8_t { need_more, data, done, refused };
    struct Step {
        Status status;
        std::size_t consumed;   // bytes to drop from the front of the input; includes `data`
        std::string_view data;  // payload inside the input; only with Status::data, never empty there
        Refusal refusal = Refusal::none;
    };

    // Returns the next piece of payload, or what stopped it. need_more has consumed all input.
    Step next(std::string_view bytes);
    bool done() const { return state_ == State::done; }
    void reset() { *this = ChunkedDecoder(); }

  private:
    enum class State : std::uint8_t {
        size_first,
        size,
        extension_name,
        extension,
        extension_quoted,
        extension_escaped,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer,
        trailer_lf,
        end_lf,
        done,
        refused
    };

    Step refuse(Refusal refusal, std::size_t consumed);

    State state_ = State::size_first;
    std::uint8_t digits_ = 0;
    std::uint16_t extension_bytes_ = 0;        // of this chunk
    std::uint32_t total_extension_bytes_ = 0;  // of this body
    std::uint16_t trailer_bytes_ = 0;
    std::uint64_t remaining_ = 0;
};

// "1f4\r\n". A chunk is this, the data and kChunkEnd. size must not be 0 (that would end the body).
struct ChunkHeader {
    explicit ChunkHeader(std::uint64_t size);
    std::string_view view() const { return {text_.data() + at_, text_.size() - at_}; }

  private:
    std::array<char, 18> text_;
    std::size_t at_;
};
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace gateway::wire
