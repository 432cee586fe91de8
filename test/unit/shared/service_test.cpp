#include "shared/service/service.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <future>
#include <new>
#include <stdexcept>
#include <thread>

#include "test/support/http.hpp"
#include "test/unit/shared/child.hpp"

using namespace shared;
using namespace std::chrono_literals;
using boost::asio::awaitable;
using service::Prepared;
using service::Service;
using Clock = std::chrono::steady_clock;

namespace {

service::Timing quick() {
    service::Timing timing;
    timing.grace = 300ms;
    timing.retry = 1ms;
    timing.blocking_grace = 300ms;
    return timing;
}

awaitable<http::Response> answer(const Service& service) {
    auto body =
        std::string(service.prepared() ? "prepared" : "waiting") + (service.stopping() ? " stopping" : "");
    co_return http::json_response(200, "\"" + body + "\"");
}

// Serves GET /.
struct Served {
    explicit Served(service::Timing timing = quick()) : service(timing) {
        http::Router router;
        router.add("GET", "/", http::Access::open(), [this](http::Request&) { return answer(service); });
        router.add("GET", "/never", http::Access::open(), [this](http::Request&) { return never(); });
        http::ServerOptions options;
        options.service = "test";
        options.address = "127.0.0.1";
        service.serve(std::move(options), std::move(router),
                      [](std::string_view) -> Result<jwt::Claims> { return jwt::Claims{}; });
    }
    awaitable<http::Response> never() {
        boost::asio::steady_timer hour(service.context(), 1h);
        std::raise(SIGTERM);
        co_await hour.async_wait(boost::asio::use_awaitable);
        co_return http::no_content();
    }
    void stop_after(std::chrono::milliseconds time) {
        timer.emplace(service.context(), time);
        timer->async_wait([](boost::system::error_code) { std::raise(SIGTERM); });
    }
    Service service;
    std::optional<boost::asio::steady_timer> timer;
};

}  // namespace

