#include "gateway/net/outbox.hpp"

namespace gateway::net {

namespace {

bool gone(IoStatus status) {
    return status == IoStatus::failed || status == IoStatus::closed;
}

}  // namespace

Outbox::Sent Outbox::send(SendBatch& batch, Stream& stream, PollHandler& owner, std::string_view first,
                          std::string_view second, std::string_view third) {
    std::size_t sent = 0;
    if (empty()) {
        if (batch.add(stream, owner, first, second, third)) return Sent::all;
        if (flush_batch(batch, stream) == Sent::failed) return Sent::failed;
    }
    if (empty()) {
        const IoResult result = stream.write(first, second, third);
        if (gone(result.status)) return Sent::failed;
        sent = result.bytes;
    }
    for (std::string_view piece : {first, second, third}) {
        if (sent >= piece.size()) {
            sent -= piece.size();
            continue;
        }
        bytes_.append(piece.substr(sent));
        sent = 0;
    }
    return empty() ? Sent::all : Sent::kept;
}

Outbox::Sent Outbox::take(const SendBatch::Outcome& outcome) {
    if (gone(outcome.status)) return Sent::failed;
    bytes_.append(outcome.rest);
    return empty() ? Sent::all : Sent::kept;
}

Outbox::Sent Outbox::flush(Stream& stream) {
    const IoResult result = stream.write(std::string_view(bytes_).substr(at_));
    if (gone(result.status)) return Sent::failed;
    at_ += result.bytes;
    if (at_ < bytes_.size()) return Sent::kept;
    clear();
    return Sent::all;
}

void Outbox::clear() {
    std::string().swap(bytes_);
    at_ = 0;
}

}  // namespace gateway::net
