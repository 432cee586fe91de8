#include "gateway/upstream/cluster_monitor.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstring>
#include <exception>
#include <string>

#include "gateway/upstream/health_check.hpp"
#include "shared/log/log.hpp"

namespace gateway::upstream {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// How soon somebody's failed connect leads to a look-up, and an endpoint that is not up is asked again.
constexpr std::chrono::milliseconds kSoon{500};
constexpr std::chrono::milliseconds kRecheck{1'000};

void log_failure(std::string_view event, const std::string& cluster, std::exception_ptr failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& e) {
        shared::log::error(event, {{"cluster", cluster}, {"error", e.what()}});
    }
}

std::shared_ptr<Endpoint> find_known(const EndpointList& known, const config::Endpoint& wanted,
                                     const SocketAddress& address) {
    for (const auto& endpoint : known)
        if (endpoint->host() == wanted.host && endpoint->weight() == wanted.weight &&
            endpoint->address() == address)
            return endpoint;
    return nullptr;
}

asio::awaitable<shared::Result<std::vector<SocketAddress>>> look_up(asio::io_context& io, std::string host,
                                                                    std::uint16_t port) {
    tcp::resolver resolver(io);
    boost::system::error_code error;
    const std::string service = std::to_string(port);
    auto looking = resolver.async_resolve(host, service, asio::redirect_error(asio::use_awaitable, error));
    const tcp::resolver::results_type results = co_await std::move(looking);
    if (error) co_return error;
    std::vector<SocketAddress> addresses;
    for (const auto& result : results) {
        SocketAddress address;
        address.length = static_cast<socklen_t>(result.endpoint().size());
        std::memcpy(&address.storage, result.endpoint().data(), result.endpoint().size());
        addresses.push_back(address);
    }
    const auto is_v4 = [](const SocketAddress& a) { return a.storage.ss_family == AF_INET; };
    if (std::any_of(addresses.begin(), addresses.end(), is_v4))
        std::erase_if(addresses, [&](const SocketAddress& a) { return !is_v4(a); });
    co_return addresses;
}

}  // namespace

LookUp system_resolver(asio::io_context& io) {
    return [&io](std::string host, std::uint16_t port) { return look_up(io, std::move(host), port); };
}

ClusterMonitor::ClusterMonitor(asio::io_context& io, std::shared_ptr<Cluster> cluster, LookUp look_up)
    : io_(io), cluster_(std::move(cluster)), look_up_(std::move(look_up)), timer_(io) {}

void ClusterMonitor::start() {
    auto self = shared_from_this();
    asio::co_spawn(io_, resolve_loop(), [self](std::exception_ptr failure) {
        log_failure("resolver_stopped", self->cluster_->name(), failure);
    });
    start_checks();
}

void ClusterMonitor::stop() {
    stopped_ = true;
    timer_.cancel();
}

asio::awaitable<void> ClusterMonitor::resolve() {
    const config::Cluster& settings = cluster_->settings();
    const auto known = cluster_->endpoints();
    auto list = std::make_shared<EndpointList>();
    for (const config::Endpoint& wanted : settings.endpoints) {
        std::vector<SocketAddress> addresses;
        if (const auto literal = SocketAddress::from_literal(wanted.host, wanted.port)) {
            addresses.push_back(*literal);
        } else {
            auto looking = look_up_(wanted.host, wanted.port);
            shared::Result<std::vector<SocketAddress>> found = co_await std::move(looking);
            if (!found) {
                shared::log::warn(
                    "resolve_failed",
                    {{"cluster", settings.name}, {"host", wanted.host}, {"error", found.error().message()}});
                // The last good answer is better than none.
                for (const auto& endpoint : *known)
                    if (endpoint->host() == wanted.host && endpoint->weight() == wanted.weight)
                        list->push_back(endpoint);
                continue;
            }
            addresses = std::move(*found);
        }
        for (const SocketAddress& address : addresses) {
            auto endpoint = find_known(*known, wanted, address);
            if (!endpoint)
                endpoint = std::make_shared<Endpoint>(wanted.host, wanted.port, wanted.weight, address,
                                                      Health::unknown);
            if (std::find(list->begin(), list->end(), endpoint) == list->end())
                list->push_back(std::move(endpoint));
        }
    }
    // Resolvers turn the order round; only another set of addresses is news.
    const bool same =
        list->size() == known->size() && std::all_of(list->begin(), list->end(), [&](const auto& e) {
            return std::find(known->begin(), known->end(), e) != known->end();
        });
    if (same) co_return;
    std::string text;
    for (const auto& endpoint : *list) text += (text.empty() ? "" : " ") + endpoint->address_text();
    shared::log::info("endpoints_changed", {{"cluster", settings.name}, {"addresses", text}});
    cluster_->publish(std::move(list));
}

