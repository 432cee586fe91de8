// What a cluster makes of its endpoints' outcomes, and which one a worker then asks.
#include <catch2/catch.hpp>
#include <set>

#include "gateway/upstream/pool.hpp"

namespace gateway::upstream {

using std::chrono::milliseconds;

namespace {

config::Cluster cluster_of(const std::vector<std::uint32_t>& weights) {
    config::Cluster cluster;
    cluster.name = "c";
    cluster.outlier.consecutive_failures = 1;
    cluster.outlier.base_ejection = milliseconds(60'000);
    cluster.outlier.panic_percent = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        config::Endpoint endpoint;
        endpoint.host = "10.0.0." + std::to_string(i + 1);
        endpoint.port = 80;
        endpoint.weight = weights[i];
        cluster.endpoints.push_back(endpoint);
    }
    return cluster;
}

struct Worker {
    explicit Worker(config::Cluster settings)
        : cluster(std::make_shared<Cluster>(std::move(settings))), worker(poller, wheel, cluster, 1) {}

    Endpoint& endpoint(std::size_t i) { return *(*cluster->endpoints())[i]; }
    SteadyMs now() const { return poller.now_ms(); }
    void eject(std::size_t i) {
        cluster->record_failure(endpoint(i), now());
        REQUIRE(endpoint(i).ejected(now()));
    }
    void take_down(std::size_t i) {
        for (std::uint32_t n = 0; n < cluster->settings().health.fall; ++n)
            endpoint(i).record_check(false, cluster->settings().health, now());
        cluster->touch();
    }
    // The pool of an endpoint: as long as nothing else takes part, it is the one that is picked.
    EndpointPool* pool(std::size_t i) {
        for (std::uint64_t key = 0; key < 1000; ++key)
            if (const auto choice = worker.pick(key, nullptr);
                choice.pool && &choice.pool->endpoint() == &endpoint(i))
                return choice.pool;
        return nullptr;
    }
    // All that are chosen when `avoid` has just failed: "last" digit of the address, "!" for a last resort.
    std::set<std::string> chosen(EndpointPool* avoid) {
        std::set<std::string> all;
        for (std::uint64_t key = 0; key < 100; ++key) {
            const auto choice = worker.pick(key, avoid);
            all.insert((choice.pool ? choice.pool->endpoint().host().substr(7) : "none") +
                       (choice.last_resort ? "!" : ""));
        }
        return all;
    }

