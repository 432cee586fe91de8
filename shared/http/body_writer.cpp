#include "shared/http/body_writer.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

namespace shared::http {

namespace asio = boost::asio;
using asio::awaitable;

awaitable<bool> BodyWriter::write(std::string_view piece) {
    if (failed_) co_return false;
    gathered_.append(piece);
    if (gathered_.size() < kPieceBytes) co_return true;
    co_return co_await flush(false);
}

awaitable<bool> BodyWriter::flush(bool last) {
    if (failed_) co_return false;
    std::array<char, 16> size;
    const auto end = std::to_chars(size.data(), size.data() + size.size(), gathered_.size(), 16).ptr;
    const std::string_view digits(size.data(), static_cast<std::size_t>(end - size.data()));
    std::string before = begun_ ? std::string() : std::move(head_);
    std::string_view after;
    if (chunked_ && !gathered_.empty()) {
        before.append(digits).append("\r\n");
        after = last ? "\r\n0\r\n\r\n" : "\r\n";
    } else if (chunked_ && last) {
        after = "0\r\n\r\n";
    }
    begun_ = true;
    connection_.streaming = true;
    connection_.expires_after(timeout_);
    const std::array<asio::const_buffer, 3> pieces{asio::buffer(before), asio::buffer(gathered_),
                                                   asio::buffer(after.data(), after.size())};
    boost::system::error_code error;
    co_await asio::async_write(connection_.stream, pieces, asio::redirect_error(asio::use_awaitable, error));
    gathered_.clear();
    failed_ = static_cast<bool>(error);
    co_return !failed_;
}

}  // namespace shared::http
