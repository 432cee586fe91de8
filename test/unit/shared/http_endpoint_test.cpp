#include "shared/http/endpoint.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <string>

#include "shared/http/refused.hpp"
#include "test/support/http.hpp"
#include "test/unit/shared/running_server.hpp"

using namespace shared::http;
using boost::asio::awaitable;

namespace {

struct Context {
    std::string name = "context";
    std::atomic<bool> ready{true};
};

awaitable<Response> say(Context& context, Request& request) {
    co_return private_json(
        200, "{\"name\":\"" + context.name + "\",\"size\":" + std::to_string(request.body.size()) + "}");
}

constexpr auto kAdmin = Access::roles({"admin"});
constexpr Endpoint<Context> kEndpoints[] = {
    {"GET", "/list", Access::any_token(), say, {.query = "limit after"}},
    {"POST", "/list", kAdmin, say, {.body = Body::json, .body_limit_bytes = 10, .rate = Rate::costly}},
    {"POST",
     "/file",
     Access::open(),
     say,
     {.query = kAnyQuery, .content_type = "text/csv", .body_limit_bytes = kServerLimit}},
    {"GET", "/health", Access::open(), say, {.query = kAnyQuery, .before_ready = true}},
    {"GET", "/open", Access::open(), say},
};
static_assert(kAdmin.allows("admin") && !kAdmin.allows("dosen") && kAdmin.needs_token());
static_assert(!Access::open().needs_token() && Access::any_token().allows(""));
static_assert(kEndpoints[1].rules.rate == Rate::costly && kEndpoints[4].rules.rate == Rate::ordinary);

class Fixture : public test::RunningServer {
  public:
    static ServerOptions options() {
        ServerOptions options;
        options.body_limit_bytes = 100;
        return options;
    }
    Fixture() : RunningServer(options()) {
        start(make_router(kEndpoints, context, [this] { return context.ready.load(); }));
    }
    Context context;
};

const auto kToken = test::bearer("student");
const auto kAdminToken = test::bearer("admin");

}  // namespace

TEST_CASE("an endpoint's row says who may call it and reaches its handler with the context") {
    Fixture server;
    CHECK(test::get(server.port(), "/list", {kToken}).text("name") == "context");
    CHECK(test::get(server.port(), "/list").status == 401);
    CHECK(test::post_json(server.port(), "/list", "{}", {kToken}).status == 403);
    CHECK(test::post_json(server.port(), "/list", "{}", {kAdminToken}).status == 200);
    CHECK(test::get(server.port(), "/open").status == 200);
}

TEST_CASE("OPTIONS without a token tells the methods of the resource") {
    Fixture server;
    const auto options = test::request(server.port(), "OPTIONS", "/list?unknown=1");
    CHECK(options.status == 204);
    CHECK(options.header("Allow") == "GET, HEAD, OPTIONS, POST");
    CHECK(test::request(server.port(), "OPTIONS", "/nowhere").status == 404);
}

TEST_CASE("a query that the row does not name is a 422, after the token") {
    Fixture server;
    const auto code = [&](const std::string& target, test::HeaderList headers = {kToken}) {
        return test::get(server.port(), target, std::move(headers)).status;
    };
    CHECK(code("/list?limit=1&after=x") == 200);
    CHECK(code("/list?limit=1&limit=1") == 422);
    CHECK(code("/list?Limit=1") == 422);
    CHECK(code("/list?x=1", {}) == 401);
    CHECK(code("/open?x=1", {}) == 422);
    CHECK(code("/health?x=1&x=1", {}) == 200);
    const auto reply = test::get(server.port(), "/list?x=1&limit=1&limit=2", {kToken});
    CHECK(reply.text("code") == "validation_failed");
    const auto body = reply.json();
    REQUIRE(body["errors"].Size() == 2);
    CHECK(std::string(body["errors"][0]["parameter"].GetString()) == "x");
    CHECK(std::string(body["errors"][1]["parameter"].GetString()) == "limit");
    CHECK(test::request(server.port(), "HEAD", "/open?x=1").status == 422);
}

