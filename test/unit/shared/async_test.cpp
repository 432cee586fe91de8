#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "shared/async/bounded_pool.hpp"

using namespace shared;
namespace asio = boost::asio;

namespace {

asio::awaitable<Result<std::string>> run_named(async::BoundedPool& pool, std::shared_future<void> gate) {
    auto work = [gate] {
        gate.wait();
        return std::string("done");
    };
    auto pending = pool.run(std::move(work));
    co_return co_await std::move(pending);
}

}  // namespace

TEST_CASE("the pool runs what fits and refuses what does not, and recovers") {
    asio::io_context io;
    async::BoundedPool pool(1, 1);
    std::promise<void> gate;
    const auto opened = gate.get_future().share();
    int done = 0;
    int refused = 0;
    for (int i = 0; i < 3; ++i) {
        auto call = run_named(pool, opened);
        asio::co_spawn(io, std::move(call), [&](std::exception_ptr, Result<std::string> result) {
            if (result)
                ++done;
            else if (result.error() == async::Errc::queue_full)
                ++refused;
        });
    }
    // All three have started once the refusal came back: only then does the gate open.
    while (refused == 0) io.run_one();
    gate.set_value();
    io.run();
    CHECK(done == 2);
    CHECK(refused == 1);
    CHECK(pool.in_use() == 0);
}

TEST_CASE("an exception of the work reaches the caller") {
    asio::io_context io;
    async::BoundedPool pool(1, 1);
    std::exception_ptr seen;
    auto work = []() -> int { throw std::runtime_error("broken"); };
    auto call = pool.run(std::move(work));
    asio::co_spawn(io, std::move(call), [&](std::exception_ptr e, Result<int>) { seen = e; });
    io.run();
    REQUIRE(seen);
    CHECK_THROWS_WITH(std::rethrow_exception(seen), "broken");
}
