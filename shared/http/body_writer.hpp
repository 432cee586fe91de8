// The body of an answer in pieces, as fast as the client takes them.
//
//   co_return streamed(200, "text/csv; charset=utf-8", [rows](BodyWriter& out) { return write_rows(rows,
//   out); });
//
//   awaitable<bool> write_rows(std::shared_ptr<Rows> rows, BodyWriter& out) {
//       while (auto row = …) {
//           const bool taken = co_await out.write(row->text());
//           if (!taken) co_return false;
//       }
//       co_return true;                       // false: it failed; the client sees that
//   }
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "shared/http/connection.hpp"

namespace shared::http {

class BodyWriter {
  public:
    // Less than this is gathered before it is sent.
    static constexpr std::size_t kPieceBytes = 16 * 1024;

    // `head` goes out before the first piece. Each piece has to leave within `timeout`.
    BodyWriter(Connection& connection, std::string head, bool chunked, std::chrono::nanoseconds timeout)
        : connection_(connection), head_(std::move(head)), chunked_(chunked), timeout_(timeout) {}

    // Returns when there is room for more: no more than kPieceBytes and one piece wait for the socket. False:
    // the client has gone or takes nothing; what makes the body should end. One writer at a time.
    boost::asio::awaitable<bool> write(std::string_view piece);

  private:
    friend class Exchange;

    boost::asio::awaitable<bool> flush(bool last);
    bool begun() const { return begun_; }
    bool failed() const { return failed_; }

    Connection& connection_;
    std::string head_;
    std::string gathered_;
    const bool chunked_;  // else until the connection ends
    const std::chrono::nanoseconds timeout_;
    bool begun_ = false;
    bool failed_ = false;
};

}  // namespace shared::http
