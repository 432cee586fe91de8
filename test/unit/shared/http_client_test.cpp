#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>

#include "shared/http/client.hpp"
#include "shared/http/server.hpp"

using namespace shared;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

Result<http::ClientResponse> run_fetch(asio::io_context& io, http::ClientRequest request,
                                       std::chrono::milliseconds timeout) {
    std::optional<Result<http::ClientResponse>> result;
    auto call = http::fetch(std::move(request), timeout);
    asio::co_spawn(io, std::move(call), [&](std::exception_ptr, Result<http::ClientResponse> r) {
        result = std::move(r);
        io.stop();
    });
    io.run();
    return std::move(*result);
}

}  // namespace

TEST_CASE("fetch returns status, lower-case headers and body") {
    asio::io_context io;
    metrics::Registry metrics;
    http::Router router;
    router.add("GET", "/x", http::Access::open(),
               [](http::Request& r) -> asio::awaitable<http::Response> {
                   co_return http::json_response(200, "{\"q\":\"" + std::string(*r.query_value("q")) + "\"}");
               },
               {.query = "q"});
    http::ServerOptions options;
    options.address = "127.0.0.1";
    http::Server server(
        io, options, std::move(router),
        [](auto) -> Result<jwt::Claims> { return make_error_code(jwt::Errc::expired); }, metrics);
    server.start();
    http::ClientRequest request(
        "GET", *http::parse_url("http://127.0.0.1:" + std::to_string(server.port()) + "/x?q=1"));
    const auto response = run_fetch(io, std::move(request), 2s);
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(response->body == "{\"q\":\"1\"}");
    bool has_id = false;
    for (const auto& [name, value] : response->headers) has_id = has_id || name == "x-request-id";
    CHECK(has_id);
}

TEST_CASE("fetch gives up at its deadline when the server says nothing") {
    asio::io_context io;
    asio::ip::tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
    const auto port = std::to_string(silent.local_endpoint().port());
    http::ClientRequest request("GET", *http::parse_url("http://127.0.0.1:" + port + "/"));
    const auto response = run_fetch(io, std::move(request), 100ms);
    REQUIRE(response.has_error());
    CHECK(response.error() == asio::error::timed_out);
}

TEST_CASE("fetch reports a refused connection") {
    asio::io_context io;
    std::uint16_t port = 0;
    {
        asio::ip::tcp::acceptor closed(io, {asio::ip::address_v4::loopback(), 0});
        port = closed.local_endpoint().port();
    }
    http::ClientRequest request("GET", *http::parse_url("http://127.0.0.1:" + std::to_string(port) + "/"));
    const auto response = run_fetch(io, std::move(request), 2s);
    REQUIRE(response.has_error());
    CHECK(response.error() == asio::error::connection_refused);
}
