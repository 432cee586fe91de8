#include "gateway/auth/issuer_set.hpp"

#include "gateway/auth/issuer.hpp"

namespace gateway::auth {
namespace {

template <class Task>
void start_task(const std::shared_ptr<Owned<Task>>& owned, boost::asio::io_context& context) {
    if (owned && owned->owners.fetch_add(1) == 0) owned->task->start(context);
}

template <class Task>
void stop_task(const std::shared_ptr<Owned<Task>>& owned) {
    if (owned && owned->owners.fetch_sub(1) == 1) owned->task->stop();
}

double seconds(std::chrono::milliseconds time) {
    return std::chrono::duration<double>(time).count();
}

}  // namespace

IssuerSet::IssuerSet(std::vector<std::shared_ptr<Issuer>> issuers) : issuers_(std::move(issuers)) {}

IssuerSet::~IssuerSet() {
    stop();
}

std::shared_ptr<IssuerSet> IssuerSet::make(const std::vector<config::Issuer>& settings,
                                           const IssuerSet* previous) {
    static const std::vector<std::shared_ptr<Issuer>> none;
    std::vector<std::shared_ptr<Issuer>> issuers;
    issuers.reserve(settings.size());
    for (const auto& issuer : settings)
        issuers.push_back(std::make_shared<Issuer>(issuer, previous != nullptr ? previous->issuers_ : none));
    return std::shared_ptr<IssuerSet>(new IssuerSet(std::move(issuers)));
}

void IssuerSet::start(boost::asio::io_context& context) {
    if (started_.exchange(true)) return;
    for (const auto& issuer : issuers_) {
        start_task(issuer->jwks(), context);
        start_task(issuer->feed(), context);
    }
}

void IssuerSet::stop() {
    if (!started_.exchange(false)) return;
    for (const auto& issuer : issuers_) {
        stop_task(issuer->jwks());
        stop_task(issuer->feed());
    }
}

bool IssuerSet::settle(std::chrono::milliseconds time) {
    boost::asio::io_context context(1);
    start(context);
    const auto deadline = std::chrono::steady_clock::now() + time;
    while (!ready() && std::chrono::steady_clock::now() < deadline)
        context.run_one_for(std::chrono::milliseconds(20));
    const bool settled = ready();  // before stop(): what is known stays known
    stop();
    return settled;
}

bool IssuerSet::ready() const {
    for (const auto& issuer : issuers_)
        if (!issuer->keys().ready() || issuer->must_refuse_sessions()) return false;
    return true;
}

std::vector<IssuerSet::Status> IssuerSet::status() const {
    std::vector<Status> all;
    for (const auto& issuer : issuers_) {
        Status status;
        status.name = issuer->settings().name;
        status.keys = issuer->keys().key_count();
        if (const auto& jwks = issuer->jwks()) {
            status.keys_age_s = seconds(jwks->task->age());
            status.key_fetch_failures = jwks->task->failures();
        }
        if (const auto& feed = issuer->feed()) {
            status.has_feed = true;
            status.feed_stale = feed->task->stale();
            status.feed_age_s = seconds(feed->task->age());
            status.feed_failures = feed->task->failures();
            status.ended_sessions = feed->task->set()->size();
        }
        all.push_back(std::move(status));
    }
    return all;
}

}  // namespace gateway::auth
