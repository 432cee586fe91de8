// What is kept of a request's body: until there is a connection that takes it, and until it need not be sent
// again.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "gateway/limits/byte_budget.hpp"

namespace gateway::exchange {

// Has a large body that is still coming, and can do without it.
class Gatherer {
  public:
    // The body's memory is given back in this call; the exchange ends in a turn of its own.
    virtual void make_room() = 0;

  protected:
    ~Gatherer() = default;
};
using Gatherers = std::list<Gatherer*>;  // of one worker, the oldest first

class KeptBody {
  public:
    // Up to here a body is small.
    static constexpr std::size_t kSmall = 4096;

    explicit KeptBody(limits::ByteBudget& budget) : budget_(budget) {}
    ~KeptBody() { clear(); }
    KeptBody(const KeptBody&) = delete;
    KeptBody& operator=(const KeptBody&) = delete;

    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }
    operator std::string_view() const { return bytes_; }

    // `max`: of the budget. One body has all of it only up to 4 KiB, and half of it beyond that: so many
    // large ones, however slow, leave room for those who sign in. False: there is none, and nothing has
    // changed.
    bool append(std::uint64_t max, std::string_view before, std::string_view data, std::string_view after);
    // What has been kept becomes one chunk; `last`: of a complete body.
    void make_chunk(bool last);
    // The bytes go, but lie elsewhere still (in what a connection has not sent): they count until release().
    void hand_on();
    void release();
    void clear();

  private:
    limits::ByteBudget& budget_;
    std::uint64_t counted_ = 0;  // in the budget
    std::string bytes_;
};

// Empties a reused buffer; gives back memory that an unusual request made it take.
void forget(std::string& text);

}  // namespace gateway::exchange
