#include "gateway/upstream/pool.hpp"

#include <algorithm>

namespace gateway::upstream {

EndpointPool::EndpointPool(net::Poller& poller, net::DeadlineWheel& wheel, std::shared_ptr<Cluster> cluster,
                           std::shared_ptr<Endpoint> endpoint)
    : poller_(poller), wheel_(wheel), cluster_(std::move(cluster)), endpoint_(std::move(endpoint)) {
    idle_.reserve(cluster_->settings().pool.max_idle);
}

EndpointPool::~EndpointPool() = default;

void EndpointPool::on_connection_made() {
    ++connections_;
    endpoint_->connections.fetch_add(1, std::memory_order_relaxed);
}

void EndpointPool::on_connection_gone() {
    --connections_;
    endpoint_->connections.fetch_sub(1, std::memory_order_relaxed);
    if (owner_) owner_->on_room();
}

bool EndpointPool::may_connect() const {
    const std::uint32_t max = cluster_->settings().pool.max_connections;
    return max == 0 || connections_ < max;
}

std::unique_ptr<Connection> EndpointPool::take_idle(bool check) {
    while (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        connection->clear_deadline();
        if (connection->fit_for_use(check)) return connection;
        drop(std::move(connection));
    }
    return nullptr;
}

void EndpointPool::give_back(std::unique_ptr<Connection> connection) {
    const config::Pool& rules = cluster_->settings().pool;
    const auto age = net::DeadlineWheel::kTick * (wheel_.now() - connection->born());
    // What can still be read is nobody's answer.
    if (retired_ || idle_.size() >= rules.max_idle || (rules.max_age.count() > 0 && age >= rules.max_age) ||
        connection->hung_up() || (connection->readable() && !connection->fit_for_use(true)))
        return drop(std::move(connection));
    connection->become_idle(rules.idle_timeout);
    idle_.push_back(std::move(connection));
    if (owner_) owner_->on_room();
}

void EndpointPool::make_room() {
    if (!may_connect() && !idle_.empty()) remove_idle(idle_.front().get());
}

void EndpointPool::drop(std::unique_ptr<Connection> connection) {
    connection->close();
    poller_.retire(std::move(connection));
}

void EndpointPool::remove_idle(Connection* connection) {
    const auto at =
        std::find_if(idle_.begin(), idle_.end(), [&](const auto& c) { return c.get() == connection; });
    if (at == idle_.end()) return;
    std::unique_ptr<Connection> gone = std::move(*at);
    idle_.erase(at);
    drop(std::move(gone));
}

void EndpointPool::retire() {
    retired_ = true;
    while (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        drop(std::move(connection));
    }
}

WorkerCluster::WorkerCluster(net::Poller& poller, net::DeadlineWheel& wheel, std::shared_ptr<Cluster> cluster,
                             std::uint64_t seed)
    : poller_(poller),
      wheel_(wheel),
      cluster_(std::move(cluster)),
      balancer_(cluster_->settings().balancer, seed),
      budget_(cluster_->settings().retry, cluster_->retry_reserve) {}

WorkerCluster::~WorkerCluster() {
    poller_.forget(this);
    for (auto& pool : pools_) {
        pool->tell(nullptr);
        pool->retire();
    }
}

void WorkerCluster::refresh() {
    const std::uint64_t version = cluster_->version();
    if (version == seen_version_) return;
    seen_version_ = version;
    auto list = cluster_->endpoints();
    if (list != endpoints_) {
        std::vector<std::shared_ptr<EndpointPool>> pools;
        for (const auto& endpoint : *list) {
            const auto known = std::find_if(pools_.begin(), pools_.end(), [&](const auto& pool) {
                return pool && &pool->endpoint() == endpoint.get();
            });
            if (known != pools_.end())
                pools.push_back(std::move(*known));
            else
                pools.push_back(std::make_shared<EndpointPool>(poller_, wheel_, cluster_, endpoint));
            pools.back()->tell(this);
        }
        for (auto& pool : pools_) {
            if (!pool) continue;
            pool->tell(nullptr);
            pool->retire();
        }
        pools_ = std::move(pools);
        endpoints_ = std::move(list);
    }
    choose_active();
}

void WorkerCluster::choose_active() {
    const SteadyMs now = poller_.now_ms();
    std::vector<std::size_t> usable;
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < endpoints_->size(); ++i) {
        if ((*endpoints_)[i]->weight() == 0) continue;
        all.push_back(i);
        if ((*endpoints_)[i]->usable(now)) usable.push_back(i);
    }
    // Panic: so few are left that they would be overrun, or what tells good from bad is itself wrong. Then
    // everything is tried.
    const bool panic = usable.size() * 100 < all.size() * cluster_->settings().outlier.panic_percent;
    balancer_.set_active(*endpoints_, panic ? std::move(all) : std::move(usable));
}

WorkerCluster::Choice WorkerCluster::pick(std::uint64_t key, const EndpointPool* avoid) {
    refresh();
    std::size_t avoid_index = Balancer::kNone;
    if (avoid) {
        for (std::size_t i = 0; i < pools_.size(); ++i)
            if (pools_[i].get() == avoid) avoid_index = i;
    }
    const std::size_t chosen = balancer_.pick(key, avoid_index);
    if (avoid_index != Balancer::kNone && (chosen == avoid_index || chosen == Balancer::kNone)) {
        // Two replicas restarted one after the other: the first is back, but still ejected, when the second
        // goes.
        const std::size_t start = static_cast<std::size_t>(key) + wheel_.now();
        for (const bool want_up : {true, false}) {
            for (std::size_t i = 0; i < pools_.size(); ++i) {
                const std::size_t at = (start + i) % pools_.size();
                const Endpoint& endpoint = pools_[at]->endpoint();
                if (at == avoid_index || endpoint.weight() == 0) continue;
                if (want_up && endpoint.health() == Health::down) continue;
                return {pools_[at].get(), true};
            }
        }
    }
    if (chosen == Balancer::kNone) return {};
    // Where a pool is full the others are asked, unless the key says which one it has to be.
    if (!pools_[chosen]->has_room() && cluster_->settings().balancer != config::Balancer::hash) {
        for (const std::size_t i : balancer_.active())
            if (i != avoid_index && pools_[i]->has_room()) return {pools_[i].get(), false};
    }
    return {pools_[chosen].get(), false};
}

void WorkerCluster::tick() {
    refresh();
    if (endpoints_) choose_active();
    // Endpoints may have come.
    on_room();
}

bool WorkerCluster::wait(ConnectionWaiter& waiter) {
    if (std::find(waiting_.begin(), waiting_.end(), &waiter) != waiting_.end()) return true;
    if (waiting_.size() >= cluster_->settings().in_flight.queue) return false;
    waiting_.push_back(&waiter);
    return true;
}

void WorkerCluster::on_room() {
    if (!waiting_.empty()) poller_.again(this);
}

void WorkerCluster::on_events(std::uint32_t) {
    offer();
}

// Whoever does not find one keeps its place: with the balancer `hash` the connection that became free may be
// of use to somebody behind it only.
void WorkerCluster::offer() {
    for (std::size_t i = 0; i < waiting_.size();) {
        ConnectionWaiter* waiter = waiting_[i];
        offered_ = waiter;
        const bool went = waiter->on_connection_free();
        offered_ = nullptr;
        if (went) {
            std::erase(waiting_, waiter);
        } else {
            if (cluster_->settings().balancer != config::Balancer::hash) return;
            ++i;
        }
    }
}

}  // namespace gateway::upstream
