#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "services/acad/settings.hpp"
#include "shared/pg/conninfo.hpp"

namespace {

using Values = std::map<std::string, std::string>;

shared::config::Environment environment(Values values) {
    if (!values.contains("SQL_DIR")) values["SQL_DIR"] = std::filesystem::temp_directory_path().string();
    return shared::config::Environment([values](const std::string& name) -> std::optional<std::string> {
        const auto found = values.find(name);
        if (found == values.end()) return std::nullopt;
        return found->second;
    });
}

const std::string kSecret = "0123456789abcdef0123456789abcdef0123";

Values database() {
    return {{"DB_HOST", "acad-db"},
            {"DB_NAME", "acad"},
            {"DB_USER", "acad"},
            {"DB_PASSWORD", "it's \\ a long one"}};
}

}  // namespace

TEST_CASE("the database's settings become one connection string that keeps every character") {
    auto source = environment(database());
    const auto settings = acad::read_database_settings(source);
    INFO(source.report());
    REQUIRE(source.ok());
    std::map<std::string, std::string> keywords;
    for (const auto& [key, value] : shared::pg::parse_conninfo(settings.conninfo)) keywords[key] = value;
    CHECK(keywords["host"] == "acad-db");
    CHECK(keywords["port"] == "5432");
    CHECK(keywords["dbname"] == "acad");
    CHECK(keywords["user"] == "acad");
    CHECK(keywords["password"] == "it's \\ a long one");
}

TEST_CASE("defaults are those of the documentation") {
    auto values = database();
    values["JWT_SECRET"] = kSecret;
    auto source = environment(values);
    const auto settings = acad::read_settings(source);
    INFO(source.report());
    REQUIRE(source.ok());
    CHECK(settings.port == 3002);
    CHECK(settings.pool_size == 8);
    CHECK(settings.jwt_issuer == "kampus-auth");
    CHECK(settings.jwt_audience == "kampus-api");
    CHECK(settings.feed_url.empty());
    CHECK(settings.feed_token.size() == 64);
    CHECK_FALSE(settings.refuse_when_stale);
    CHECK(settings.ketentuan.rounding == acad::domain::Rounding::half_up);
    CHECK(settings.ketentuan.repeat == acad::domain::RepeatRule::best);
}

TEST_CASE("each wrong setting is named, and no secret is shown") {
    struct Row {
        std::string name, value;
    };
    const std::vector<Row> table{
        {"DB_PASSWORD", ""},
        {"DB_PASSWORD", "short"},
        {"DB_PASSWORD", "password"},
        {"DB_PORT", "0x10"},
        {"DB_POOL_SIZE", "0"},
        {"DB_POOL_SIZE", "1000"},
        {"JWT_SECRET", ""},
        {"JWT_SECRET", "tooshort"},
        {"ROUNDING", "HALF_UP"},
        {"REPEAT_RULE", "worst"},
        {"AUTH_FEED_URL", "ftp://x"},
        {"AUTH_FEED_STALE", "maybe"},
        {"DATABASE_URL", "postgresql://a/b"},  // together with DB_HOST
        {"SQL_DIR", "/nowhere/at/all"},
        {"FEED_TOKEN", "tooshort"},
        {"AUTH_FEED_MAX_AGE_S", "0"},
        {"JWKS_URL", "auth-service"},
    };
    for (const auto& row : table) {
        auto values = database();
        values["JWT_SECRET"] = kSecret;
        values[row.name] = row.value;
        auto source = environment(values);
        acad::read_settings(source);
        INFO(row.name << "=" << row.value << "\n" << source.report());
        CHECK_FALSE(source.ok());
        CHECK(source.report().find(row.name) != std::string::npos);
        CHECK(source.report().find(kSecret) == std::string::npos);
        if (row.value == "tooshort") CHECK(source.report().find("tooshort") == std::string::npos);
    }
}

TEST_CASE("a database behind a socket needs no password") {
    auto values = database();
    values["DB_HOST"] = "/var/run/postgresql";
    values.erase("DB_PASSWORD");
    auto source = environment(values);
    const auto settings = acad::read_database_settings(source);
    CHECK(source.ok());
    CHECK(settings.conninfo.find("password") == std::string::npos);
}

TEST_CASE("with a key set the signing secret is not needed, but the feed's token is") {
    auto values = database();
    values["JWKS_URL"] = "http://auth-service:3001/.well-known/jwks.json";
    values["JWKS_MAX_STALE_S"] = "3600";
    values["AUTH_FEED_URL"] = "http://auth-service:3001/internal/revocations";
    {
        auto source = environment(values);
        acad::read_settings(source);
        CHECK(source.report().starts_with("FEED_TOKEN: is missing"));
    }
    values["FEED_TOKEN"] = kSecret;
    auto source = environment(values);
    const auto settings = acad::read_settings(source);
    INFO(source.report());
    REQUIRE(source.ok());
    CHECK(settings.jwt_secret.empty());
    REQUIRE(settings.jwks_url);
    CHECK(settings.jwks_url->url == values["JWKS_URL"]);
    CHECK(settings.jwks_url->refresh == std::chrono::seconds(300));
    CHECK(settings.jwks_url->max_stale == std::chrono::seconds(3600));
    CHECK(settings.jwks_url->unknown_kid_interval == std::chrono::seconds(30));
}
