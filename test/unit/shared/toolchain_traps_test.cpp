// The safe forms of docs/common-errors.md, each shown to work on this compiler and these libraries. The
// unsafe forms are kept out by test/lint; some of them cannot even be compiled into a test without crashing
// it.
#include <rapidjson/document.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>

#include "shared/base/result.hpp"
#include "shared/json/json.hpp"

namespace asio = boost::asio;

namespace {

struct Options {
    explicit Options(std::shared_ptr<int> value_) : value(std::move(value_)) {}
    std::shared_ptr<int> value;
};

asio::awaitable<long> uses(Options options) {
    co_return options.value.use_count();
}

asio::awaitable<long> uses_both(Options options, std::optional<Options> more, std::string text) {
    co_return options.value.use_count() + more->value.use_count() + static_cast<long>(text.size());
}

struct Aggregate {
    std::shared_ptr<int> value;
    std::string text;
};

Aggregate make_aggregate(std::shared_ptr<int> value) {
    return {std::move(value), "longer than what a string keeps in itself"};
}

asio::awaitable<long> uses_aggregate(Aggregate aggregate) {
    co_return aggregate.value.use_count();
}

asio::awaitable<void> calls_directly(std::shared_ptr<int> value, long& count_inside) {
    const long both =
        co_await uses_both(Options(value), Options(value), "longer than what a string keeps in itself");
    count_inside = both + co_await uses_aggregate(make_aggregate(value));
}

asio::awaitable<void> calls(std::shared_ptr<int> value, long& count_inside, long& count_after) {
    Options options(value);
    auto pending = uses(std::move(options));
    count_inside = co_await std::move(pending);
    count_after = value.use_count();
}

}  // namespace

TEST_CASE("named options moved into a coroutine are destroyed exactly once") {
    asio::io_context io;
    auto value = std::make_shared<int>(1);
    long inside = 0;
    long after = 0;
    asio::co_spawn(io, calls(value, inside, after), [](std::exception_ptr) {});
    io.run();
    CHECK(inside == 3);
    CHECK(value.use_count() == 1);
}

TEST_CASE("what constructors, conversions and functions make in an awaited call is destroyed exactly once") {
    asio::io_context io;
    auto value = std::make_shared<int>(1);
    long inside = 0;
    asio::co_spawn(io, calls_directly(value, inside), [](std::exception_ptr) {});
    io.run();
    CHECK(inside > 41);
    CHECK(value.use_count() == 1);
}

TEST_CASE("JSON numbers are read through typed getters") {
    const auto document = shared::json::parse("{\"a\":1}");
    std::vector<shared::json::FieldError> errors;
    shared::json::ObjectReader in(*document, errors);
    CHECK(in.required_integer("a", 0, 9) == 1);
}

TEST_CASE("an empty chunked body whose end arrives in pieces does not trip the parser") {
    namespace bhttp = boost::beast::http;
#ifndef NDEBUG
    WARN("Beast 1.81 asserts here; release builds are what is shipped");
#else
    bhttp::request_parser<bhttp::string_body> parser;
    boost::system::error_code error;
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    parser.put(asio::buffer(head), error);
    const std::string end = "0\r\n\r\n";
    std::string seen;
    for (std::size_t i = 1; i <= end.size() && !parser.is_done(); ++i) {
        seen = end.substr(0, i);
        parser.put(asio::buffer(seen), error);
        if (error == bhttp::error::need_more) error = {};
        REQUIRE_FALSE(error);
    }
    CHECK(parser.is_done());
#endif
}
