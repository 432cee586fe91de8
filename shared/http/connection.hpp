// One open connection of a Server; internal to shared/http.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>

namespace shared::http {

// The deadline moves with each phase; one ticker looks at all of them (no timer is armed per read or write).
// A passed deadline cancels what the socket waits for, again at each tick, and leaves the socket open for a
// last answer.
struct Connection {
    using Clock = std::chrono::steady_clock;

    explicit Connection(boost::asio::ip::tcp::socket accepted) : stream(std::move(accepted)) {}
    void expires_after(Clock::duration time) {
        deadline = Clock::now() + time;
        expired = false;
    }
    void never_expires() { deadline = Clock::time_point::max(); }
    // The client sees a reset, never a clean end.
    void reset() {
        boost::system::error_code ignored;
        stream.set_option(boost::asio::socket_base::linger(true, 0), ignored);
        stream.close(ignored);
    }

    boost::asio::ip::tcp::socket stream;
    boost::beast::flat_buffer buffer;  // what was read and not yet parsed
    Clock::time_point deadline = Clock::time_point::max();
    bool expired = false;
    bool busy = false;       // a request is being read or answered
    bool streaming = false;  // part of an answer is out: only its end or a reset may follow
    bool surplus = false;    // one too many: its first request is answered 503 and it ends
    bool unread = false;     // of the last request's body something may still come
};

}  // namespace shared::http
