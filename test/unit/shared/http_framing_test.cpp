#include "shared/http/framing.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

std::string fault(unsigned version, const std::vector<std::pair<std::string, std::string>>& fields) {
    boost::beast::http::request_header<> head;
    head.version(version);
    for (const auto& [name, value] : fields) head.insert(name, value);
    const auto* reason = shared::http::framing_fault(head);
    return reason == nullptr ? "" : reason;
}

}  // namespace

TEST_CASE("each fault of framing has its own reason, so that no check hides behind another") {
    const std::pair<std::string, std::string> host{"Host", "a"};
    const std::pair<std::string, std::string> chunked{"Transfer-Encoding", "chunked"};
    const std::pair<std::string, std::string> length{"Content-Length", "2"};
    CHECK(fault(11, {host, length, length}) == "more than one Content-Length");
    CHECK(fault(11, {host, chunked, chunked}) == "more than one Transfer-Encoding");
    CHECK(fault(11, {host, chunked, length}) == "Content-Length with Transfer-Encoding");
    CHECK(fault(11, {host, {"Transfer-Encoding", "x"}, length}) == "Content-Length with Transfer-Encoding");
    CHECK(fault(11, {host, {"Transfer-Encoding", "gzip, chunked"}}) == "unknown Transfer-Encoding");
    CHECK(fault(10, {host, chunked}) == "Transfer-Encoding on HTTP/1.0");
    CHECK(fault(11, {}) == "Host");
    CHECK(fault(11, {host, host}) == "Host");
    CHECK(fault(10, {host, host}) == "Host");
    CHECK(fault(11, {host, {"Authorization", "x"}, {"Authorization", "y"}}) == "more than one Authorization");
    CHECK(fault(11, {host, {"Content-Type", "x"}, {"Content-Type", "y"}}) == "more than one Content-Type");

    CHECK(fault(10, {}).empty());
    CHECK(fault(10, {length}).empty());
    CHECK(fault(11, {host, length, {"Content-Type", "x"}, {"Authorization", "y"}}).empty());
    CHECK(fault(11, {host, {"Transfer-Encoding", "CHUNKED"}}).empty());
}
