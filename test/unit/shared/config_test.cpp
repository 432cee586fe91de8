#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <map>

#include "shared/config/environment.hpp"

using shared::config::Environment;

namespace {

Environment with(std::map<std::string, std::string> values) {
    return Environment([values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        const auto found = values.find(name);
        if (found == values.end()) return std::nullopt;
        return found->second;
    });
}

constexpr const char* kGoodSecret = "9f3b0c1d5e7a48b2a6d4c8e0f1a2b3c4d5e6f708";

}  // namespace

TEST_CASE("every wrong setting is reported at once and by name") {
    auto environment = with({{"PORT", "70000"}, {"REGISTRATION", "maybe"}, {"VERBOSE", "perhaps"}});
    environment.port("PORT", 3001);
    environment.choice("REGISTRATION", "open", {"open", "closed"});
    environment.boolean("VERBOSE", false);
    environment.required_secret("JWT_SECRET", 32);
    environment.required_text("MONGO_URI", "the user store's URI");
    CHECK_FALSE(environment.ok());
    const auto report = environment.report();
    for (const char* name : {"PORT:", "REGISTRATION:", "VERBOSE:", "JWT_SECRET:", "MONGO_URI:"}) {
        INFO(report);
        CHECK(report.find(name) != std::string::npos);
    }
}

TEST_CASE("a short, default or repeated secret is refused and never shown") {
    for (const char* bad :
         {"k0rt", "changeme", "changemechangemechangemechangeme", "secretsecretsecretsecretsecretse",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "your-secret-key-please-replace-it-now-ok",
          "secret00000000000000000000000000000000"}) {
        auto environment = with({{"JWT_SECRET", bad}});
        environment.required_secret("JWT_SECRET", 32);
        INFO(bad);
        CHECK_FALSE(environment.ok());
        CHECK(environment.report().find(bad) == std::string::npos);
    }
    auto environment = with({{"JWT_SECRET", kGoodSecret}});
    CHECK(environment.required_secret("JWT_SECRET", 32) == kGoodSecret);
    CHECK(environment.ok());
}

TEST_CASE("NAME_FILE is read without its last newline, and not together with NAME") {
    const std::string path = "/tmp/config_test_" + std::to_string(::getpid());
    std::ofstream(path) << kGoodSecret << "\n";
    auto environment = with({{"JWT_SECRET_FILE", path}});
    CHECK(environment.required_secret("JWT_SECRET", 32) == kGoodSecret);
    CHECK(environment.ok());

    auto both = with({{"JWT_SECRET_FILE", path}, {"JWT_SECRET", kGoodSecret}});
    both.required_secret("JWT_SECRET", 32);
    CHECK(both.report().find("JWT_SECRET_FILE") != std::string::npos);

    auto missing = with({{"JWT_SECRET_FILE", path + ".not-there"}});
    missing.required_secret("JWT_SECRET", 32);
    CHECK(missing.report().find("cannot read") != std::string::npos);
    std::remove(path.c_str());
}

TEST_CASE("an empty value counts as not set") {
    auto environment = with({{"PORT", ""}});
    CHECK(environment.port("PORT", 3001) == 3001);
    CHECK(environment.ok());
}

TEST_CASE("numbers must be whole, complete and in range") {
    for (const char* bad : {"12x", " 12", "1e3", "-1", "99999999999999999999", "0x10"}) {
        auto environment = with({{"N", bad}});
        CHECK(environment.integer("N", 7, 0, 1000) == 7);
        CHECK_FALSE(environment.ok());
    }
    auto environment = with({{"N", "12"}});
    CHECK(environment.integer("N", 7, 0, 1000) == 12);
}

TEST_CASE("lists are split at commas and trimmed") {
    auto environment = with({{"L", " a, b ,,c"}});
    CHECK(environment.list("L", "") == std::vector<std::string>{"a", "b", "c"});
}
