#include "shared/async/fair_gate.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace shared::async {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    bool granted = false;
};

struct Queue {
    std::size_t taken = 0;
    std::deque<std::shared_ptr<Waiter>> waiters;
    bool in_turn = false;  // stands in State::turns
};

// Ordered: who chooses the keys cannot make them collide.
using Queues = std::map<std::string, Queue, std::less<>>;

}  // namespace

struct FairGate::State {
    explicit State(GateLimits given) : limits(given) {}

    const GateLimits limits;
    Queues queues;                       // of keys that have a place or wait for one
    std::deque<Queues::iterator> turns;  // those that wait and may have a place; not empty: all are taken
    std::set<std::pair<std::size_t, std::string_view>> lengths;  // of the queues that are not empty
    std::size_t taken = 0;
    std::size_t waiting = 0;
    std::uint64_t shed = 0;
    bool closed = false;

    bool take(std::string_view key);
    void give_back(const std::string& key);
    bool make_room(std::string_view key);
    void add(const std::string& key, std::shared_ptr<Waiter> waiter);
    void remove(const std::string& key, const std::shared_ptr<Waiter>& waiter);

  private:
    void resized(Queues::iterator queue, std::size_t before);
    void line_up(Queues::iterator queue);
    void grant();
    void tidy(Queues::iterator queue);
};

bool FairGate::State::take(std::string_view key) {
    if (closed || taken >= limits.places) return false;
    auto queue = queues.find(key);
    if (queue == queues.end()) queue = queues.emplace(key, Queue{}).first;
    if (queue->second.taken >= limits.per_key) return false;
    ++queue->second.taken;
    ++taken;
    return true;
}

void FairGate::State::give_back(const std::string& key) {
    const auto queue = queues.find(key);
    --queue->second.taken;
    --taken;
    line_up(queue);
    grant();
    tidy(queue);
}

void FairGate::State::line_up(Queues::iterator queue) {
    auto& [taken_by_key, waiters, in_turn] = queue->second;
    if (in_turn || waiters.empty() || taken_by_key >= limits.per_key) return;
    in_turn = true;
    turns.push_back(queue);
}

void FairGate::State::grant() {
    while (!closed && taken < limits.places && !turns.empty()) {
        const auto queue = turns.front();
        turns.pop_front();
        queue->second.in_turn = false;
        auto& waiters = queue->second.waiters;
        const auto waiter = std::move(waiters.front());
        waiters.pop_front();
        resized(queue, waiters.size() + 1);
        ++queue->second.taken;
        ++taken;
        waiter->granted = true;
        waiter->timer.cancel();
        line_up(queue);
    }
}

bool FairGate::State::make_room(std::string_view key) {
    if (closed || limits.waiting == 0) return false;
    if (waiting < limits.waiting) return true;
    const auto own = queues.find(key);
    const std::size_t own_length = own == queues.end() ? 0 : own->second.waiters.size();
    const auto longest = *lengths.rbegin();
    if (own_length + 1 >= longest.first) return false;
    const auto queue = queues.find(longest.second);
    const auto last = queue->second.waiters.back();
    queue->second.waiters.pop_back();
    resized(queue, longest.first);
    last->timer.cancel();
    tidy(queue);
    return true;
}

void FairGate::State::add(const std::string& key, std::shared_ptr<Waiter> waiter) {
    const auto queue = queues.try_emplace(key).first;
    queue->second.waiters.push_back(std::move(waiter));
    resized(queue, queue->second.waiters.size() - 1);
    line_up(queue);
}

void FairGate::State::remove(const std::string& key, const std::shared_ptr<Waiter>& waiter) {
    const auto queue = queues.find(key);
    if (queue == queues.end()) return;
    auto& waiters = queue->second.waiters;
    const auto place = std::find(waiters.begin(), waiters.end(), waiter);
    if (place != waiters.end()) {
        waiters.erase(place);
        resized(queue, waiters.size() + 1);
    }
    tidy(queue);
}

void FairGate::State::resized(Queues::iterator queue, std::size_t before) {
    const std::size_t now = queue->second.waiters.size();
    const std::string_view key = queue->first;
    if (before > 0) lengths.erase({before, key});
    if (now > 0) lengths.emplace(now, key);
    waiting = waiting - before + now;
}

// A queue that is empty has no turn, and no place in the map without a place at the gate.
void FairGate::State::tidy(Queues::iterator queue) {
    if (!queue->second.waiters.empty()) return;
    if (std::exchange(queue->second.in_turn, false)) std::erase(turns, queue);
    if (queue->second.taken == 0) queues.erase(queue);
}

FairGate::Place::Place(std::shared_ptr<State> state, std::string key)
    : state_(std::move(state)), key_(std::move(key)) {}

FairGate::Place::Place(Place&&) noexcept = default;

FairGate::Place& FairGate::Place::operator=(Place&& other) noexcept {
    if (this == &other) return *this;
    give_back();
    state_ = std::move(other.state_);
    key_ = std::move(other.key_);
    return *this;
}

FairGate::Place::~Place() {
    give_back();
}

void FairGate::Place::give_back() {
    if (const auto state = std::move(state_)) state->give_back(key_);
}

FairGate::FairGate(GateLimits limits) : state_(std::make_shared<State>(limits)) {}

FairGate::~FairGate() {
    state_->closed = true;
    for (auto& [key, queue] : state_->queues)
        for (const auto& waiter : queue.waiters) waiter->timer.cancel();
}

std::optional<FairGate::Place> FairGate::try_enter(std::string_view key) {
    if (!state_->take(key)) return std::nullopt;
    return Place(state_, std::string(key));
}

// Not a coroutine itself: what it starts owns the state and outlives the gate.
awaitable<std::optional<FairGate::Place>> FairGate::enter(std::string key) {
    return wait(state_, std::move(key));
}

awaitable<std::optional<FairGate::Place>> FairGate::wait(std::shared_ptr<State> state, std::string key) {
    if (state->take(key)) co_return Place(std::move(state), std::move(key));
    if (!state->make_room(key)) {
        ++state->shed;
        co_return std::nullopt;
    }
    const auto executor = co_await asio::this_coro::executor;
    const auto waiter = std::make_shared<Waiter>(executor);
    waiter->timer.expires_after(state->limits.patience);
    state->add(key, waiter);
    boost::system::error_code ignored;
    co_await waiter->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (waiter->granted) co_return Place(std::move(state), std::move(key));
    state->remove(key, waiter);
    ++state->shed;
    co_return std::nullopt;
}

std::size_t FairGate::taken() const {
    return state_->taken;
}

std::size_t FairGate::waiting() const {
    return state_->waiting;
}

std::uint64_t FairGate::shed() const {
    return state_->shed;
}

}  // namespace shared::async
