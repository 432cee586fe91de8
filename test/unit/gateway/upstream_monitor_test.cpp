#include "gateway/upstream/cluster_monitor.hpp"
#include "gateway/upstream/pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <set>

namespace gateway::upstream {

using std::chrono::milliseconds;

namespace {

// Names and what they stand for right now; a name that is not there fails.
struct Names {
    std::map<std::string, std::vector<std::string>> addresses;
    int asked = 0;

    LookUp look_up() {
        return
            [this](std::string host,
                   std::uint16_t port) -> boost::asio::awaitable<shared::Result<std::vector<SocketAddress>>> {
                ++asked;
                const auto found = addresses.find(host);
                if (found == addresses.end()) co_return make_error_code(boost::asio::error::host_not_found);
                std::vector<SocketAddress> all;
                for (const std::string& text : found->second)
                    all.push_back(*SocketAddress::from_literal(text, port));
                co_return all;
            };
    }
};

config::Cluster cluster_of(std::vector<std::string> hosts) {
    config::Cluster cluster;
    cluster.name = "c";
    cluster.health.enabled = false;
    cluster.dns_interval = milliseconds(60'000);
    for (std::string& host : hosts) {
        config::Endpoint endpoint;
        endpoint.host = std::move(host);
        endpoint.port = 80;
        cluster.endpoints.push_back(endpoint);
    }
    return cluster;
}

std::string addresses_of(const Cluster& cluster) {
    std::string all;
    for (const auto& endpoint : *cluster.endpoints()) all += endpoint->address_text() + " ";
    return all;
}

void resolve(boost::asio::io_context& io, ClusterMonitor& monitor) {
    boost::asio::co_spawn(io, monitor.resolve(), boost::asio::detached);
    io.restart();
    io.run();
}

}  // namespace

TEST_CASE("addresses are there at once, names after the first look-up") {
    boost::asio::io_context io;
    Names names;
    names.addresses["svc"] = {"10.0.0.1", "10.0.0.2"};
    auto cluster = std::make_shared<Cluster>(cluster_of({"192.0.2.9", "svc"}));
    CHECK(addresses_of(*cluster) == "192.0.2.9:80 ");
    auto monitor = std::make_shared<ClusterMonitor>(io, cluster, names.look_up());
    resolve(io, *monitor);
    CHECK(addresses_of(*cluster) == "192.0.2.9:80 10.0.0.1:80 10.0.0.2:80 ");
}

TEST_CASE("an address that stays keeps its endpoint with all that is known of it") {
    boost::asio::io_context io;
    Names names;
    names.addresses["svc"] = {"10.0.0.1", "10.0.0.2"};
    auto cluster = std::make_shared<Cluster>(cluster_of({"svc"}));
    auto monitor = std::make_shared<ClusterMonitor>(io, cluster, names.look_up());
    resolve(io, *monitor);
    const auto before = (*cluster->endpoints())[1];
    const std::uint64_t version = cluster->version();
    names.addresses["svc"] = {"10.0.0.2", "10.0.0.1"};
    resolve(io, *monitor);
    CHECK(cluster->version() == version);  // another order is no news
    names.addresses["svc"] = {"10.0.0.2", "10.0.0.3"};
    resolve(io, *monitor);
    CHECK(cluster->version() > version);
    CHECK(addresses_of(*cluster) == "10.0.0.2:80 10.0.0.3:80 ");
    CHECK((*cluster->endpoints())[0] == before);
}

TEST_CASE("when the look-up fails the last addresses stay") {
    boost::asio::io_context io;
    Names names;
    names.addresses["svc"] = {"10.0.0.1"};
    auto cluster = std::make_shared<Cluster>(cluster_of({"svc"}));
    auto monitor = std::make_shared<ClusterMonitor>(io, cluster, names.look_up());
    resolve(io, *monitor);
    names.addresses.clear();
    resolve(io, *monitor);
    CHECK(addresses_of(*cluster) == "10.0.0.1:80 ");
}

TEST_CASE("a failed connect makes the name looked up again long before its interval is over") {
    boost::asio::io_context io;
    Names names;
    names.addresses["svc"] = {"10.0.0.1"};
    auto cluster = std::make_shared<Cluster>(cluster_of({"svc"}));
    auto monitor = std::make_shared<ClusterMonitor>(io, cluster, names.look_up());
    resolve(io, *monitor);
    const int before = names.asked;
    monitor->start();
    names.addresses["svc"] = {"10.0.0.7"};  // the container was made anew
    cluster->ask_resolve();
    io.restart();
    for (int i = 0; i < 100 && names.asked == before; ++i) io.run_for(milliseconds(50));
    CHECK(addresses_of(*cluster) == "10.0.0.7:80 ");
    monitor->stop();
    io.run_for(milliseconds(100));
}

TEST_CASE("a worker asks the new address as soon as it is known, and the old one no more") {
    boost::asio::io_context io;
    net::Poller poller;
    net::DeadlineWheel wheel;
    Names names;
    names.addresses["svc"] = {"127.0.0.2"};
    config::Cluster settings = cluster_of({"svc"});
    settings.dns_interval = milliseconds(100);
    auto cluster = std::make_shared<Cluster>(settings);
    WorkerCluster worker(poller, wheel, cluster, 1);
    auto monitor = std::make_shared<ClusterMonitor>(io, cluster, names.look_up());
    resolve(io, *monitor);
    const auto asked = [&] {
        const WorkerCluster::Choice choice = worker.pick(0, nullptr);
        return choice.pool ? choice.pool->endpoint().address_text() : std::string();
    };
    CHECK(asked() == "127.0.0.2:80");
    monitor->start();
    names.addresses["svc"] = {"127.0.0.3"};
    const auto begin = std::chrono::steady_clock::now();
    io.restart();
    while (asked() != "127.0.0.3:80" && std::chrono::steady_clock::now() - begin < milliseconds(5000))
        io.run_for(milliseconds(10));
    CHECK(asked() == "127.0.0.3:80");
    // Its own interval, not the half second in which failed connects are looked at.
    CHECK(std::chrono::steady_clock::now() - begin < milliseconds(450));
    monitor->stop();
    io.run_for(milliseconds(200));
}

TEST_CASE("when too few endpoints are usable all of them are tried") {
    boost::asio::io_context io;
    net::Poller poller;
    net::DeadlineWheel wheel;
    config::Cluster settings = cluster_of({"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"});
    settings.balancer = config::Balancer::round_robin;
    const auto used_with_down = [&](std::uint32_t panic_percent, std::size_t down) {
        settings.outlier.panic_percent = panic_percent;
        auto cluster = std::make_shared<Cluster>(settings);
        for (std::size_t i = 0; i < down; ++i) {
            (*cluster->endpoints())[i]->record_check(false, settings.health, 1000);
            cluster->touch();
        }
        WorkerCluster worker(poller, wheel, cluster, 1);
        std::set<std::string> used;
        for (int i = 0; i < 40; ++i)
            if (const auto choice = worker.pick(0, nullptr); choice.pool)
                used.insert(choice.pool->endpoint().address_text());
        return used.size();
    };
    CHECK(used_with_down(50, 0) == 4);
    CHECK(used_with_down(50, 1) == 3);
    CHECK(used_with_down(50, 2) == 2);  // half of them: not fewer than the threshold
    CHECK(used_with_down(50, 3) == 4);  // panic
    CHECK(used_with_down(50, 4) == 4);
    CHECK(used_with_down(0, 3) == 1);
    CHECK(used_with_down(0, 4) == 0);
}

}  // namespace gateway::upstream
