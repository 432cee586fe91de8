#include "shared/http/client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "shared/base/text.hpp"

namespace shared::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using tcp = asio::ip::tcp;

Result<Url> parse_url(std::string_view text) {
    const ErrorCode bad = make_error_code(boost::system::errc::invalid_argument);
    Url url;
    if (text.starts_with("http://")) {
        text.remove_prefix(7);
    } else if (text.starts_with("https://")) {
        url.tls = true;
        text.remove_prefix(8);
    } else {
        return bad;
    }
    const auto authority = text.substr(0, text.find_first_of("/?"));
    url.target = text.substr(authority.size());
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    std::string_view port;
    if (authority.starts_with('[')) {
        const auto close = authority.find(']');
        if (close == std::string_view::npos) return bad;
        url.host = authority.substr(1, close - 1);
        port = authority.substr(close + 1);
    } else {
        const auto colon = authority.find(':');
        url.host = authority.substr(0, colon);
        if (colon != std::string_view::npos) port = authority.substr(colon);
    }
    if (!port.empty()) {
        port.remove_prefix(1);
        if (parse_number<std::uint16_t>(port).value_or(0) == 0) return bad;
    }
    url.port = port.empty() ? (url.tls ? "443" : "80") : std::string(port);
    if (url.host.empty() || url.host.find_first_of("@ \t\r\n") != std::string::npos) return bad;
    for (const char c : url.target)
        if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F) return bad;
    return url;
}

namespace {

bhttp::request<bhttp::string_body> make_message(const ClientRequest& request) {
    const auto& url = request.url;
    bhttp::request<bhttp::string_body> message;
    message.version(11);
    message.method_string(request.method);
    message.target(url.target);
    const bool default_port = url.port == (url.tls ? "443" : "80");
    const auto host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
    message.set(bhttp::field::host, default_port ? host : host + ":" + url.port);
    message.set(bhttp::field::user_agent, "kampus-gateway");
    message.set(bhttp::field::accept, "application/json");
    for (const auto& [name, value] : request.headers) message.set(name, value);
    message.keep_alive(false);
    message.body() = request.body;
    message.prepare_payload();
    return message;
}

ClientResponse to_response(bhttp::response<bhttp::string_body>& message) {
    ClientResponse response;
    response.status = message.result_int();
    for (const auto& field : message) {
        response.headers.emplace_back(lower_case(std::string(field.name_string())),
                                      std::string(field.value()));
    }
    response.body = std::move(message.body());
    return response;
}

template <class Stream>
asio::awaitable<Result<ClientResponse>> exchange(Stream& stream, const ClientRequest& request) {
    boost::system::error_code error;
    auto message = make_message(request);
    co_await bhttp::async_write(stream, message, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    beast::flat_buffer buffer;
    buffer.reserve(8 * 1024);
    bhttp::response_parser<bhttp::string_body> parser;
    parser.body_limit(request.body_limit_bytes);
    if (request.method == "HEAD") parser.skip(true);
    co_await bhttp::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    co_return to_response(parser.get());
}

asio::awaitable<Result<ClientResponse>> exchange_tls(beast::tcp_stream stream, const ClientRequest& request) {
    boost::system::error_code error;
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.set_default_verify_paths(error);
    if (error) co_return error;
    beast::ssl_stream<beast::tcp_stream> tls(std::move(stream), context);
    tls.set_verify_mode(asio::ssl::verify_peer);
    tls.set_verify_callback(asio::ssl::host_name_verification(request.url.host), error);
    if (error) co_return error;
    // SSL_set_tlsext_host_name is a macro with a C cast; this is what it expands to.
    auto host = request.url.host;
    if (SSL_ctrl(tls.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) !=
        1)
        co_return make_error_code(boost::system::errc::invalid_argument);
    co_await tls.async_handshake(asio::ssl::stream_base::client,
                                 asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    auto pending = exchange(tls, request);
    co_return co_await std::move(pending);
}

}  // namespace

asio::awaitable<Result<ClientResponse>> fetch(ClientRequest request, std::chrono::milliseconds timeout) {
    const auto executor = co_await asio::this_coro::executor;
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    boost::system::error_code error;

    tcp::resolver resolver(executor);
    asio::steady_timer resolve_timer(executor, deadline);
    resolve_timer.async_wait([&resolver](boost::system::error_code ec) {
        if (!ec) resolver.cancel();
    });
    const auto endpoints = co_await resolver.async_resolve(request.url.host, request.url.port,
                                                           asio::redirect_error(asio::use_awaitable, error));
    // 0: the timer has fired, so its handler has run or runs next with a dead resolver's address; leave no
    // such gap.
    if (resolve_timer.cancel() == 0) {
        co_await asio::post(executor, asio::use_awaitable);
        co_return make_error_code(asio::error::timed_out);
    }
    if (error) co_return error;

    beast::tcp_stream stream(executor);
    stream.expires_at(deadline);
    co_await stream.async_connect(endpoints, asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
        Result<ClientResponse> response = make_error_code(asio::error::timed_out);
        if (request.url.tls) {
            auto pending = exchange_tls(std::move(stream), request);
            response = co_await std::move(pending);
        } else {
            auto pending = exchange(stream, request);
            response = co_await std::move(pending);
        }
        if (response) co_return std::move(response);
        error = response.error();
    }
    if (error == beast::error::timeout) error = asio::error::timed_out;
    co_return error;
}

}  // namespace shared::http
