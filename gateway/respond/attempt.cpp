#include "gateway/respond/attempt.hpp"

#include <utility>

namespace gateway::respond {

Attempt::Attempt(upstream::CircuitBreaker::Permit permit, const upstream::WorkerCluster::Choice& choice)
    : pool_(*choice.pool), permit_(std::move(permit)), last_resort_(choice.last_resort) {
    head.clear();
    endpoint().in_flight.fetch_add(1, std::memory_order_relaxed);
    endpoint().requests.fetch_add(1, std::memory_order_relaxed);
}

Attempt::~Attempt() {
    endpoint().in_flight.fetch_sub(1, std::memory_order_relaxed);
    // Last: it may be what keeps the pool alive.
    if (connection_) pool_.drop(std::move(connection_));
}

bool Attempt::take_idle(upstream::ConnectionUser& user, bool check) {
    connection_ = pool_.take_idle(check);
    if (connection_) connection_->assign(&user);
    return connection_ != nullptr;
}

bool Attempt::connect(upstream::ConnectionUser& user, std::chrono::milliseconds timeout) {
    connection_ = std::make_unique<upstream::Connection>(pool_.shared_from_this());
    return connection_->connect(&user, timeout);
}

void Attempt::give_back_connection() {
    pool_.give_back(std::move(connection_));
}

void Attempt::answered(upstream::SteadyMs now) {
    if (!permit_) return;
    permit_.record(true, now);
    good_answer_ = true;
}

void Attempt::completed(upstream::SteadyMs now) {
    if (good_answer_) pool_.cluster().record_success(endpoint(), last_resort_, now);
}

void Attempt::failed(upstream::SteadyMs now) {
    if (permit_)
        permit_.record(false, now);
    else if (std::exchange(good_answer_, false))
        permit_.take_back(now);
    else
        return;
    pool_.cluster().record_failure(endpoint(), now);
}

}  // namespace gateway::respond
