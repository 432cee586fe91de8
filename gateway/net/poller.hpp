// The data sockets of one worker: one edge-triggered epoll set that Asio waits on through a single descriptor
// (docs/adr/0002-own-epoll-set.md). Sockets are registered once, so that a request costs no epoll_ctl and no
// speculative read.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
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

  private:
    friend class Poller;
    bool queued_again_ = false;
    bool retired_ = false;
};

class Poller {
  public:
    explicit Poller(boost::asio::io_context& io);
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    // Starts waiting. Runs on the io_context's thread from then on, like everything else here.
    void start();
    void stop();

    // Registers a non-blocking descriptor for IN|OUT|RDHUP edges until it is closed.
    shared::Result<> add(int descriptor, PollHandler* handler);

    // Calls handler->on_events(kAgain) in the next turn: for work that was cut off so that others get theirs.
    void again(PollHandler* handler);

    // Destroys the handler at the end of the current batch; events of that batch may still name it.
    void retire(std::unique_ptr<PollHandler> handler);
    // Sends that may wait until the end of the turn.
    SendBatch& batch() { return batch_; }
    // The end of a turn, for those that do not come from the set (ticks, posted work): sends what waits in
    // the batch, destroys what was retired.
    void end_turn();

  private:
    void wait();
    void turn();
    static void call(PollHandler* handler, std::uint32_t events);
    void send_batch();
    void destroy_retired();

    boost::asio::io_context& io_;
    int epoll_;
    boost::asio::posix::stream_descriptor descriptor_;
    std::vector<PollHandler*> again_;
    std::vector<PollHandler*> running_;
    std::vector<std::unique_ptr<PollHandler>> retired_;
    SendBatch batch_;
    bool posted_ = false;
    bool in_turn_ = false;
    bool stopped_ = false;
};

}  // namespace gateway::net
