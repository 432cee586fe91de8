#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "gateway/net/poller.hpp"
#include "gateway/net/send_batch.hpp"

namespace gateway::net {

namespace {

// Keeps message borders, so that a read shows one send.
struct Pair {
    explicit Pair(int type = SOCK_SEQPACKET) {
        std::array<int, 2> fd{};
        REQUIRE(::socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fd.data()) == 0);
        near = Stream(fd[0]);
        far = fd[1];
    }
    ~Pair() { hang_up(); }
    void hang_up() {
        if (far >= 0) ::close(far);
        far = -1;
    }
    std::string next_message() {
        std::array<char, 64 * 1024> buffer;
        const ssize_t got = ::read(far, buffer.data(), buffer.size());
        return got < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(got));
    }
    Stream near;
    int far = -1;
};

class Owner : public PollHandler {
  public:
    void on_events(std::uint32_t) override {}
    void on_exception() noexcept override {}
    void on_batch_sent(const SendBatch::Outcome& outcome) override {
        told.push_back(outcome.status);
        rest.append(outcome.rest);
    }
    std::vector<IoStatus> told;
    std::string rest;
};

std::vector<IoStatus> send_all(SendBatch& batch) {
    std::vector<IoStatus> told;
    batch.flush_all([&](PollHandler& owner, const SendBatch::Outcome& outcome) {
        told.push_back(outcome.status);
        owner.on_batch_sent(outcome);
    });
    return told;
}

}  // namespace

TEST_CASE("what a stream is given in one turn leaves in one send") {
    SendBatch batch;
    Owner owner;
    Pair pair;
    REQUIRE(batch.add(pair.near, owner, "head", "", "|"));
    REQUIRE(batch.add(pair.near, owner, "body", "", ""));
    CHECK(pair.near.batched());
    CHECK(pair.next_message() == "nothing");
    CHECK(send_all(batch).empty());
    CHECK_FALSE(pair.near.batched());
    CHECK(pair.next_message() == "head|body");
    CHECK(pair.next_message() == "nothing");
}

TEST_CASE("streams in turn keep their own bytes and order") {
    SendBatch batch;
    Owner owner;
    Pair a;
    Pair b;
    REQUIRE(batch.add(a.near, owner, "a1", "", ""));
    REQUIRE(batch.add(b.near, owner, "b1", "", ""));
    // The bytes of `a` are not the last ones any more: it sends them before it sends more.
    CHECK_FALSE(batch.add(a.near, owner, "a2", "", ""));
    CHECK(batch.flush(a.near).status == IoStatus::ok);
    CHECK(a.next_message() == "a1");
    REQUIRE(batch.add(a.near, owner, "a2", "", ""));
    CHECK(send_all(batch).empty());
    CHECK(a.next_message() == "a2");
    CHECK(b.next_message() == "b1");
}

TEST_CASE("large sends are not taken") {
    SendBatch batch;
    Owner owner;
    Pair pair;
    const std::string large(SendBatch::kMostBytes + 1, 'x');
    CHECK_FALSE(batch.add(pair.near, owner, large, "", ""));
    CHECK_FALSE(pair.near.batched());
}

TEST_CASE("the owner is told what did not fit and who is gone") {
    SendBatch batch;
    Owner owner;
    Pair full(SOCK_STREAM);
    const std::string lots(10'000'000, 'x');
    REQUIRE(full.near.write(lots).status == IoStatus::drained);
    REQUIRE(batch.add(full.near, owner, "kept", "", ""));
    Owner lonely;
    Pair gone;
    gone.hang_up();
    REQUIRE(batch.add(gone.near, lonely, "lost", "", ""));
    CHECK(send_all(batch) == std::vector{IoStatus::drained, IoStatus::failed});
    CHECK(owner.rest == "kept");
    CHECK(lonely.told == std::vector{IoStatus::failed});
}

TEST_CASE("what an owner adds when it is told goes out in the same turn") {
    SendBatch batch;
    Pair gone;
    gone.hang_up();
    Pair other;
    Owner owner;
    REQUIRE(batch.add(gone.near, owner, "lost", "", ""));
    batch.flush_all([&](PollHandler&, const SendBatch::Outcome&) {
        CHECK(batch.add(other.near, owner, "instead", "", ""));
    });
    CHECK(other.next_message() == "instead");
    CHECK(batch.empty());
}

TEST_CASE("a full batch says so and refuses nothing before") {
    SendBatch batch;
    Owner owner;
    std::vector<std::unique_ptr<Pair>> pairs;
    const std::string bytes(SendBatch::kMostBytes, 'x');
    while (!batch.full()) {
        pairs.push_back(std::make_unique<Pair>());
        REQUIRE(batch.add(pairs.back()->near, owner, bytes, "", ""));
    }
    CHECK(send_all(batch).empty());
    for (auto& pair : pairs) CHECK(pair->next_message() == bytes);
}

TEST_CASE("what waits when there is no other turn is sent by end_turn()") {
    Poller poller;
    Owner owner;
    Pair pair;
    REQUIRE(poller.batch().add(pair.near, owner, "tick", "", ""));
    poller.end_turn();
    CHECK(pair.next_message() == "tick");
}

}  // namespace gateway::net