asio::awaitable<void> ClusterMonitor::resolve_loop() {
    const auto self = shared_from_this();
    const config::Cluster& settings = cluster_->settings();
    const bool names = std::any_of(
        settings.endpoints.begin(), settings.endpoints.end(),
        [](const auto& endpoint) { return !SocketAddress::from_literal(endpoint.host, endpoint.port); });
    auto last = std::chrono::steady_clock::now();
    while (!stopped_ && names) {
        timer_.expires_after(std::min(kSoon, settings.dns_interval));
        boost::system::error_code ignored;
        auto waiting = timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        co_await std::move(waiting);
        if (stopped_) co_return;
        const bool wanted = cluster_->take_resolve_wanted();
        if (!wanted && std::chrono::steady_clock::now() - last < settings.dns_interval) continue;
        co_await resolve();
        last = std::chrono::steady_clock::now();
        start_checks();
    }
}

void ClusterMonitor::start_checks() {
    if (!cluster_->settings().health.enabled || stopped_) return;
    std::erase_if(checked_, [](const auto& endpoint) { return endpoint.expired(); });
    for (const auto& endpoint : *cluster_->endpoints()) {
        const bool running = std::any_of(checked_.begin(), checked_.end(),
                                         [&](const auto& known) { return known.lock() == endpoint; });
        if (running) continue;
        checked_.push_back(endpoint);
        auto self = shared_from_this();
        asio::co_spawn(io_, check_loop(endpoint), [self](std::exception_ptr failure) {
            log_failure("health_check_stopped", self->cluster_->name(), failure);
        });
    }
}

bool ClusterMonitor::still_member(const Endpoint* endpoint) const {
    const auto list = cluster_->endpoints();
    return std::any_of(list->begin(), list->end(),
                       [&](const auto& member) { return member.get() == endpoint; });
}

asio::awaitable<void> ClusterMonitor::check_loop(std::shared_ptr<Endpoint> endpoint) {
    const auto self = shared_from_this();
    const config::HealthCheck& rules = cluster_->settings().health;
    asio::steady_timer timer(io_);
    while (!stopped_ && still_member(endpoint.get())) {
        auto checking = check_health(cluster_, endpoint);
        const bool good = co_await std::move(checking);
        if (stopped_) co_return;
        if (endpoint->record_check(good, rules, steady_ms())) {
            const bool up = endpoint->health() == Health::up;
            shared::log::write(up ? shared::log::Level::info : shared::log::Level::warn,
                               up ? "endpoint_up" : "endpoint_down",
                               {{"cluster", cluster_->name()},
                                {"endpoint", endpoint->authority()},
                                {"address", endpoint->address_text()}});
            cluster_->touch();
        }
        // Somebody waits for an endpoint that is not up.
        timer.expires_after(endpoint->health() == Health::up ? rules.interval
                                                             : std::min(rules.interval, kRecheck));
        boost::system::error_code ignored;
        auto waiting = timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        co_await std::move(waiting);
    }
    std::erase_if(checked_, [&](const auto& known) { return known.lock() == endpoint; });
}

}  // namespace gateway::upstream
