#include "gateway/net/send_batch.hpp"

#include <cstring>

namespace gateway::net {

SendBatch::SendBatch() : memory_(std::make_unique_for_overwrite<char[]>(kMemory)) {
    entries_.reserve(2 * kMostEntries);
}

bool SendBatch::add(Stream& stream, PollHandler& owner, std::string_view first, std::string_view second,
                    std::string_view third) {
    const std::size_t size = first.size() + second.size() + third.size();
    if (stream.tls() || size > kMostBytes || size > kMemory - used_) return false;
    if (size == 0) return true;
    const bool grows = stream.batch_entry_ != 0 && stream.batch_entry_ == entries_.size();
    // Not the last one: its bytes lie in the middle, and the order of one stream's bytes is sacred.
    if (stream.batch_entry_ != 0 && !grows) return false;
    const auto at = static_cast<std::uint32_t>(used_);
    for (std::string_view piece : {first, second, third}) {
        if (piece.empty()) continue;
        std::memcpy(memory_.get() + used_, piece.data(), piece.size());
        used_ += piece.size();
    }
    if (grows) {
        entries_.back().size += static_cast<std::uint32_t>(size);
    } else {
        entries_.push_back({&stream, &owner, at, static_cast<std::uint32_t>(size)});
        stream.batch_entry_ = static_cast<std::uint32_t>(entries_.size());
    }
    return true;
}

SendBatch::Outcome SendBatch::flush(Stream& stream) {
    if (stream.batch_entry_ == 0) return {};
    Entry& entry = entries_[stream.batch_entry_ - 1];
    stream.batch_entry_ = 0;
    entry.stream = nullptr;
    const std::string_view bytes(memory_.get() + entry.at, entry.size);
    const IoResult result = stream.write(bytes);
    if (result.bytes == bytes.size()) return {};
    return {result.status == IoStatus::ok ? IoStatus::drained : result.status, bytes.substr(result.bytes)};
}

}  // namespace gateway::net
