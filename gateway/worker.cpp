#include "gateway/worker.hpp"

#include <algorithm>

#include "gateway/http/http1_connection.hpp"
#include "shared/log/log.hpp"

namespace gateway {

Worker::Worker(exchange::Shared& shared, observe::AccessLogWriter* log,
               observe::AccessLogWriter* security_log, std::shared_ptr<const exchange::Snapshot> snapshot,
               const std::vector<int>& sockets)
    : started_(poller_.now()), log_(log, security_log), context_(poller_, wheel_, shared, stats_, log_) {
    adopt(std::move(snapshot));
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        listeners_.push_back(std::make_unique<net::Listener>(
            poller_, wheel_, sockets[i], [this, i](int descriptor, const net::Peer& peer) {
                const exchange::Snapshot& now = *context_.snapshot->shared;
                http::Http1Connection::open(context_, descriptor, peer,
                                            now.config->listeners[i].proxy_protocol, now.tls[i].get());
            }));
    }
    ticker_ = std::make_unique<net::Ticker>(poller_, net::DeadlineWheel::kTick, [this] { tick(); });
}

Worker::~Worker() {
    join();
    // Sessions refer to everything else here.
    kill_all();
    poller_.end_turn();
    listeners_.clear();
    context_.spare_requests.clear();
    context_.snapshot.reset();
    poller_.end_turn();
}

void Worker::start() {
    thread_ = std::thread([this] { run(); });
}

void Worker::join() {
    if (thread_.joinable()) thread_.join();
}

void Worker::run() {
    for (auto& listener : listeners_)
        if (const auto result = listener->start(); !result)
            shared::log::error("listen_failed", {{"error", result.error().message()}});
    while (!context_.draining || context_.sessions.size != 0) poller_.turn();
    log_.flush();
    finished_.store(true);
}

void Worker::tick() {
    wheel_.tick(std::chrono::duration_cast<std::chrono::milliseconds>(poller_.now() - started_));
    for (const auto& cluster : context_.snapshot->clusters) cluster->tick();
    // Requests that began before a reload may still wait for places there.
    std::erase_if(replaced_, [](const auto& cluster) {
        const auto alive = cluster.lock();
        if (alive) alive->tick();
        return !alive;
    });
    log_.tick(poller_.now());
    if (++ticks_ % 5 == 0) {
        context_.renew_date();
        context_.trim();
    }
}

void Worker::adopt(std::shared_ptr<const exchange::Snapshot> snapshot) {
    std::vector<std::shared_ptr<upstream::WorkerCluster>> local;
    for (const auto& cluster : snapshot->clusters) {
        std::shared_ptr<upstream::WorkerCluster> mine;
        if (context_.snapshot) {
            for (const auto& known : context_.snapshot->clusters)
                if (known->shared_cluster() == cluster) mine = known;
        }
        if (!mine)
            mine = std::make_shared<upstream::WorkerCluster>(poller_, wheel_, cluster, context_.ids.next());
        local.push_back(std::move(mine));
    }
    if (context_.snapshot) {
        for (const auto& known : context_.snapshot->clusters)
            if (std::find(local.begin(), local.end(), known) == local.end()) replaced_.push_back(known);
    }
    context_.snapshot = new exchange::WorkerSnapshot(std::move(snapshot), std::move(local), stats_);
}

void Worker::use(std::shared_ptr<const exchange::Snapshot> snapshot) {
    poller_.post([this, snapshot = std::move(snapshot)] { adopt(snapshot); });
}

void Worker::drain() {
    poller_.post([this] {
        context_.draining = true;
        for (auto& listener : listeners_) listener->stop();
        for (http::Http1Connection* connection = context_.sessions.first; connection;) {
            http::Http1Connection* next = connection->next();
            connection->close_if_idle();
            connection = next;
        }
    });
}

void Worker::kill_all() {
    for (http::Http1Connection* connection = context_.sessions.first; connection;) {
        http::Http1Connection* next = connection->next();
        connection->kill("shutdown");
        connection = next;
    }
}

void Worker::kill() {
    poller_.post([this] {
        context_.draining = true;
        kill_all();
    });
}

}  // namespace gateway