TEST_CASE("a service prepares until that succeeds, and a signal ends it in order") {
    Served served;
    auto& service = served.service;
    std::vector<std::string> events;
    int tries = 0;
    service.prepare([&]() -> awaitable<Prepared> {
        CHECK_FALSE(service.prepared());
        if (++tries == 2) throw std::bad_alloc();  // as good as not yet
        co_return tries < 3 ? Prepared::not_yet : Prepared::yes;
    });
    bool told_to_end = false;
    const auto last = [&]() -> awaitable<void> {
        while (!told_to_end) {
            boost::asio::steady_timer timer(service.context(), 1ms);
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
        events.push_back("last task");
    };
    service.spawn_last("last", last());
    service.on_drain([&] { events.push_back("drain"); });
    service.on_drained([&] {
        events.push_back("drained");
        told_to_end = true;
    });
    served.stop_after(50ms);
    CHECK_FALSE(service.stopping());
    CHECK(service.run() == 0);
    CHECK(tries == 3);
    CHECK(service.prepared());
    CHECK(service.stopping());
    CHECK(events == std::vector<std::string>{"drain", "drained", "last task"});
}

TEST_CASE("a service that can never be prepared ends with 1, at once") {
    auto timing = quick();
    timing.drain_delay = 1h;
    Served served(timing);
    served.service.prepare([]() -> awaitable<Prepared> { co_return Prepared::never; });
    CHECK(served.service.run() == 1);
    CHECK_FALSE(served.service.prepared());
}

TEST_CASE("a preparation that throws is a failed task, not the end") {
    Served served;
    served.service.prepare([]() -> awaitable<Prepared> {
        throw std::runtime_error("x");
        co_return Prepared::yes;
    });
    served.stop_after(20ms);
    CHECK(served.service.run() == 0);
    CHECK_FALSE(served.service.prepared());
}

TEST_CASE("while it waits for balancers a service serves, says so, and ends each connection") {
    auto timing = quick();
    timing.drain_delay = 500ms;
    Served served(timing);
    served.stop_after(1ms);
    auto client = std::async(std::launch::async, [port = served.service.port()] {
        std::string reply;
        do {
            test::RawConnection connection(port);
            connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            reply = connection.read_until("prepared\"", 2s);  // "prepared stopping": until the server closes
        } while (reply.find("Connection: close") == std::string::npos);
        return reply;
    });
    const auto begun = Clock::now();
    CHECK(served.service.run() == 0);
    CHECK(Clock::now() - begun >= 500ms);
    const auto reply = client.get();
    CHECK(reply.ends_with("\"prepared stopping\""));
}

TEST_CASE("a repeated task outlives a round that throws, and its rest ends with the drain") {
    Served served;
    int rounds = 0;
    served.service.every("rounds", 1ms, [&]() -> awaitable<void> {
        if (++rounds == 2) throw std::runtime_error("x");
        co_return;
    });
    int slow_rounds = 0;
    served.service.every("slow rounds", 1h, [&]() -> awaitable<void> {
        ++slow_rounds;
        co_return;
    });
    bool rest_ended = false;
    const auto rest = [&]() -> awaitable<void> {
        auto pause = served.service.pause(1h);
        co_await std::move(pause);
        rest_ended = true;
        auto none = served.service.pause(1h);  // the drain has begun
        co_await std::move(none);
    };
    served.service.spawn_last("rest", rest());
    served.stop_after(50ms);
    CHECK(served.service.run() == 0);
    CHECK(rounds >= 3);
    CHECK(slow_rounds == 1);
    CHECK(rest_ended);
}

TEST_CASE("a task that throws is logged and harms nobody") {
    Served served;
    const auto fails = []() -> awaitable<void> {
        throw std::runtime_error("x");
        co_return;
    };
    served.service.spawn("fails", fails());
    served.service.spawn_last("fails, too", fails());
    served.stop_after(10ms);
    CHECK(served.service.run() == 0);
}

TEST_CASE("blocking work runs beside the service, one piece at a time") {
    Served served;
    const auto caller = std::this_thread::get_id();
    bool elsewhere = false;
    served.service.prepare([&]() -> awaitable<Prepared> {
        auto work = [caller] { return std::this_thread::get_id() != caller; };
        auto pending = served.service.blocking(std::move(work));
        auto outcome = co_await std::move(pending);
        elsewhere = outcome && *outcome;
        co_return Prepared::yes;
    });
    served.stop_after(50ms);
    CHECK(served.service.run() == 0);
    CHECK(elsewhere);
}

TEST_CASE("a second signal ends the process at once, with the signal's code") {
    const auto begun = Clock::now();
    const auto ended = test::in_child([] {
        auto timing = quick();
        timing.drain_delay = 1h;
        Served served(timing);
        served.stop_after(1ms);
        boost::asio::steady_timer second(served.service.context(), 20ms);
        second.async_wait([](boost::system::error_code) { std::raise(SIGINT); });
        return served.service.run();
    });
    CHECK(ended.code == 128 + SIGINT);
    CHECK(Clock::now() - begun < 10s);
}

TEST_CASE("a migration that goes on and a handler that hangs do not hold up the end") {
    const auto begun = Clock::now();
    const auto migrating = test::in_child([] {
        Served served;
        served.service.prepare([&]() -> awaitable<Prepared> {
            auto work = [] {
                std::this_thread::sleep_for(1h);
                return true;
            };
            auto pending = served.service.blocking(std::move(work));
            const auto outcome = co_await std::move(pending);
            co_return outcome ? Prepared::yes : Prepared::not_yet;
        });
        served.stop_after(20ms);
        return served.service.run() + 5;
    });
    CHECK(migrating.code == 0);  // not by returning
    const auto hanging = test::in_child([] {
        Served served;
        std::thread client([port = served.service.port()] {
            try {
                test::get(port, "/never");
            } catch (const std::exception&) {
            }
        });
        return served.service.run() + 5;
    });
    CHECK(hanging.code == 0);
    CHECK(Clock::now() - begun < 15s);
}
