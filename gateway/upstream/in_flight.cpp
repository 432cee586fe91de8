#include "gateway/upstream/in_flight.hpp"

#include <algorithm>
#include <random>

namespace gateway::upstream {

namespace {

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

// Takes one of `max`; never more, not even for a moment: somebody else's attempt must not fail by it.
bool take_one(std::atomic<std::uint32_t>& count, std::uint32_t max) {
    std::uint32_t now = count.load();
    while (now < max)
        if (count.compare_exchange_weak(now, now + 1)) return true;
    return false;
}

}  // namespace

struct InFlightLimit::Entry {
    enum class State : std::uint8_t { waiting, granted, over };

    Entry(std::uint32_t number, Waiter& who, net::Poller& loop)
        : client(number), waiter(&who), poller(&loop) {}

    const std::uint32_t client;
    State state = State::waiting;  // guarded by the limit's mutex
    Waiter* waiter;                // for its worker alone; null: it has gone
    net::Poller* const poller;
};

InFlightLimit::InFlightLimit(const config::InFlight& rules)
    : rules_(rules),
      seed_(random_seed()),
      shares_(rules.max_per_client != 0 ? std::make_unique<std::atomic<std::uint32_t>[]>(kClients)
                                        : nullptr) {}

InFlightLimit::~InFlightLimit() = default;

std::uint32_t InFlightLimit::number_of(std::uint64_t client) const {
    const std::uint64_t mixed = (client ^ seed_) * 0x9e3779b97f4a7c15ULL;  // Fibonacci hashing
    return static_cast<std::uint32_t>(mixed >> 49);
}

bool InFlightLimit::take_share(std::uint32_t client) {
    return !shares_ || take_one(shares_[client], rules_.max_per_client);
}

void InFlightLimit::give_share(std::uint32_t client) {
    if (shares_) shares_[client].fetch_sub(1);
}

InFlightLimit::Place InFlightLimit::try_acquire(std::uint64_t client) {
    if (!limited()) return {*this, 0};
    const std::uint32_t number = number_of(client);
    // Those who can be served as soon as there is a place come first.
    if (ready_.load() != 0) return {};
    if (!take_share(number)) return {};
    if (take_one(active_, rules_.max)) return {*this, number};
    give_share(number);
    return {};
}

void InFlightLimit::release(std::uint32_t client) {
    if (!limited()) return;
    give_share(client);
    active_.fetch_sub(1);
    if (waiting_.load() == 0) return;
    const std::lock_guard lock(mutex_);
    hand_out(client);
}

InFlightLimit::Ticket InFlightLimit::wait(std::uint64_t client, Waiter& waiter, net::Poller& poller) {
    const std::uint32_t number = number_of(client);
    const std::lock_guard lock(mutex_);
    const auto known = lanes_.find(number);
    if (waiting_.load() >= rules_.queue &&
        !crowd_out(known == lanes_.end() ? 0 : known->second.entries.size())) {
        // Its attempt may have stood in the way of its own lane for a moment.
        hand_out(number);
        return {};
    }
    auto entry = std::make_shared<Entry>(number, waiter, poller);
    Lane& lane = lanes_[number];
    lane.entries.push_back(entry);
    waiting_.fetch_add(1);
    make_ready(number, lane);
    hand_out(number);
    return {*this, std::move(entry)};
}

InFlightLimit::Place InFlightLimit::take(const std::shared_ptr<Entry>& entry) {
    const std::lock_guard lock(mutex_);
    entry->waiter = nullptr;
    entry->state = Entry::State::over;
    return {*this, entry->client};
}

void InFlightLimit::leave(const std::shared_ptr<Entry>& entry) {
    entry->waiter = nullptr;
    bool granted = false;
    {
        const std::lock_guard lock(mutex_);
        granted = entry->state == Entry::State::granted;
        if (entry->state == Entry::State::waiting) {
            Lane& lane = lanes_.at(entry->client);
            std::erase(lane.entries, entry);
            waiting_.fetch_sub(1);
            if (lane.entries.empty()) drop_lane(entry->client);
        }
        entry->state = Entry::State::over;
    }
    if (granted) release(entry->client);
}

void InFlightLimit::make_ready(std::uint32_t client, Lane& lane) {
    if (lane.ready) return;
    lane.ready = true;
    turns_.push_back(client);
    ready_.store(static_cast<std::uint32_t>(turns_.size()));
}

void InFlightLimit::drop_lane(std::uint32_t client) {
    lanes_.erase(client);
    std::erase(turns_, client);
    ready_.store(static_cast<std::uint32_t>(turns_.size()));
}

void InFlightLimit::hand_out(std::uint32_t client) {
    if (const auto lane = lanes_.find(client); lane != lanes_.end()) make_ready(client, lane->second);
    while (!turns_.empty()) {
        const std::uint32_t next = turns_.front();
        Lane& lane = lanes_.at(next);
        if (!take_share(next)) {
            // It has all that it may have; the first that it gives back brings it here again.
            turns_.pop_front();
            lane.ready = false;
            continue;
        }
        if (!take_one(active_, rules_.max)) {
            give_share(next);
            break;
        }
        const std::shared_ptr<Entry> entry = std::move(lane.entries.front());
        lane.entries.pop_front();
        waiting_.fetch_sub(1);
        turns_.pop_front();
        if (lane.entries.empty())
            lanes_.erase(next);
        else
            turns_.push_back(next);
        entry->state = Entry::State::granted;
        entry->poller->post([entry] {
            if (entry->waiter) entry->waiter->on_place_free();
        });
    }
    ready_.store(static_cast<std::uint32_t>(turns_.size()));
}

// Somebody who has `own` requests in the full queue wants to wait with one more: whoever waits with most
// makes room, where that leaves the two no worse shared out.
bool InFlightLimit::crowd_out(std::size_t own) {
    const auto longest = std::max_element(lanes_.begin(), lanes_.end(), [](const auto& a, const auto& b) {
        return a.second.entries.size() < b.second.entries.size();
    });
    if (longest == lanes_.end() || longest->second.entries.size() <= own + 1) return false;
    const std::shared_ptr<Entry> entry = std::move(longest->second.entries.back());
    longest->second.entries.pop_back();
    waiting_.fetch_sub(1);
    entry->state = Entry::State::over;
    entry->poller->post([entry] {
        if (entry->waiter) entry->waiter->on_crowded_out();
    });
    return true;
}

}  // namespace gateway::upstream
