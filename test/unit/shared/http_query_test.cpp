#include "shared/http/query.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "shared/base/encoding.hpp"
#include "shared/http/cursor.hpp"
#include "shared/http/uri.hpp"

using namespace shared::http;

namespace {

Request asking(const std::string& target) {
    Request request;
    request.method = "GET";
    request.target = target;
    const auto at = target.find('?');
    request.path = *percent_decode(target.substr(0, at));
    if (at != std::string::npos) request.query = *parse_query(target.substr(at + 1));
    return request;
}

// The names of the parameters that the query finds fault with.
std::vector<std::string> faults(const Query& query) {
    std::vector<std::string> names;
    const auto refusal = query.refusal();
    CHECK(refusal.status == 422);
    for (const auto& error : refusal.problem->parameter_errors) names.push_back(error.pointer);
    return names;
}

std::string cursor_in(const Response& response) {
    const auto& link = response.headers.back().second;
    const auto at = link.find("after=") + 6;
    return link.substr(at, link.find('>') - at);
}

std::optional<std::string> after(const std::string& list, const std::string& cursor) {
    const auto request = asking(list + "?after=" + percent_encode(cursor));
    Query query(request);
    auto key = query.after();
    CHECK(query.ok() == key.has_value());
    return key;
}

std::optional<std::int64_t> after_id(const std::string& list, const std::string& cursor) {
    const auto request = asking(list + "?after=" + percent_encode(cursor));
    Query query(request);
    const auto id = query.after_id();
    CHECK(query.ok() == id.has_value());
    return id;
}

}  // namespace

TEST_CASE("query parameters are read by type, and every problem is collected") {
    const auto request =
        asking("/l?q=%C3%A9%C3%A9&n=7&b=true&c=dosen&long=abc&bad=x&huge=99999999999&no=TRUE&role=x");
    Query query(request);
    CHECK(query.text("q", 2) == "\xC3\xA9\xC3\xA9");
    CHECK(query.integer("n", 7, 7) == 7);
    CHECK(query.boolean("b") == true);
    CHECK(query.choice("c", {"admin", "dosen"}) == "dosen");
    CHECK(query.text("none", 5) == std::nullopt);
    CHECK(query.integer("none", 0, 1) == std::nullopt);
    CHECK(query.boolean("none") == std::nullopt);
    CHECK(query.choice("none", {"a"}) == std::nullopt);
    CHECK(query.ok());

    CHECK(query.text("long", 2) == std::nullopt);
    CHECK(query.integer("bad", 0, 9) == std::nullopt);
    CHECK(query.integer("n", 8, 9) == std::nullopt);
    CHECK(query.integer("n", 1, 6) == std::nullopt);
    CHECK(query.integer("huge", 0, 9) == std::nullopt);
    CHECK(query.boolean("no") == std::nullopt);
    CHECK(query.choice("role", {"admin", "dosen"}) == std::nullopt);
    CHECK_FALSE(query.ok());
    CHECK(faults(query) == std::vector<std::string>{"long", "bad", "n", "n", "huge", "no", "role"});
}

TEST_CASE("an empty text is none, an empty number, truth or choice is wrong") {
    const auto request = asking("/l?q=&n=&b=&c=");
    Query query(request);
    CHECK(query.text("q", 2) == std::nullopt);
    CHECK(query.ok());
    CHECK(query.integer("n", 0, 9) == std::nullopt);
    CHECK(query.boolean("b") == std::nullopt);
    CHECK(query.choice("c", {"a"}) == std::nullopt);
    CHECK(faults(query) == std::vector<std::string>{"n", "b", "c"});
}

TEST_CASE("text with control characters or other bytes is refused") {
    Request request;
    request.query = {{"nul", std::string("a\0b", 3)}, {"del", "a\x7F"}, {"bytes", "a\xFF"}, {"fine", " a~"}};
    Query query(request);
    CHECK(query.text("nul", 9) == std::nullopt);
    CHECK(query.text("del", 9) == std::nullopt);
    CHECK(query.text("bytes", 9) == std::nullopt);
    CHECK(query.text("fine", 9) == " a~");
    CHECK(faults(query) == std::vector<std::string>{"nul", "del", "bytes"});
}

