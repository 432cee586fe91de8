#include <boost/asio/awaitable.hpp>
#include <catch2/catch.hpp>

#include "shared/http/router.hpp"

using namespace shared::http;

namespace {

Handler nothing() {
    return [](Request&) -> boost::asio::awaitable<Response> { co_return no_content(); };
}

}  // namespace

TEST_CASE("routes match by segment, literals before parameters") {
    Router router;
    router.add("GET", "/api/acad/mahasiswa", Access::any_token(), nothing());
    router.add("GET", "/api/acad/mahasiswa/{nim}", Access::any_token(), nothing());
    router.add("PUT", "/api/acad/mahasiswa/{nim}", Access::roles({"admin"}), nothing());
    router.add("GET", "/api/acad/mahasiswa/aku", Access::any_token(), nothing());

    CHECK(router.match("GET", "/api/acad/mahasiswa").route->pattern == "/api/acad/mahasiswa");
    CHECK(router.match("GET", "/api/acad/mahasiswa/aku").route->pattern == "/api/acad/mahasiswa/aku");
    const auto match = router.match("HEAD", "/api/acad/mahasiswa/22%2F001");
    REQUIRE(match.route != nullptr);
    CHECK(match.params == std::vector<std::pair<std::string, std::string>>{{"nim", "22/001"}});
    CHECK(router.match("DELETE", "/api/acad/mahasiswa/22001").route == nullptr);
    CHECK(router.match("DELETE", "/api/acad/mahasiswa/22001").allow == "GET, HEAD, OPTIONS, PUT");
    for (const char* path :
         {"/", "/api", "/api/acad/mahasiswa/", "/api/acad/mahasiswa/1/2", "/API/acad/mahasiswa"}) {
        INFO(path);
        CHECK(router.match("GET", path).route == nullptr);
        CHECK(router.match("GET", path).allow.empty());
    }
}

TEST_CASE("a route that is there twice is a programming error") {
    Router router;
    router.add("GET", "/a/{x}", Access::open(), nothing());
    CHECK_THROWS_AS(router.add("GET", "/a/{y}", Access::open(), nothing()), std::logic_error);
}

TEST_CASE("roles decide, any_token allows every role") {
    CHECK(Access::any_token().allows("mahasiswa"));
    CHECK(Access::roles({"admin", "dosen"}).allows("dosen"));
    CHECK_FALSE(Access::roles({"admin", "dosen"}).allows("mahasiswa"));
    CHECK_FALSE(Access::roles({"admin"}).allows(""));
}