TEST_CASE("of very many errors the first hundred are told, and how many there are") {
    Fixture server;
    const auto errors = [&](int count) {
        std::string target = "/open?";
        for (int i = 0; i < count; ++i) target += "p" + std::to_string(i) + "&";
        return test::get(server.port(), target).json();
    };
    const auto hundred = errors(100);
    CHECK(hundred["errors"].Size() == 100);
    CHECK_FALSE(hundred.HasMember("jumlah_kesalahan"));
    const auto more = errors(101);
    CHECK(more["errors"].Size() == 100);
    CHECK(more["jumlah_kesalahan"].GetInt() == 101);
}

TEST_CASE("a row's own limit and media type hold for its bodies") {
    Fixture server;
    const std::string ten = "{\"a\": 123}";
    REQUIRE(ten.size() == 10);
    CHECK(test::post_json(server.port(), "/list", ten, {kAdminToken}).status == 200);
    CHECK(test::post_json(server.port(), "/list", ten + " ", {kAdminToken}).status == 413);
    CHECK(test::request(server.port(), "POST", "/list", {kAdminToken, {"Content-Type", "text/csv"}}, "{}")
              .status == 415);
    CHECK(test::request(server.port(), "POST", "/list", {kAdminToken}, "{}").status == 415);
    CHECK(test::request(server.port(), "POST", "/list",
                        {kAdminToken, {"Content-Type", "Application/JSON ; charset=utf-8"}}, "{}")
              .status == 200);

    const auto csv = [&](const std::string& type, std::size_t size) {
        return test::request(server.port(), "POST", "/file", {{"Content-Type", type}},
                             std::string(size, 'x'));
    };
    CHECK(csv("text/csv", 100).status == 200);
    CHECK(csv("text/csv", 101).status == 413);
    const auto refused = csv("application/json", 1);
    CHECK(refused.status == 415);
    CHECK(refused.header("Accept") == "text/csv");
    CHECK(csv("text/csvx", 1).status == 415);
    // Without a body there is no type to refuse.
    CHECK(test::request(server.port(), "POST", "/file").status == 200);
}

TEST_CASE("until the service is ready only the rows that say so answer") {
    Fixture server;
    server.context.ready = false;
    const auto reply = test::get(server.port(), "/open");
    CHECK(reply.status == 503);
    CHECK(reply.text("code") == "database_unavailable");
    CHECK(reply.has_header("Retry-After"));
    CHECK(test::get(server.port(), "/health").status == 200);
    CHECK(test::get(server.port(), "/list").status == 401);
    server.context.ready = true;
    CHECK(test::get(server.port(), "/open").status == 200);
}

TEST_CASE("a refused value carries the answer") {
    const auto read = [](bool fine) -> Refused<std::string> {
        if (!fine) return conflict("taken", "Sudah ada");
        return std::string("row");
    };
    auto row = read(true);
    REQUIRE(row);
    CHECK(*row == "row");
    CHECK(row->size() == 3);
    auto refused = read(false);
    REQUIRE_FALSE(refused);
    CHECK_THROWS_AS(*refused, std::bad_variant_access);
    const Response answer = refused.error();
    CHECK(answer.status == 409);
    CHECK(answer.problem->code == "taken");

    const auto may = [](bool yes) -> Refused<> {
        if (!yes) return forbidden();
        return kGranted;
    };
    CHECK(may(true));
    CHECK(may(false).error().status == 403);
}

TEST_CASE("answers that both services give") {
    CHECK(stale().status == 412);
    CHECK(stale().problem->code == "stale_version");
    CHECK(not_found("krs_not_found", "x").status == 404);
    CHECK(not_found("krs_not_found", "x").problem->code == "krs_not_found");
    CHECK(forbidden().problem->code == "forbidden");
    CHECK(internal_error().status == 500);
    std::string seconds;
    for (int i = 0; i < 200; ++i) {
        const auto busy = overloaded();
        CHECK(busy.status == 503);
        CHECK(busy.problem->code == "overloaded");
        REQUIRE(busy.headers.front().first == "Retry-After");
        seconds += busy.headers.front().second;
        CHECK(busy.headers.back() == std::pair<std::string, std::string>("X-Overloaded", "1"));
    }
    CHECK(seconds.size() == 200);
    for (const char digit : {'1', '2', '3'}) CHECK(seconds.find(digit) != std::string::npos);
    CHECK(seconds.find_first_not_of("123") == std::string::npos);
}