TEST_CASE("a page has 1 to 200 rows, 50 if nothing is said") {
    const auto limit = [](const std::string& text) {
        const auto request = asking("/l" + text);
        Query query(request);
        const int rows = query.limit();
        return query.ok() ? rows : -1;
    };
    CHECK(limit("") == 50);
    CHECK(limit("?limit=1") == 1);
    CHECK(limit("?limit=200") == 200);
    for (const char* wrong : {"?limit=0", "?limit=201", "?limit=-1", "?limit=+5", "?limit=5.0", "?limit="})
        CHECK(limit(wrong) == -1);

    std::vector<int> rows{1, 2, 3};
    CHECK_FALSE(cut_to_page(rows, 3));
    CHECK(rows.size() == 3);
    CHECK(cut_to_page(rows, 2));
    CHECK(rows == std::vector<int>{1, 2});
}

TEST_CASE("the next page has the same parameters and a cursor that is read back") {
    const auto request = asking("/api/acad/a%2Fb/krs?q=x%20%26y&limit=2&after=old&limit2");
    Response response(200);
    next_page(response, request, "22001");
    CHECK(response.headers.back().first == "Link");
    const auto cursor = cursor_in(response);
    CHECK(response.headers.back().second ==
          "</api/acad/a%2Fb/krs?q=x%20%26y&limit=2&limit2=&after=" + cursor + ">; rel=\"next\"");
    CHECK(after("/api/acad/a%2Fb/krs", cursor) == "22001");
    CHECK(after_id("/api/acad/a%2Fb/krs", cursor) == 22001);
}

TEST_CASE("a cursor that we did not make for this list is refused") {
    const std::string list = "/api/acad/krs";
    const auto ours = make_cursor(list, "17");
    CHECK(after(list, ours) == "17");
    CHECK(after_id(list, ours) == 17);
    CHECK(after("/api/acad/mahasiswa", ours) == std::nullopt);
    for (const std::string& foreign :
         {std::string(), std::string("!"), std::string("AA"), shared::base64url_encode("17"), ours + "A",
          ours.substr(0, ours.size() - 2), shared::base64url_encode("abcd17"), make_cursor(list, ""),
          make_cursor(list, std::string("1\0", 2)), make_cursor(list, "1\n"), make_cursor(list, "1\x7F"),
          make_cursor(list, "\xFF\xFE"), make_cursor(list, std::string(101, '1'))}) {
        INFO(foreign);
        CHECK(after(list, foreign) == std::nullopt);
    }
    // Every bit counts.
    const auto bytes = *shared::base64url_decode(ours);
    for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
        auto changed = bytes;
        changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
        CHECK(after(list, shared::base64url_encode(changed)) == std::nullopt);
    }
    CHECK(after(list, make_cursor(list, std::string(100, '1'))) == std::string(100, '1'));
    CHECK(after_id(list, make_cursor(list, "22001x")) == std::nullopt);
    CHECK(after_id(list, make_cursor(list, "99999999999999999999")) == std::nullopt);
}

TEST_CASE("parameters that nobody named, and those given twice, are found") {
    const auto unexpected = [](const std::string& target, std::string_view names) {
        std::vector<std::string> found;
        for (const auto& error : unexpected_parameters(asking(target), names)) found.push_back(error.pointer);
        return found;
    };
    using Names = std::vector<std::string>;
    CHECK(unexpected("/l", "") == Names{});
    CHECK(unexpected("/l?a=1&b=2", "a b") == Names{});
    CHECK(unexpected("/l?b&a", "a b c") == Names{});
    CHECK(unexpected("/l?a=1", "") == Names{"a"});
    CHECK(unexpected("/l?ab=1&A=2&=3", "a b") == Names{"ab", "A", ""});
    CHECK(unexpected("/l?a=1&b=1&a=1&%61=2", "a b") == Names{"a", "a"});
}
