#include "gateway/wire/body_reader.hpp"

#include <algorithm>
#include <cstring>

namespace gateway::wire {

void BodyReader::start(BodyKind kind, std::uint64_t length) {
    kind_ = kind;
    remaining_ = kind == BodyKind::length ? length : 0;
    done_ = kind == BodyKind::none || (kind == BodyKind::length && length == 0);
    if (kind == BodyKind::chunked) decoder_.reset();
}

BodyReader::Step BodyReader::read(char* bytes, std::size_t size) {
    Step step;
    if (done_) return step;
    switch (kind_) {
        case BodyKind::none:
            return step;
        case BodyKind::until_close:
            step.consumed = size;
            step.data = {bytes, size};
            return step;
        case BodyKind::length:
            step.consumed = static_cast<std::size_t>(std::min<std::uint64_t>(size, remaining_));
            step.data = {bytes, step.consumed};
            remaining_ -= step.consumed;
            done_ = remaining_ == 0;
            return step;
        case BodyKind::chunked:
            break;
    }
    std::size_t joined_at = 0;
    std::size_t joined = 0;
    while (step.consumed < size) {
        const ChunkedDecoder::Step next = decoder_.next({bytes + step.consumed, size - step.consumed});
        step.consumed += next.consumed;
        if (next.status == ChunkedDecoder::Status::data) {
            const auto at = static_cast<std::size_t>(next.data.data() - bytes);
            if (joined == 0)
                joined_at = at;
            else
                std::memmove(bytes + joined_at + joined, next.data.data(), next.data.size());
            joined += next.data.size();
            continue;
        }
        if (next.status == ChunkedDecoder::Status::done) done_ = true;
        if (next.status == ChunkedDecoder::Status::refused) step.refusal = next.refusal;
        break;
    }
    step.data = {bytes + joined_at, joined};
    return step;
}

}  // namespace gateway::wire
