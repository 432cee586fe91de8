// Small sends of one turn, carried out together at its end. A send wakes whoever waits for the bytes, and a
// process that finds one message, answers it and sleeps again is woken for every message; one that finds
// several is woken once. So the sends of a batch of events go out back to back. Behind an idle worker the
// turn is one event long and nothing waits.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "gateway/net/stream.hpp"

namespace gateway::net {

class PollHandler;

class SendBatch {
  public:
    // Larger sends gain nothing by waiting and would have to be copied.
    static constexpr std::size_t kMostBytes = 4096;

    SendBatch();

    // Copies the pieces and sends them at the end of the turn, in the order of the calls; the owner hears by
    // on_batch_sent() what became of them, unless all went out. False: not taken (TLS, too large, no room):
    // the caller sends them itself, after flush(stream). `stream` must stay where it is until then, or be
    // flushed before it is closed or moved.
    [[nodiscard]] bool add(Stream& stream, PollHandler& owner, std::string_view first,
                           std::string_view second, std::string_view third);

    // What flush() could not send: `rest` is valid until the next call of anything here.
    struct Outcome {
        IoStatus status = IoStatus::ok;
        std::string_view rest;
    };
    // Sends now what waits for this stream; the owner is not called.
    Outcome flush(Stream& stream);

    // Sends everything; `tell(owner, outcome)` where not all of it went out. May be added to meanwhile.
    template <class Tell>
    void flush_all(Tell tell) {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            Stream* stream = entries_[i].stream;
            if (!stream) continue;
            PollHandler* owner = entries_[i].owner;
            const Outcome outcome = flush(*stream);
            if (outcome.status != IoStatus::ok) tell(*owner, outcome);
        }
        entries_.clear();
        used_ = 0;
    }

    // Time to send, however many events are left.
    bool full() const { return entries_.size() >= kMostEntries; }
    bool half_full() const { return entries_.size() >= kMostEntries / 2; }
    bool empty() const { return entries_.empty(); }

  private:
    static constexpr std::size_t kMostEntries = 64;
    static constexpr std::size_t kMemory = 2 * kMostEntries * kMostBytes;

    struct Entry {
        Stream* stream;  // null: sent
        PollHandler* owner;
        std::uint32_t at;
        std::uint32_t size;
    };
    std::unique_ptr<char[]> memory_;
    std::size_t used_ = 0;
    std::vector<Entry> entries_;
};

}  // namespace gateway::net
