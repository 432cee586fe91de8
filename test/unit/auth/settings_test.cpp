#include <catch2/catch.hpp>
#include <map>

#include "services/auth/bootstrap.hpp"
#include "services/auth/settings.hpp"

namespace {

using Values = std::map<std::string, std::string>;

shared::config::Environment environment(Values values) {
    return shared::config::Environment([values = std::move(values)](const std::string& name) {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional<std::string>(found->second);
    });
}

const Values kGood{{"MONGO_URI", "mongodb://127.0.0.1:27017/auth"},
                   {"JWT_SECRET", "5d0b7cf1f1ab4a1e9f6c2ad4b8d0c7e35d0b7cf1"}};

Values with(std::string name, std::string value) {
    Values values = kGood;
    values[std::move(name)] = std::move(value);
    return values;
}

}  // namespace

TEST_CASE("the two required settings are enough") {
    auto env = environment(kGood);
    const auto settings = auth::read_settings(env);
    REQUIRE(env.ok());
    CHECK(settings.port == 3001);
    CHECK(settings.issuer == "kampus-auth");
    CHECK(settings.audience == "kampus-api");
    CHECK_FALSE(settings.registration_open);
    CHECK(settings.sessions.access_ttl == std::chrono::seconds(600));
    CHECK(settings.passwords.min_length == 12);
    CHECK(settings.refresh_key.size() == 32);
    CHECK(settings.feed_token.size() == 64);
    CHECK_FALSE(settings.first_admin);
}

TEST_CASE("the feed token is the documented derivation of the secret") {
    // printf 'kampus revocation feed v1' | openssl dgst -sha256 -hmac
    // 5d0b7cf1f1ab4a1e9f6c2ad4b8d0c7e35d0b7cf1
    auto env = environment(kGood);
    CHECK(auth::read_settings(env).feed_token ==
          "bc1f7a10a0837fec457948e445a63f05a4f55e77c5e8b2443fe34a988ba23121");
}

TEST_CASE("all wrong settings are reported at once and by name") {
    auto env = environment({{"MONGO_URI", "mysql://x"},
                            {"JWT_SECRET", "short"},
                            {"PORT", "99999"},
                            {"REGISTRATION", "maybe"},
                            {"ACCESS_TOKEN_TTL_S", "1"},
                            {"PASSWORD_PEPPER", "short"},
                            {"HASH_THREADS", "64"}});
    auth::read_settings(env);
    CHECK_FALSE(env.ok());
    const auto report = env.report();
    for (const std::string name : {"MONGO_URI", "JWT_SECRET", "PORT", "REGISTRATION", "ACCESS_TOKEN_TTL_S",
                                   "PASSWORD_PEPPER", "HASH_THREADS"}) {
        CAPTURE(name, report);
        CHECK(report.find(name) != std::string::npos);
    }
    CHECK(report.find("short\"") == std::string::npos);  // never a secret's value
}

TEST_CASE("URIs that cannot be used are refused at the start") {
    for (const std::string uri :
         {"localhost:27017", "mongodb://", "mongodb://h:99999999/", "postgresql://[::1/db",
          "postgresql://h/db?no_such_option=1", "http://h/"}) {
        CAPTURE(uri);
        auto env = environment(with("MONGO_URI", uri));
        auth::read_settings(env);
        CHECK_FALSE(env.ok());
        CHECK(env.report().find("MONGO_URI") != std::string::npos);
    }
    for (const std::string uri :
         {"mongodb://a:1,b:2/auth?replicaSet=rs0", "postgresql://u:p@h:5432/db", "postgres:///db"}) {
        CAPTURE(uri);
        auto env = environment(with("MONGO_URI", uri));
        auth::read_settings(env);
        CHECK(env.ok());
    }
}

TEST_CASE("the first admin's password follows the password rules") {
    auto weak = environment(with("FIRST_ADMIN_PASSWORD", "adminadmin1234"));
    auth::read_settings(weak);
    CHECK_FALSE(weak.ok());
    auto good = environment(with("FIRST_ADMIN_PASSWORD", "kuda laut biru 9"));
    const auto settings = auth::read_settings(good);
    REQUIRE(good.ok());
    REQUIRE(settings.first_admin);
    CHECK(settings.first_admin->username == "admin");
    CHECK(settings.first_admin->email == "admin@kampus.example");
}

TEST_CASE("a session limit below the idle limit is a contradiction") {
    auto values = with("SESSION_IDLE_S", "7200");
    values["SESSION_MAX_S"] = "3600";
    auto env = environment(values);
    auth::read_settings(env);
    CHECK(env.report().find("SESSION_MAX_S") != std::string::npos);
}

TEST_CASE("a seed file is read whole and every mistake is named") {
    const auth::domain::PasswordRules rules;
    const auto accounts = auth::read_seed(
        R"([{"username":"22001","password":"kuda-laut-biru-9","role":"mahasiswa","nim":"22001"},
            {"username":"dosen","password":"jeruk-manis-77","role":"dosen","nim":null,"email":"d@kampus.ac.id"}])",
        rules);
    REQUIRE(accounts.size() == 2);
    CHECK(accounts[0].nim == "22001");
    CHECK(accounts[0].email == "22001@kampus.example");
    CHECK(accounts[1].role == auth::domain::Role::dosen);
    CHECK_FALSE(accounts[1].nim);

    CHECK_THROWS_WITH(auth::read_seed("[{]", rules), Catch::Contains("JSON"));
    CHECK_THROWS_WITH(auth::read_seed("{}", rules), Catch::Contains("/accounts"));
    CHECK_THROWS_WITH(
        auth::read_seed(R"([{"username":"a b","password":"short","role":"user"},7,{"username":"abc"}])",
                        rules),
        Catch::Contains("/0/username") && Catch::Contains("/0/password") && Catch::Contains("/0/role") &&
            Catch::Contains("/1:") && Catch::Contains("/2/password"));
}
