// Places and queue of an in-flight limit: bounded, in order, and fair between clients.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/upstream/in_flight.hpp"

namespace gateway::upstream {

using std::chrono::milliseconds;

namespace {

config::InFlight rules_of(std::uint32_t max, std::uint32_t queue, std::uint32_t per_client = 0) {
    config::InFlight rules;
    rules.max = max;
    rules.queue = queue;
    rules.max_per_client = per_client;
    return rules;
}

// Who waits, and what it hears: "a" for the place of a's turn, "-" behind it where it is crowded out.
struct Line {
    explicit Line(InFlightLimit& places) : limit(places) {}

    struct One final : Waiter {
        One(Line& owner, char of) : line(owner), name(of) {}
        void on_place_free() override {
            line.heard += name;
            place = ticket.take();
        }
        void on_crowded_out() override { (line.heard += name) += '-'; }
        Line& line;
        const char name;
        InFlightLimit::Place place;
        InFlightLimit::Ticket ticket;
    };

    // A client, by its letter, asks for one more; false: it may not even wait.
    bool ask(char client) {
        auto one = std::make_unique<One>(*this, client);
        one->place = limit.try_acquire(static_cast<std::uint64_t>(client));
        if (!one->place) one->ticket = limit.wait(static_cast<std::uint64_t>(client), *one, poller);
        const bool in = one->place || one->ticket;
        if (in) all.push_back(std::move(one));
        return in;
    }
    void ask(const std::string& clients) {
        for (const char client : clients) CHECK(ask(client));
    }
    // The first place that `client` holds is given back; what the others hear of it.
    std::string end(char client) {
        heard.clear();
        for (auto& one : all) {
            if (one->name != client || !one->place) continue;
            one->place.reset();
            break;
        }
        poller.turn(milliseconds(0));
        return heard;
    }
    std::size_t holds(char client) const {
        std::size_t count = 0;
        for (const auto& one : all) count += one->name == client && one->place ? 1U : 0U;
        return count;
    }

