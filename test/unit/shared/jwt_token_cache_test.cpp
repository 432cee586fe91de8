// The table of verified tokens: exactly the token that was put in, and who gives way in a full set.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "shared/jwt/token_cache.hpp"

namespace {

using TokenCache = shared::jwt::TokenCache<std::size_t>;

std::string token(std::size_t number) {
    return "token-" + std::to_string(number);
}

}  // namespace

TEST_CASE("the longest unused token gives way, and being found is being used") {
    TokenCache cache(TokenCache::kWays);  // one set
    REQUIRE(cache.capacity() == TokenCache::kWays);
    for (std::size_t i = 0; i < TokenCache::kWays; ++i) cache.put(token(i));
    CHECK(cache.size() == TokenCache::kWays);
    for (const std::size_t used : {0, 2, 3}) REQUIRE(cache.find(token(used)) != nullptr);
    // 1, 4, 5, 6, 7 have not been used since they came, in this order; then 0.
    std::size_t next = TokenCache::kWays;
    for (const std::size_t victim : {1, 4, 5, 6, 7, 0}) {
        INFO(victim);
        cache.put(token(next++));
        CHECK(cache.size() == TokenCache::kWays);
        CHECK(cache.find(token(victim)) == nullptr);
        CHECK(cache.find(token(2)) != nullptr);
        CHECK(cache.find(token(3)) != nullptr);
    }
}

TEST_CASE("a place that was given up is taken first") {
    TokenCache cache(TokenCache::kWays);
    for (std::size_t i = 0; i < TokenCache::kWays; ++i) cache.put(token(i));
    cache.drop(*cache.find(token(5)));
    CHECK(cache.size() == TokenCache::kWays - 1);
    CHECK(cache.find(token(5)) == nullptr);
    cache.put("new");
    for (std::size_t i = 0; i < TokenCache::kWays; ++i) CHECK((cache.find(token(i)) != nullptr) == (i != 5));
    CHECK(cache.find("new") != nullptr);
    CHECK(cache.size() == TokenCache::kWays);
}

TEST_CASE("a token is found by all its bytes, whether it lies in the table or beside it") {
    TokenCache cache(1024);
    for (const std::size_t size : {1, 100, 695, 696, 697, 5000}) {
        INFO(size);
        const std::string text(size, 'x');
        cache.put(text).payload = size;
        auto* entry = cache.find(text);
        REQUIRE(entry != nullptr);
        CHECK(entry->token() == text);
        CHECK(entry->payload == size);
        CHECK((entry->large != nullptr) == (size > TokenCache::kInlineBytes));
        CHECK(cache.find(text + "x") == nullptr);
        auto other = text;
        other.back() = 'y';
        CHECK(cache.find(other) == nullptr);
    }
    TokenCache none(0);
    CHECK_FALSE(none.enabled());
    CHECK(none.find("x") == nullptr);
}

TEST_CASE("the cache never grows beyond its capacity, and none keeps nothing") {
    auto counted = std::make_shared<int>();
    {
        shared::jwt::TokenCache<std::shared_ptr<int>> cache(100);
        CHECK(cache.capacity() == 128);
        for (std::size_t i = 0; i < 10'000; ++i) cache.put(token(i)).payload = counted;
        CHECK(cache.size() <= 128);
        CHECK(cache.size() > 64);
        CHECK(counted.use_count() == static_cast<long>(cache.size()) + 1);
    }
    CHECK(counted.use_count() == 1);
}
