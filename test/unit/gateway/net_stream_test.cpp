#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "gateway/net/listener.hpp"
#include "gateway/net/stream.hpp"
#include "test/unit/gateway/socket_pair.hpp"

namespace gateway::net {

TEST_CASE("a short read says that the socket is drained, except after a hang-up") {
    test::SocketPair pair;
    Stream stream(pair.fd[0]);
    std::array<char, 64> buffer;
    CHECK(stream.read(buffer, false).status == IoStatus::drained);
    REQUIRE(::write(pair.fd[1], "hello", 5) == 5);
    const IoResult first = stream.read(buffer, false);
    CHECK(first.status == IoStatus::drained);
    CHECK(first.bytes == 5);
    REQUIRE(::write(pair.fd[1], "bye", 3) == 3);
    ::close(pair.fd[1]);
    // The FIN came with the data: there will be no other edge.
    const IoResult last = stream.read(buffer, true);
    CHECK(last.status == IoStatus::ok);
    CHECK(last.bytes == 3);
    CHECK(stream.read(buffer, true).status == IoStatus::closed);
}

TEST_CASE("pieces go out in order, and what does not fit is told") {
    test::SocketPair pair;
    Stream stream(pair.fd[0]);
    CHECK(stream.write("a", "", "bc").bytes == 3);
    std::array<char, 8> buffer;
    CHECK(::read(pair.fd[1], buffer.data(), buffer.size()) == 3);
    CHECK(std::string(buffer.data(), 3) == "abc");
    const std::string large(10'000'000, 'x');
    const IoResult partial = stream.write("head", large);
    CHECK(partial.status == IoStatus::drained);
    CHECK(partial.bytes > 4);
    CHECK(partial.bytes < large.size());
    ::close(pair.fd[1]);
    CHECK(stream.write("more").status == IoStatus::failed);
}

TEST_CASE("a port that is listened on cannot be shared by accident, its own sockets share it") {
    auto first = listen_on("127.0.0.1", 0, 16, 3);
    REQUIRE(first.has_value());
    CHECK(first->descriptors.size() == 3);
    CHECK(first->port != 0);
    CHECK(listen_on("127.0.0.1", first->port, 16, 1).has_error());
    for (int descriptor : first->descriptors) ::close(descriptor);
    auto again = listen_on("127.0.0.1", first->port, 16, 1);
    CHECK(again.has_value());
    if (again) ::close(again->descriptors[0]);
    CHECK(listen_on("not an address", 0, 16, 1).has_error());
}

}  // namespace gateway::net