    InFlightLimit& limit;
    net::Poller poller;
    std::string heard;
    std::vector<std::unique_ptr<One>> all;
};

}  // namespace

TEST_CASE("places and queue of an in-flight limit are bounded") {
    InFlightLimit limit(rules_of(2, 1));
    Line line(limit);
    line.ask("ab");
    CHECK(limit.active() == 2);
    CHECK(line.ask('c'));
    CHECK(limit.waiting() == 1);
    CHECK_FALSE(line.ask('d'));
    line.all.pop_back();
    CHECK(limit.waiting() == 0);
    InFlightLimit::Place moved = std::move(line.all[0]->place);
    CHECK_FALSE(line.all[0]->place);
    moved.reset();
    moved.reset();  // holds nothing any more
    CHECK(limit.active() == 1);
    InFlightLimit none{config::InFlight{}};
    for (std::uint64_t i = 0; i < 1000; ++i) CHECK(none.try_acquire(i));
    CHECK(none.active() == 0);
}

TEST_CASE("one client's requests get their places in order, several clients' in turn") {
    InFlightLimit limit(rules_of(1, 100));
    Line line(limit);
    line.ask("x");
    line.ask("aaaabbc");
    CHECK(limit.waiting() == 7);
    std::string order;
    char last = 'x';
    for (int i = 0; i < 7; ++i) {
        const std::string next = line.end(last);
        REQUIRE(next.size() == 1);
        order += last = next[0];
    }
    CHECK(order == "abcabaa");
    CHECK(limit.active() == 1);
    CHECK(limit.waiting() == 0);
}

TEST_CASE("nobody who comes later overtakes, and who is refused changes nothing") {
    InFlightLimit limit(rules_of(1, 2));
    Line line(limit);
    line.ask("xaa");
    for (int i = 0; i < 50; ++i) CHECK_FALSE(line.ask('a'));
    // Its place is the waiting one's from the moment on in which it is given back.
    line.all[0]->place.reset();
    CHECK_FALSE(limit.try_acquire('a'));
    CHECK_FALSE(limit.try_acquire('z'));
    line.poller.turn(milliseconds(0));
    CHECK(line.heard == "a");
    CHECK(line.all[1]->place);
    CHECK_FALSE(line.all[2]->place);
}

TEST_CASE("a full queue takes a client with little in it, and the one with most in it makes room") {
    InFlightLimit limit(rules_of(1, 4));
    Line line(limit);
    line.ask("xaaaa");
    CHECK_FALSE(line.ask('a'));
    CHECK(line.ask('b'));
    line.poller.turn(milliseconds(0));
    CHECK(line.heard == "a-");
    CHECK(limit.waiting() == 4);
    CHECK(line.ask('b'));
    CHECK_FALSE(line.ask('b'));  // two of four
    CHECK(limit.waiting() == 4);
    CHECK(line.end('x') == "a-a");
    CHECK(line.end('a') == "b");
}

TEST_CASE("one client has no more than its share, and what it waits for holds nobody up") {
    InFlightLimit limit(rules_of(10, 100, 3));
    Line line(limit);
    line.ask(std::string(50, 'a'));
    line.poller.turn(milliseconds(0));
    CHECK(line.holds('a') == 3);
    CHECK(limit.active() == 3);
    line.ask("bcbcb");
    line.poller.turn(milliseconds(0));
    CHECK(line.holds('b') == 3);
    CHECK(line.holds('c') == 2);
    CHECK(limit.waiting() == 47);
    CHECK(line.end('b').empty());
    CHECK(line.end('a') == "a");
    CHECK(line.holds('a') == 3);
    line.ask("dd");
    CHECK(line.holds('d') == 2);
    line.ask("e");
    CHECK(limit.active() == 10);
    line.ask("gh");
    // Full: a's next one waits behind those who have asked for less.
    CHECK(line.end('a') == "g");
    CHECK(line.end('e') == "h");
    CHECK(line.end('h') == "a");
}

TEST_CASE("who leaves takes its request with it: what it was granted goes on") {
    InFlightLimit limit(rules_of(1, 100, 1));
    Line line(limit);
    line.ask("xab");
    line.all[0]->place.reset();  // granted to a, which has not heard of it
    line.all[1].reset();
    line.all.erase(line.all.begin() + 1);
    line.poller.turn(milliseconds(0));
    CHECK(line.heard == "b");
    line.all.clear();
    CHECK(limit.active() == 0);
    CHECK(limit.waiting() == 0);
}

TEST_CASE("no place is lost or made between workers") {
    InFlightLimit limit(rules_of(3, 1000, 2));
    std::atomic<int> busy{0};
    std::atomic<bool> too_many{false};
    std::vector<std::thread> workers;
    for (int w = 0; w < 3; ++w) {
        workers.emplace_back([&, w] {
            // Each keeps eight requests of three clients going, a thousand times.
            struct Request final : Waiter {
                void on_place_free() override {
                    place = ticket.take();
                    started = true;
                }
                void on_crowded_out() override {}
                InFlightLimit::Place place;
                InFlightLimit::Ticket ticket;
                bool started = false;
            };
            net::Poller poller;
            std::vector<std::unique_ptr<Request>> requests;
            int begun = 0;
            int done = 0;
            while (done < 3000) {
                while (requests.size() < 8 && begun < 3000) {
                    const auto client = static_cast<std::uint64_t>((w + begun++) % 3);
                    auto request = std::make_unique<Request>();
                    request->place = limit.try_acquire(client);
                    if (!request->place) request->ticket = limit.wait(client, *request, poller);
                    request->started = static_cast<bool>(request->place);
                    requests.push_back(std::move(request));
                }
                poller.turn(milliseconds(1));
                for (auto& request : requests) {
                    if (!request->started) continue;
                    if (++busy > 3) too_many = true;
                    --busy;
                    request.reset();
                    ++done;
                }
                std::erase(requests, nullptr);
            }
        });
    }
    for (auto& worker : workers) worker.join();
    CHECK_FALSE(too_many);
    CHECK(limit.active() == 0);
    CHECK(limit.waiting() == 0);
}

}  // namespace gateway::upstream
