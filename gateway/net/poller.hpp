// The loop of one worker: its sockets in one edge-triggered epoll set, registered once, and work posted by
// other threads (docs/adr/0002-own-epoll-set.md, 0013-own-loop.md). A turn waits for events, handles them,
// sends what they had to send, and destroys what ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "gateway/net/send_batch.hpp"
#include "shared/base/result.hpp"

namespace gateway::net {

class Poller;

// Something with a descriptor in the set. Events are edges: the handler reads or writes until the kernel says
// "no more" or asks to be called again by Poller::again().
class PollHandler {
  public:
    virtual ~PollHandler() = default;
    // EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR, or kAgain. May be called after the handler has
    // closed its descriptor (a later event of the same batch) and must ignore that.
    virtual void on_events(std::uint32_t events) = 0;
    // Bytes given to Poller::batch() did not all go out: `drained` (keep `rest` for the next EPOLLOUT) or an
    // error.
    virtual void on_batch_sent(const SendBatch::Outcome&) {}
    // on_events() threw (out of memory, a defect): ends what the handler stands for, and nothing else.
    virtual void on_exception() noexcept = 0;

    static constexpr std::uint32_t kAgain = 1U << 20;

    // Events that this turn has fetched for it and that it has not been told of yet.
    std::uint32_t fetched_events() const { return fetched_events_; }

  private:
    friend class Poller;
    std::uint32_t fetched_events_ = 0;
    bool queued_again_ = false;
    bool retired_ = false;
};

// Belongs to one thread, except for post().
class Poller {
  public:
    using Clock = std::chrono::steady_clock;

    Poller();
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    // One turn. Waits for the first event no longer than `most` (rounded down to milliseconds).
    static constexpr std::chrono::milliseconds kForEver{-1};
    void turn(std::chrono::milliseconds most = kForEver);

    // When the events of this turn were fetched. What a turn does counts from here: a request that waited for
    // others of its turn has waited. Costs nothing, unlike the clock.
    Clock::time_point now() const { return now_; }
    std::int64_t now_ms() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count();
    }
    // Grows by one each turn.
    std::uint64_t turns() const { return turns_; }

    // Registers a non-blocking descriptor for IN|OUT|RDHUP edges until it is closed.
    shared::Result<> add(int descriptor, PollHandler* handler);

    // Calls handler->on_events(kAgain) in the next turn: for work that was cut off so that others get theirs.
    void again(PollHandler* handler);
    // Takes back what again() promised.
    void forget(PollHandler* handler);

    // From any thread: runs the task in a turn. Tasks that are left when the poller ends are dropped.
    void post(std::function<void()> task);

    // Destroys the handler at the end of the turn; events of that turn may still name it.
    void retire(std::unique_ptr<PollHandler> handler);
    // Sends that may wait until the end of the turn.
    SendBatch& batch() { return batch_; }
    // Sends what waits in the batch, destroys what was retired. Every turn ends so; for what happens outside
    // of one, when a worker has stopped.
    void end_turn();

  private:
    // Tasks of other threads and the eventfd that says that there are some.
    class Mailbox final : public PollHandler {
      public:
        Mailbox();
        ~Mailbox() override;
        int descriptor() const { return descriptor_; }
        void put(std::function<void()> task);
        void on_events(std::uint32_t events) override;
        void on_exception() noexcept override {}

      private:
        int descriptor_;
        std::mutex mutex_;
        std::vector<std::function<void()>> tasks_;  // guarded by mutex_
    };

    void read_clock();
    void send_batch();
    void destroy_retired();

    int epoll_;
    Clock::time_point now_;
    std::uint64_t turns_ = 0;
    int held_ = 0;  // turns since the batch was sent
    std::vector<PollHandler*> again_;
    std::vector<PollHandler*> running_;
    std::vector<std::unique_ptr<PollHandler>> retired_;
    SendBatch batch_;
    Mailbox mailbox_;
};

}  // namespace gateway::net
