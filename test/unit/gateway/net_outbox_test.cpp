#include "gateway/net/outbox.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "gateway/net/poller.hpp"

namespace gateway::net {

namespace {

// A connection whose socket holds little, and its peer.
class Sender : public PollHandler {
  public:
    Sender() {
        std::array<int, 2> pair{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()) == 0);
        const int little = 4096;
        ::setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
        stream = Stream(pair[0]);
        peer = pair[1];
    }
    ~Sender() override { hang_up(); }
    void on_events(std::uint32_t) override {}
    void on_exception() noexcept override {}
    void on_batch_sent(const SendBatch::Outcome& outcome) override { last = outbox.take(outcome); }

    Outbox::Sent send(std::string_view first, std::string_view second = {}, std::string_view third = {}) {
        return outbox.send(batch, stream, *this, first, second, third);
    }
    void end_turn() {
        batch.flush_all(
            [](PollHandler& owner, const SendBatch::Outcome& outcome) { owner.on_batch_sent(outcome); });
    }
    std::string receive(std::size_t most) {
        std::string bytes(most, '\0');
        const ssize_t got = ::recv(peer, bytes.data(), bytes.size(), MSG_DONTWAIT);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }
    void hang_up() {
        if (peer >= 0) ::close(peer);
        peer = -1;
    }

    SendBatch batch;
    Stream stream;
    Outbox outbox;
    Outbox::Sent last = Outbox::Sent::all;
    int peer = -1;
};

}  // namespace

TEST_CASE("whatever is sent arrives in order, however little the socket takes") {
    std::mt19937 random(GENERATE(1U, 2U, 3U, 4U));
    const auto up_to = [&](std::size_t most) { return random() % (most + 1); };
    Sender sender;
    std::string sent;
    std::string received;
    unsigned char next = 0;
    const auto piece = [&](std::size_t size) {
        std::string bytes(size, '\0');
        for (char& byte : bytes) byte = static_cast<char>(next++ * 7);
        return bytes;
    };
    for (int step = 0; step < 4000; ++step) {
        switch (up_to(5)) {
            case 0:
            case 1: {
                // small ones go by the batch, those above 4 KiB do not
                const std::string a = piece(up_to(100));
                const std::string b = piece(up_to(3) == 0 ? up_to(20'000) : up_to(1000));
                const std::string c = piece(up_to(5));
                if (sender.outbox.size() < 200'000) {
                    const bool empty = sender.outbox.empty();
                    const auto outcome = sender.send(a, b, c);
                    REQUIRE(outcome != Outbox::Sent::failed);
                    if (!empty) REQUIRE(outcome == Outbox::Sent::kept);
                    sent += a + b + c;
                }
                break;
            }
            case 2:
                sender.end_turn();
                break;
            case 3:
                if (!sender.outbox.empty()) {
                    const std::size_t before = sender.outbox.size();
                    const auto outcome = sender.outbox.flush(sender.stream);
                    REQUIRE(outcome != Outbox::Sent::failed);
                    REQUIRE(sender.outbox.empty() == (outcome == Outbox::Sent::all));
                    REQUIRE(sender.outbox.size() <= before);
                }
                break;
            default:
                received += sender.receive(up_to(8000));
        }
        REQUIRE(sender.last != Outbox::Sent::failed);
    }
    sender.end_turn();
    for (int step = 0; step < 10'000 && received.size() < sent.size(); ++step) {
        received += sender.receive(8000);
        if (!sender.outbox.empty()) sender.outbox.flush(sender.stream);
    }
    REQUIRE(received.size() == sent.size());
    CHECK(received == sent);
    CHECK(sender.outbox.size() == 0);
}

TEST_CASE("a peer that is gone is told at once, or at the end of the turn") {
    Sender sender;
    const std::string large(10'000, 'x');
    SECTION("at once") {
        sender.hang_up();
        CHECK(sender.send(large) == Outbox::Sent::failed);
    }
    SECTION("what waited in the batch is met first") {
        CHECK(sender.send("small") == Outbox::Sent::all);
        sender.hang_up();
        CHECK(sender.send(large) == Outbox::Sent::failed);
        CHECK(sender.outbox.empty());
    }
    SECTION("at the end of the turn") {
        CHECK(sender.send("small") == Outbox::Sent::all);
        sender.hang_up();
        sender.end_turn();
        CHECK(sender.last == Outbox::Sent::failed);
    }
    SECTION("by flush()") {
        while (sender.send(large) != Outbox::Sent::kept) {
        }
        sender.hang_up();
        CHECK(sender.outbox.flush(sender.stream) == Outbox::Sent::failed);
        sender.outbox.clear();
        CHECK(sender.outbox.empty());
    }
}

}  // namespace gateway::net
