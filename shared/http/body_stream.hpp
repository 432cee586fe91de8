// The body of a request in pieces, as the handler asks for them (RouteRules: Body::streamed).
//
//   while (true) {
//       auto piece = co_await request.body_stream->read();
//       if (!piece) co_return piece.error();
//       if (piece->empty()) break;
//       …
//   }
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "shared/http/connection.hpp"
#include "shared/http/refused.hpp"

namespace shared::http {

class BodyStream {
  public:
    static constexpr std::size_t kPieceBytes = 16 * 1024;
    // A body may take `timeout` and this long more for what has come; only time spent in read() counts.
    static constexpr std::int64_t kBytesPerSecond = 4 * 1024;

    using Head = boost::beast::http::request_parser<boost::beast::http::empty_body>;

    // `head` has been read and its body is not longer than `limit_bytes`, as far as it says. Where the client
    // waits for 100 Continue it gets it at the first read.
    BodyStream(Connection& connection, Head&& head, std::uint64_t limit_bytes,
               std::chrono::nanoseconds timeout, bool expects_continue);

    // What has come, at most kPieceBytes, and nothing is read ahead of that; empty: the end. Valid until the
    // next call. Refused: 413 beyond the limit, 408 too slow, 400 broken, or a client that has gone. One
    // reader at a time.
    boost::asio::awaitable<Refused<std::string_view>> read();

    // All of it has been read.
    bool finished() const { return parser_.is_done(); }
    // The client has gone: there is nobody to answer.
    bool abandoned() const { return abandoned_; }

  private:
    boost::asio::awaitable<boost::system::error_code> read_some();

    Connection& connection_;
    boost::beast::http::request_parser<boost::beast::http::buffer_body> parser_;
    std::chrono::nanoseconds time_left_;
    bool expects_continue_;
    bool failed_ = false;
    bool abandoned_ = false;
    std::array<char, kPieceBytes> piece_;
};

// Sends 100 Continue.
boost::asio::awaitable<boost::system::error_code> send_continue(Connection& connection);

// What the failed reading of a body is answered with; nullopt: the client has gone.
std::optional<Response> body_fault(boost::system::error_code error, const Connection& connection);
Response body_too_large();
Response request_timeout();
Response malformed_request();

}  // namespace shared::http
