#include "gateway/worker.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "gateway/http/client_session.hpp"
#include "shared/log/log.hpp"

namespace gateway {

namespace asio = boost::asio;

Worker::Worker(http::Shared& shared, observe::AccessLogWriter* log,
               std::shared_ptr<const http::Snapshot> snapshot, const std::vector<int>& sockets)
    : work_(asio::make_work_guard(io_)),
      timer_(io_),
      started_(std::chrono::steady_clock::now()),
      poller_(io_),
      log_(log),
      context_(poller_, wheel_, shared, stats_, log_) {
    adopt(std::move(snapshot));
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        listeners_.push_back(std::make_unique<net::Listener>(
            poller_, wheel_, sockets[i], [this, i](int descriptor, const net::Peer& peer) {
                const http::Snapshot& now = *context_.snapshot->shared;
                http::ClientSession::open(context_, descriptor, peer, i,
                                          now.config->listeners[i].proxy_protocol, now.tls[i].get());
            }));
    }
}

Worker::~Worker() {
    join();
    // Sessions refer to everything else here.
    kill_all();
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
    poller_.start();
    tick();
    while (true) {
        try {
            io_.run();
            break;
        } catch (const std::exception& e) {
            // A defect in one request must not end the worker.
            shared::log::error("worker_exception", {{"error", e.what()}});
        }
    }
    finished_.store(true);
}

void Worker::tick() {
    // Armed first: whatever happens below, there is a next tick.
    timer_.expires_after(net::DeadlineWheel::kTick);
    timer_.async_wait([this](shared::ErrorCode error) {
        if (!error) tick();
    });
    wheel_.tick(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started_));
    for (const auto& cluster : context_.snapshot->clusters) cluster->tick();
    // Requests that began before a reload may still wait for places there.
    std::erase_if(replaced_, [](const auto& cluster) {
        const auto alive = cluster.lock();
        if (alive) alive->tick();
        return !alive;
    });
    poller_.end_turn();
    log_.flush();
    if (++ticks_ % 5 == 0) {
        context_.renew_date();
        context_.trim();
    }
    if (context_.draining) finish_if_empty();
}

void Worker::adopt(std::shared_ptr<const http::Snapshot> snapshot) {
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
    context_.snapshot = new http::WorkerSnapshot(std::move(snapshot), std::move(local), stats_);
}

void Worker::use(std::shared_ptr<const http::Snapshot> snapshot) {
    asio::post(io_, [this, snapshot = std::move(snapshot)]() mutable { adopt(std::move(snapshot)); });
}

void Worker::drain() {
    asio::post(io_, [this] {
        context_.draining = true;
        for (auto& listener : listeners_) listener->stop();
        for (http::ClientSession* session = context_.sessions.first; session;) {
            http::ClientSession* next = session->next();
            session->close_if_idle();
            session = next;
        }
        poller_.end_turn();
        finish_if_empty();
    });
}

void Worker::kill_all() {
    for (http::ClientSession* session = context_.sessions.first; session;) {
        http::ClientSession* next = session->next();
        session->kill("shutdown");
        session = next;
    }
    poller_.end_turn();
}

void Worker::kill() {
    asio::post(io_, [this] {
        kill_all();
        finish_if_empty();
    });
}

void Worker::finish_if_empty() {
    if (context_.sessions.size != 0) return;
    log_.flush();
    poller_.stop();
    timer_.cancel();
    work_.reset();
    io_.stop();
}

}  // namespace gateway
