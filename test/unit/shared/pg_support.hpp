// For the tests of shared/pg.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <string>
#include <utility>

namespace test::pg {

unsigned short server_port();
// The database of `uri` by way of another address.
std::string through(const std::string& uri, const std::string& host, unsigned short port);

// Runs one coroutine to its end on `io` and rethrows what it threw.
template <class F>
void run(boost::asio::io_context& io, F&& body) {
    std::exception_ptr failure;
    bool done = false;
    boost::asio::co_spawn(io, body(), [&](std::exception_ptr thrown) {
        failure = thrown;
        done = true;
    });
    while (!done && io.run_one() != 0) {
    }
    if (failure) std::rethrow_exception(failure);
    io.restart();
}

}  // namespace test::pg
