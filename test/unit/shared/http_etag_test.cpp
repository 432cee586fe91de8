#include "shared/http/etag.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "shared/http/answers.hpp"

using namespace shared::http;

namespace {

Request asking(const std::string& field, const std::vector<std::string>& lines) {
    Request request;
    request.method = "GET";
    for (const auto& line : lines) request.headers.insert(field, line);
    return request;
}

bool match(const std::vector<std::string>& lines, std::int64_t version) {
    return if_match(asking("If-Match", lines)).allows(version);
}

bool unchanged(const std::vector<std::string>& lines, std::int64_t version) {
    return none_match(asking("If-None-Match", lines), version);
}

}  // namespace

TEST_CASE("If-Match compares strongly with a list of tags") {
    CHECK(etag(5) == "\"v5\"");
    CHECK(match({}, 5));
    CHECK(match({""}, 5));
    CHECK(match({"*"}, 5));
    CHECK(match({" * "}, 5));
    CHECK(match({"\"v5\""}, 5));
    CHECK(match({"\"v4\", \"v5\""}, 5));
    CHECK(match({"\"v4\"\t,,\"v5\" ,"}, 5));
    CHECK(match({"\"v4\"", "\"v5\""}, 5));
    CHECK(match({"\"a,\x80z\", W/\"v6\",\"v5\""}, 5));

    CHECK_FALSE(match({"\"v4\""}, 5));
    CHECK_FALSE(match({"\"v4\", \"v6\""}, 5));
    CHECK_FALSE(match({"W/\"v5\""}, 5));
    CHECK_FALSE(match({"\"5\""}, 5));
    CHECK_FALSE(match({"\"v\""}, 5));
    CHECK_FALSE(match({"\"v05\""}, 5));
    CHECK_FALSE(match({"\"v5x\""}, 5));
    CHECK_FALSE(match({"\"v99999999999999999999\""}, 5));
    // Inside another tag.
    CHECK_FALSE(match({"\"x,\\\"v5\\\"\""}, 5));
    CHECK_FALSE(match({"\"a,v5,b\""}, 5));
    // What is no list of tags names nothing, whatever else stands in it.
    for (const char* broken : {"v5", "\"v5", "*, \"v5\"", "\"v5\", *", "\"v5\" \"v5\"", "\"v5\", x",
                               "w/\"v5\"", "\"v 5\", \"v5\"", "W/ \"v5\""}) {
        INFO(broken);
        CHECK_FALSE(match({broken}, 5));
    }
    CHECK_FALSE(match({"*", "\"v5\""}, 5));
}

TEST_CASE("If-None-Match compares weakly") {
    CHECK(unchanged({"\"v5\""}, 5));
    CHECK(unchanged({"W/\"v5\""}, 5));
    CHECK(unchanged({"\"x\", W/\"v5\""}, 5));
    CHECK(unchanged({"\"v4\"", "\"v5\""}, 5));
    CHECK(unchanged({"*"}, 5));
    CHECK_FALSE(unchanged({}, 5));
    CHECK_FALSE(unchanged({""}, 5));
    CHECK_FALSE(unchanged({"\"v4\""}, 5));
    CHECK_FALSE(unchanged({"v5"}, 5));
    CHECK_FALSE(unchanged({"\"v5\", x"}, 5));
}

TEST_CASE("a read that the client has already is a 304 without a body") {
    auto request = asking("If-None-Match", {"\"v5\""});
    const auto answer = versioned(request, private_json(200, "{}"), 5);
    CHECK(answer.status == 304);
    CHECK(answer.body.empty());
    CHECK(answer.content_type.empty());
    using Headers = std::vector<std::pair<std::string, std::string>>;
    CHECK(answer.headers == Headers{{"Cache-Control", "no-store"}, {"ETag", "\"v5\""}});

    const auto newer = versioned(request, private_json(200, "{}"), 6);
    CHECK(newer.status == 200);
    CHECK(newer.body == "{}");
    CHECK(newer.headers.back() == std::pair<std::string, std::string>{"ETag", "\"v6\""});
    CHECK(versioned(request, private_json(201, "{}"), 5).status == 201);
    request.method = "PUT";
    CHECK(versioned(request, private_json(200, "{}"), 5).status == 200);
}
