// What one connection sends, in order: at the end of the turn where it may wait (SendBatch), else at once.
// Keeps what the socket does not take.
#pragma once

#include <string>
#include <string_view>

#include "gateway/net/send_batch.hpp"
#include "gateway/net/stream.hpp"

namespace gateway::net {

class Outbox {
  public:
    enum class Sent : std::uint8_t {
        all,     // or in the batch: the owner hears by on_batch_sent() if that does not go out
        kept,    // in part or whole, until flush(); whoever offers more before that grows it
        failed,  // the peer is gone
    };
    // `stream` and `owner` are always the same.
    Sent send(SendBatch& batch, Stream& stream, PollHandler& owner, std::string_view first,
              std::string_view second = {}, std::string_view third = {});
    // What waits in the batch goes out now: before a shutdown, or before something that is not for the batch.
    Sent flush_batch(SendBatch& batch, Stream& stream) { return take(batch.flush(stream)); }
    // For on_batch_sent().
    Sent take(const SendBatch::Outcome& outcome);
    // The socket takes more: sends what is kept. The memory is freed when all of it is out.
    Sent flush(Stream& stream);

    // Nothing is kept.
    bool empty() const { return bytes_.empty(); }
    std::size_t size() const { return bytes_.size() - at_; }
    void clear();

  private:
    std::string bytes_;
    std::size_t at_ = 0;  // of the first byte that is not sent
};

}  // namespace gateway::net
