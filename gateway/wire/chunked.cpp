#include "gateway/wire/chunked.hpp"

#include <algorithm>

#include "gateway/wire/chars.hpp"

namespace gateway::wire {
namespace {

constexpr std::uint8_t kMaxDigits = 16;
constexpr std::uint16_t kMaxExtensionBytes = 256;  // of one chunk
constexpr std::uint32_t kMaxTotalExtensionBytes =
    16 * 1024;  // tiny chunks with long extensions are an attack
constexpr std::uint16_t kMaxTrailerBytes = 8 * 1024;

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::refuse(Refusal refusal, std::size_t consumed) {
    state_ = State::refused;
    return {Status::refused, consumed, {}, refusal};
}

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size();) {
        const char c = bytes[i];
        switch (state_) {
            case State::size_first:
            case State::size: {
                const int digit = chars::hex_value(c);
                if (digit >= 0) {
                    if (++digits_ > kMaxDigits) return refuse(Refusal::bad_chunk, i);
                    // sixteen digits fill 64 bits exactly: no overflow
                    remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
                    state_ = State::size;
                } else if (state_ == State::size_first) {
                    return refuse(Refusal::bad_chunk, i);
                } else if (c == '\r') {
                    state_ = State::size_lf;
                } else if (c == ';') {
                    state_ = State::extension_name;
                    extension_bytes_ = 0;
                } else {
                    return refuse(Refusal::bad_chunk, i);  // white space before ';' included
                }
                ++i;
                break;
            }
            case State::extension_name:
            case State::extension:
            case State::extension_quoted:
            case State::extension_escaped: {
                if (c == '\r' && state_ == State::extension) {
                    state_ = State::size_lf;
                    ++i;
                    break;
                }
                ++total_extension_bytes_;
                if (chars::is_control(c) || ++extension_bytes_ > kMaxExtensionBytes ||
                    total_extension_bytes_ > kMaxTotalExtensionBytes)
                    return refuse(Refusal::bad_chunk, i);
                switch (state_) {
                    case State::extension_name:  // RFC 9112 section 7.1.1: one stands behind each ';'
                        if (c == ' ' || c == '\t') break;
                        if (!chars::is(c, chars::kToken)) return refuse(Refusal::bad_chunk, i);
                        state_ = State::extension;
                        break;
                    case State::extension_quoted:
                        if (c == '"') state_ = State::extension;
                        if (c == '\\') state_ = State::extension_escaped;
                        break;
                    case State::extension_escaped:
                        state_ = State::extension_quoted;
                        break;
                    default:
                        if (c == '"') state_ = State::extension_quoted;
                        if (c == ';') state_ = State::extension_name;
                }
                ++i;
                break;
            }
            case State::size_lf:
                if (c != '\n') return refuse(Refusal::bad_chunk, i);
                state_ = remaining_ == 0 ? State::trailer_start : State::data;
                digits_ = 0;
                ++i;
                break;
            case State::data: {
                const auto length = std::min<std::uint64_t>(remaining_, bytes.size() - i);
                remaining_ -= length;
                if (remaining_ == 0) state_ = State::data_cr;
                const auto piece = bytes.substr(i, static_cast<std::size_t>(length));
                return {Status::data, i + piece.size(), piece, Refusal::none};
            }
            case State::data_cr:
                if (c != '\r') return refuse(Refusal::bad_chunk, i);
                state_ = State::data_lf;
                ++i;
                break;
            case State::data_lf:
                if (c != '\n') return refuse(Refusal::bad_chunk, i);
                state_ = State::size_first;
                ++i;
                break;
            case State::trailer_start:
                if (c == '\r') {
                    state_ = State::end_lf;
                    ++i;
                    break;
                }
                if (!chars::is(c, chars::kToken)) return refuse(Refusal::bad_chunk, i);
                state_ = State::trailer;
                [[fallthrough]];
            case State::trailer: {
                // dropped unread, but never with a line ending that another reader could see differently
                if (c == '\r')
                    state_ = State::trailer_lf;
                else if (chars::is_control(c))
                    return refuse(Refusal::bad_chunk, i);
                if (++trailer_bytes_ > kMaxTrailerBytes) return refuse(Refusal::trailers_too_large, i);
                ++i;
                break;
            }
            case State::trailer_lf:
                if (c != '\n') return refuse(Refusal::bad_chunk, i);
                state_ = State::trailer_start;
                ++i;
                break;
            case State::end_lf:
                if (c != '\n') return refuse(Refusal::bad_chunk, i);
                state_ = State::done;
                return {Status::done, i + 1, {}, Refusal::none};
            case State::done:
                return {Status::done, i, {}, Refusal::none};
            case State::refused:
                return {Status::refused, i, {}, Refusal::bad_chunk};
        }
    }
    if (state_ == State::done) return {Status::done, bytes.size(), {}, Refusal::none};
    return {Status::need_more, bytes.size(), {}, Refusal::none};
}

ChunkHeader::ChunkHeader(std::uint64_t size) : text_{}, at_(text_.size()) {
    static constexpr char kDigits[] = "0123456789abcdef";
    text_[--at_] = '\n';
    text_[--at_] = '\r';
    do {
        text_[--at_] = kDigits[size & 15];
        size >>= 4;
    } while (size != 0);
}

}  // namespace gateway::wire
