// Two connected sockets for tests; whoever uses an end closes it.
#pragma once

#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>

namespace test {

struct SocketPair {
    SocketPair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd.data()) == 0); }
    std::array<int, 2> fd{};
};

}  // namespace test
