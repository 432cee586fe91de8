// The few socket calls that the benchmark's own programs share. Failures end the program: there is nobody to
// serve without a socket.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace bench {

[[noreturn]] inline void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

inline void no_delay(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// A non-blocking listener on a port that the system chooses; `port` says which.
inline int listen_on_loopback(std::uint16_t& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    auto address = loopback(0);
    auto* plain = std::bit_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(fd, plain, size) != 0) fail("bind");
    if (::listen(fd, 4096) != 0) fail("listen");
    if (::getsockname(fd, plain, &size) != 0) fail("getsockname");
    port = ntohs(address.sin_port);
    return fd;
}

// Watches `fd` edge-triggered for everything, so that it never has to be touched again.
inline void watch(int epoll, int fd, void* owner) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = owner;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

}  // namespace bench
