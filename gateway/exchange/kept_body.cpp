#include "gateway/exchange/kept_body.hpp"

#include <utility>

#include "gateway/wire/chunked.hpp"

namespace gateway::exchange {

namespace {

// Capacity that a reused buffer may keep.
constexpr std::size_t kKeptCapacity = 16 * 1024;

}  // namespace

void forget(std::string& text) {
    if (text.capacity() > kKeptCapacity)
        std::string().swap(text);
    else
        text.clear();
}

bool KeptBody::append(std::uint64_t max, std::string_view before, std::string_view data,
                      std::string_view after) {
    const std::size_t more = before.size() + data.size() + after.size();
    if (!budget_.take(more, bytes_.size() + more > kSmall ? max / 2 : max)) return false;
    counted_ += more;
    bytes_.append(before).append(data).append(after);
    return true;
}

void KeptBody::make_chunk(bool last) {
    if (bytes_.empty()) {
        if (last) bytes_ = wire::kLastChunk;
        return;
    }
    bytes_.insert(0, wire::ChunkHeader(bytes_.size()).view());
    bytes_.append(last ? "\r\n0\r\n\r\n" : wire::kChunkEnd);
}

void KeptBody::hand_on() {
    forget(bytes_);
}

void KeptBody::release() {
    if (counted_ != 0) budget_.give_back(std::exchange(counted_, 0));
}

void KeptBody::clear() {
    release();
    forget(bytes_);
}

}  // namespace gateway::exchange
