#include "gateway/upstream/balancer.hpp"

#include <cmath>

namespace gateway::upstream {

namespace {

// Finalizer of splitmix64 (Vigna, public domain): spreads one 64-bit number over all bits.
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

}  // namespace

Balancer::Balancer(config::Balancer kind, std::uint64_t seed) : kind_(kind), random_state_(seed) {}

std::uint64_t Balancer::random() {
    return mix(random_state_++);
}

void Balancer::set_active(std::span<const std::shared_ptr<Endpoint>> all, std::vector<std::size_t> active) {
    all_ = all;
    std::erase_if(active, [&](std::size_t i) { return all_[i]->weight() == 0; });
    if (active != active_ || current_.size() != active.size()) current_.assign(active.size(), 0);
    active_ = std::move(active);
    weight_sum_ = 0;
    for (std::size_t i : active_) weight_sum_ += all_[i]->weight();
}

std::size_t Balancer::pick(std::uint64_t key, std::size_t avoid) {
    if (active_.empty()) return kNone;
    if (active_.size() == 1) return active_.front();
    switch (kind_) {
        case config::Balancer::round_robin:
            return pick_round_robin(avoid);
        case config::Balancer::hash:
            return pick_hash(key, avoid);
        case config::Balancer::least_requests:
            break;
    }
    return pick_least_requests(avoid);
}

// Smooth weighted round robin as nginx does it: each gains its weight, the richest is taken and pays the sum.
// So weights 5:1:1 give a a b a c a a, not five in a row.
std::size_t Balancer::pick_round_robin(std::size_t avoid) {
    std::size_t best = kNone;
    for (std::size_t i = 0; i < active_.size(); ++i) {
        current_[i] += all_[active_[i]]->weight();
        if (active_[i] == avoid) continue;
        if (best == kNone || current_[i] > current_[best]) best = i;
    }
    current_[best] -= weight_sum_;
    return active_[best];
}

double Balancer::load(std::size_t index) const {
    return (all_[index]->in_flight.load(std::memory_order_relaxed) + 1.0) / all_[index]->weight();
}

// Power of two choices: of two at random the less loaded one. Nearly as even as looking at all, and workers
// that see the same loads do not all rush to the same endpoint.
std::size_t Balancer::pick_least_requests(std::size_t avoid) {
    const std::uint64_t r = random();
    const std::size_t n = active_.size();
    std::size_t first = static_cast<std::size_t>(r & 0xFFFFFFFFU) % n;
    std::size_t second = static_cast<std::size_t>(r >> 32) % (n - 1);
    if (second >= first) ++second;
    const std::size_t a = active_[first];
    const std::size_t b = active_[second];
    if (a == avoid) return b;
    if (b == avoid) return a;
    return load(b) < load(a) ? b : a;
}

// Weighted rendezvous hashing (Thaler, Ravishankar 1998): each endpoint scores the key, the highest score
// wins. When one endpoint goes, only its keys move.
std::size_t Balancer::pick_hash(std::uint64_t key, std::size_t avoid) {
    std::size_t best = kNone;
    double best_score = 0;
    for (std::size_t i : active_) {
        if (i == avoid) continue;
        const std::uint64_t h = mix(key ^ all_[i]->hash());
        const double unit = (static_cast<double>(h >> 11) + 0.5) * 0x1.0p-53;  // (0, 1)
        const double score = static_cast<double>(all_[i]->weight()) / -std::log(unit);
        if (best == kNone || score > best_score) {
            best = i;
            best_score = score;
        }
    }
    return best;
}

}  // namespace gateway::upstream
