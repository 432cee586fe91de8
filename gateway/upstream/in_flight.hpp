// How many requests a cluster or route has under way, over all workers, and who waits for a place. Clients
// take turns, and each gets its places in the order it asked for them: one client's thousand requests wait
// for themselves.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/config/config.hpp"
#include "gateway/net/poller.hpp"

namespace gateway::upstream {

// A request that waits. Hears of it in a turn of its own worker, in nobody else's event.
class Waiter {
  public:
    // InFlightLimit::Ticket::take() has a place.
    virtual void on_place_free() = 0;
    // The queue is full, and others have less in it.
    virtual void on_crowded_out() = 0;

  protected:
    ~Waiter() = default;
};

class InFlightLimit {
    struct Entry;

  public:
    // One request's place; its destructor gives it back. Must not outlive the limit.
    class [[nodiscard]] Place {
      public:
        Place() = default;
        Place(Place&& other) noexcept
            : limit_(std::exchange(other.limit_, nullptr)), client_(other.client_) {}
        Place& operator=(Place&& other) noexcept {
            std::swap(limit_, other.limit_);
            std::swap(client_, other.client_);
            return *this;
        }
        ~Place() { reset(); }
        explicit operator bool() const { return limit_ != nullptr; }
        void reset() {
            if (InFlightLimit* limit = std::exchange(limit_, nullptr)) limit->release(client_);
        }

      private:
        friend class InFlightLimit;
        Place(InFlightLimit& limit, std::uint32_t client) : limit_(&limit), client_(client) {}
        InFlightLimit* limit_ = nullptr;
        std::uint32_t client_ = 0;
    };

    // A place in the queue; its destructor leaves it. Must not outlive the limit or the waiter.
    class [[nodiscard]] Ticket {
      public:
        Ticket() = default;
        Ticket(Ticket&& other) noexcept : limit_(other.limit_), entry_(std::move(other.entry_)) {}
        Ticket& operator=(Ticket&& other) noexcept {
            std::swap(limit_, other.limit_);
            std::swap(entry_, other.entry_);
            return *this;
        }
        ~Ticket() { reset(); }
        explicit operator bool() const { return entry_ != nullptr; }
        bool of(const InFlightLimit& limit) const { return entry_ && limit_ == &limit; }
        // The place that was granted; ends the waiting.
        Place take() { return limit_->take(std::exchange(entry_, nullptr)); }
        void reset() {
            if (auto entry = std::exchange(entry_, nullptr)) limit_->leave(entry);
        }

      private:
        friend class InFlightLimit;
        Ticket(InFlightLimit& limit, std::shared_ptr<Entry> entry)
            : limit_(&limit), entry_(std::move(entry)) {}
        InFlightLimit* limit_ = nullptr;
        std::shared_ptr<Entry> entry_;
    };

    explicit InFlightLimit(const config::InFlight& rules);
    ~InFlightLimit();

    bool limited() const { return rules_.max != 0; }
    // `client`: a hash of who asks. An empty place: all are taken, or all that one client may have, or others
    // wait.
    Place try_acquire(std::uint64_t client);
    // Waits in the queue until the waiter hears; an empty ticket: the queue is full.
    Ticket wait(std::uint64_t client, Waiter& waiter, net::Poller& poller);

    config::milliseconds queue_timeout() const { return rules_.queue_timeout; }
    std::uint32_t active() const { return active_.load(std::memory_order_relaxed); }
    std::uint32_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

  private:
    // Clients are told apart by so many numbers, drawn anew by each process. Two that share one share their
    // turn.
    static constexpr std::uint32_t kClients = 1U << 15;

    // What one client waits with.
    struct Lane {
        std::deque<std::shared_ptr<Entry>> entries;
        bool ready = false;  // in turns_; else the client has all that it may have
    };

    std::uint32_t number_of(std::uint64_t client) const;
    bool take_share(std::uint32_t client);
    void give_share(std::uint32_t client);
    void release(std::uint32_t client);
    Place take(const std::shared_ptr<Entry>& entry);
    void leave(const std::shared_ptr<Entry>& entry);
    // With mutex_ held: gives free places to those whose turn it is. `client` may have got a share back.
    void hand_out(std::uint32_t client);
    void make_ready(std::uint32_t client, Lane& lane);
    bool crowd_out(std::size_t own);
    void drop_lane(std::uint32_t client);

    const config::InFlight rules_;
    const std::uint64_t seed_;
    // Sequentially consistent: who gives a place back and then sees nobody waiting, and who begins to wait
    // and then sees no place free, must not miss each other.
    std::atomic<std::uint32_t> active_{0};
    std::atomic<std::uint32_t> waiting_{0};
    std::atomic<std::uint32_t> ready_{0};                         // turns_.size()
    const std::unique_ptr<std::atomic<std::uint32_t>[]> shares_;  // by client; null: no limit for one

    std::mutex mutex_;  // the rest; taken only where somebody waits
    std::unordered_map<std::uint32_t, Lane> lanes_;
    std::deque<std::uint32_t> turns_;
};

}  // namespace gateway::upstream
