#include "shared/http/body_stream.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

namespace shared::http {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;
using asio::awaitable;
using Clock = Connection::Clock;

Response body_too_large() {
    return problem_response(413, "body_too_large", "Isi permintaan terlalu besar");
}

Response request_timeout() {
    return problem_response(408, "request_timeout", "Permintaan terlalu lama dikirim");
}

Response malformed_request() {
    return problem_response(400, "malformed_request", "Permintaan HTTP tidak sah");
}

std::optional<Response> body_fault(boost::system::error_code error, const Connection& connection) {
    if (error == bhttp::error::body_limit) return body_too_large();
    if (error == asio::error::operation_aborted && connection.expired) return request_timeout();
    if (error == bhttp::error::partial_message || error == bhttp::error::end_of_stream) return std::nullopt;
    if (error.category() == make_error_code(bhttp::error::bad_chunk).category()) return malformed_request();
    return std::nullopt;
}

awaitable<boost::system::error_code> send_continue(Connection& connection) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    boost::system::error_code error;
    co_await asio::async_write(connection.stream, asio::buffer(kContinue.data(), kContinue.size()),
                               asio::redirect_error(asio::use_awaitable, error));
    co_return error;
}

BodyStream::BodyStream(Connection& connection, Head&& head, std::uint64_t limit_bytes,
                       std::chrono::nanoseconds timeout, bool expects_continue)
    : connection_(connection),
      parser_(std::move(head)),
      time_left_(timeout),
      expects_continue_(expects_continue) {
    parser_.body_limit(limit_bytes);
}

awaitable<boost::system::error_code> BodyStream::read_some() {
    boost::system::error_code error;
    if (std::exchange(expects_continue_, false)) {
        error = co_await send_continue(connection_);
        if (error) co_return error;
    }
    auto& body = parser_.get().body();
    body.data = piece_.data();
    body.size = piece_.size();
    while (body.size == piece_.size() && !parser_.is_done()) {
        co_await bhttp::async_read_some(connection_.stream, connection_.buffer, parser_,
                                        asio::redirect_error(asio::use_awaitable, error));
        if (error == bhttp::error::need_buffer) error = {};  // the piece is full
        if (error) break;
    }
    co_return error;
}

awaitable<Refused<std::string_view>> BodyStream::read() {
    if (failed_) co_return malformed_request();
    if (parser_.is_done()) co_return std::string_view{};
    const auto begun = Clock::now();
    connection_.expires_after(time_left_);
    const auto error = co_await read_some();
    const std::size_t count = piece_.size() - parser_.get().body().size;
    time_left_ -= Clock::now() - begun;
    time_left_ += std::chrono::nanoseconds(std::chrono::seconds(1)) * static_cast<std::int64_t>(count) /
                  kBytesPerSecond;
    if (!error) co_return std::string_view(piece_.data(), count);
    failed_ = true;
    auto answer = body_fault(error, connection_);
    abandoned_ = !answer;
    if (!answer) co_return malformed_request();
    co_return std::move(*answer);
}

}  // namespace shared::http