    net::Poller poller;
    net::DeadlineWheel wheel;
    std::shared_ptr<Cluster> cluster;
    WorkerCluster worker;
};

using Set = std::set<std::string>;

}  // namespace

TEST_CASE("no more endpoints are ejected than the configured share") {
    struct Case {
        std::size_t endpoints;
        std::uint32_t percent;
        std::size_t ejected;
    };
    for (const Case& c :
         {Case{4, 50, 2}, Case{2, 50, 1}, Case{3, 50, 1}, Case{3, 67, 2}, Case{3, 66, 1}, Case{1, 50, 0},
          Case{1, 100, 1}, Case{4, 0, 0}, Case{4, 100, 4}, Case{4, 24, 0}, Case{4, 25, 1}}) {
        INFO(c.endpoints << " at " << c.percent);
        config::Cluster settings = cluster_of(std::vector<std::uint32_t>(c.endpoints, 1));
        settings.outlier.max_ejected_percent = c.percent;
        Cluster cluster(settings);
        const auto list = cluster.endpoints();
        std::uint64_t version = cluster.version();
        std::size_t ejected = 0;
        for (const auto& endpoint : *list) {
            cluster.record_failure(*endpoint, 1000);
            ejected += endpoint->ejected(1000) ? 1 : 0;
            // Workers hear of an ejection, and of nothing else.
            CHECK((cluster.version() != version) == endpoint->ejected(1000));
            version = cluster.version();
        }
        CHECK(ejected == c.ejected);
    }
}

TEST_CASE("an ejection that has ended makes room for another") {
    config::Cluster settings = cluster_of({1, 1});
    settings.outlier.max_ejected_percent = 50;
    Cluster cluster(settings);
    const auto list = cluster.endpoints();
    cluster.record_failure(*(*list)[0], 1000);
    cluster.record_failure(*(*list)[1], 60'999);
    CHECK_FALSE((*list)[1]->ejected(60'999));
    cluster.record_failure(*(*list)[1], 61'000);
    CHECK((*list)[1]->ejected(61'000));
}

TEST_CASE("only a success as last resort ends an ejection at once") {
    Cluster cluster(cluster_of({1, 1}));
    Endpoint& endpoint = *(*cluster.endpoints())[0];
    cluster.record_failure(endpoint, 1000);
    std::uint64_t version = cluster.version();
    cluster.record_success(endpoint, false, 2000);  // asked before it was ejected
    CHECK(endpoint.ejected(2000));
    CHECK(cluster.version() == version);
    cluster.record_success(endpoint, true, 2000);
    CHECK_FALSE(endpoint.ejected(2000));
    CHECK(cluster.version() != version);
    version = cluster.version();
    cluster.record_success(endpoint, true, 2000);  // no news
    CHECK(cluster.version() == version);
}

TEST_CASE("a cluster is ready when some endpoint is known to work") {
    using Healths = std::vector<Health>;
    struct Case {
        Healths healths;
        bool checked;
        bool ready;
    };
    for (const Case& c :
         {Case{{}, true, false}, Case{{Health::unknown}, true, false}, Case{{Health::unknown}, false, true},
          Case{{Health::up}, true, true}, Case{{Health::down}, false, false},
          Case{{Health::down, Health::up}, true, true}, Case{{Health::down, Health::unknown}, true, false}}) {
        config::Cluster settings = cluster_of({});
        settings.health.enabled = c.checked;
        settings.outlier.max_ejected_percent = 100;
        Cluster cluster(settings);
        auto list = std::make_shared<EndpointList>();
        for (std::size_t i = 0; i < c.healths.size(); ++i)
            list->push_back(std::make_shared<Endpoint>(
                "h", 80, 1, *SocketAddress::from_literal("10.0.0.1", 80), c.healths[i]));
        cluster.publish(list);
        CHECK(cluster.ready(1000) == c.ready);
        for (const auto& endpoint : *list) cluster.record_failure(*endpoint, 1000);
        CHECK_FALSE(cluster.ready(1000));  // all are ejected
        CHECK(cluster.ready(61'000) == c.ready);
    }
}

TEST_CASE(
    "a last resort is another endpoint, one that is up before one that is down, and never one of weight 0") {
    Worker w(cluster_of({1, 1, 1, 0}));
    EndpointPool* first = w.pool(0);
    REQUIRE(first);
    w.take_down(2);
    CHECK(w.worker.has_choice());
    CHECK(w.chosen(first) == Set{"2"});
    w.eject(1);
    CHECK(w.chosen(nullptr) == Set{"1"});
    CHECK_FALSE(w.worker.has_choice());
    CHECK(w.chosen(first) == Set{"2!"});
    w.take_down(1);
    CHECK(w.chosen(first) == Set{"2!", "3!"});
    w.take_down(0);
    CHECK(w.chosen(first) == Set{"2!", "3!"});
    CHECK(w.chosen(nullptr) == Set{"none"});
}

TEST_CASE("where there is no other endpoint the one that failed is asked again") {
    Worker w(cluster_of({1, 0}));
    EndpointPool* first = w.pool(0);
    REQUIRE(first);
    CHECK(w.chosen(first) == Set{"1"});
    w.take_down(0);
    CHECK(w.chosen(first) == Set{"none"});
}

TEST_CASE(
    "who waits for a connection is asked in order, and who went or finds none keeps the others' places") {
    for (const auto kind : {config::Balancer::least_requests, config::Balancer::hash}) {
        auto settings = cluster_of({1});
        settings.balancer = kind;
        settings.in_flight.max = 10;
        settings.in_flight.queue = 3;
        Worker w(settings);
        std::string called;
        std::string takes;
        struct Request final : ConnectionWaiter {
            Request(std::string& called_, std::string& takes_, char name_)
                : called(called_), takes(takes_), name(name_) {}
            bool on_connection_free() override {
                called += name;
                return takes.find(name) != std::string::npos;
            }
            std::string& called;
            std::string& takes;
            char name;
        };
        Request a(called, takes, 'a');
        Request b(called, takes, 'b');
        Request c(called, takes, 'c');
        Request d(called, takes, 'd');
        CHECK_FALSE(w.worker.must_wait(a));
        for (Request* request : {&a, &b, &c}) CHECK(w.worker.wait(*request));
        CHECK(w.worker.wait(a));  // once is enough
        CHECK_FALSE(w.worker.wait(d));
        CHECK(w.worker.must_wait(d));
        CHECK_FALSE(w.worker.must_wait(a));
        const auto room = [&] {
            called.clear();
            w.worker.on_room();
            CHECK(called.empty());  // in nobody's event
            w.poller.turn(milliseconds(0));
            return called;
        };
        const bool hash = kind == config::Balancer::hash;
        // With a key the connection may be of use to somebody behind.
        CHECK(room() == (hash ? "abc" : "a"));
        takes = "a";
        CHECK(room() == (hash ? "abc" : "ab"));
        w.worker.stop_waiting(b);
        CHECK(room() == "c");
        takes = "c";
        CHECK(room() == "c");
        CHECK(room().empty());
    }
}

}  // namespace gateway::upstream
