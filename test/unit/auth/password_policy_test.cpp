#include <catch2/catch.hpp>

#include "services/auth/domain/password_policy.hpp"

using auth::domain::is_common_password;
using auth::domain::password_problem;
using auth::domain::PasswordContext;
using auth::domain::PasswordRules;

namespace {

const PasswordContext kBudi{"budisantoso", "budi.santoso@kampus.ac.id", "2200112345"};

bool accepted(std::string_view password) {
    return !password_problem(password, kBudi, PasswordRules{});
}

}  // namespace

TEST_CASE("passwords are accepted by length without composition rules") {
    CHECK(accepted("jeruk manis di pagi hari"));
    CHECK(accepted("kudalautbiru"));                           // 12 letters
    CHECK(accepted("\xE7\xA7\x98\xE5\xAF\x86 adalah kunci"));  // Unicode
    CHECK(accepted("Tr0ub4dor&3xyz"));
    CHECK(accepted(std::string(100, 'x') + "kudalautbiru berenang jauh"));
    CHECK(accepted("!@#$%^&*()_+{}|"));
}

TEST_CASE("too short and too long passwords are refused by code points not bytes") {
    CHECK_FALSE(accepted(""));
    CHECK_FALSE(accepted("kudalautbir"));  // 11
    std::string word;
    for (int i = 0; i < 11; ++i) word += "\xC3\xA9";  // 22 bytes
    CHECK_FALSE(accepted(word));
    std::string longest = "kuda laut biru ";
    while (longest.size() < 128) longest += static_cast<char>('a' + longest.size() * 7 % 26);
    CHECK(accepted(longest));
    CHECK_FALSE(accepted(longest + "z"));
}

TEST_CASE("what attackers try first is refused") {
    for (const std::string_view password : {"passwordpassword", "Password12345",
                                            "P@ssw0rd12345",    "qwertyuiop123",
                                            "123456789012",     "abcdefghijkl",
                                            "aaaaaaaaaaaa",     "abcabcabcabc",
                                            "bismillah123",     "Bismillahsukses",
                                            "indonesiaraya",    "sayangku1234",
                                            "zyxwvutsrqponm",   "correct horse battery staple",
                                            "mahasiswa123",     "admin1234admin",
                                            "kampus2024!!",     "universitas22",
                                            "111122223333",     "qwerty123456"}) {
        CAPTURE(password);
        CHECK_FALSE(accepted(password));
    }
}

TEST_CASE("up to three runs in a row are a pattern, four are not") {
    CHECK_FALSE(accepted("abcd7890rewq"));
    CHECK_FALSE(accepted("efghzyxw4567"));
    CHECK(accepted("abc987rewmnb"));
}

TEST_CASE("a piece of up to four characters, three times, is a pattern") {
    CHECK_FALSE(accepted("k7w2k7w2k7w2"));
    CHECK(accepted("k7w2mk7w2mk7w2m"));
    CHECK_FALSE(accepted("xq8xq8xq8xq8"));
}

TEST_CASE("a common password stays one with digits and signs for its letters") {
    CHECK_FALSE(accepted("bismillahlulus"));
    CHECK_FALSE(accepted("b1smillahlulu5"));
}

TEST_CASE("half of the least length must be left without the account's own words") {
    CHECK_FALSE(accepted("budisantosokq7wx"));  // 5 of 6
    CHECK(accepted("budisantosokq7wxz"));
}

TEST_CASE("a password made of the account's own words is refused") {
    for (const std::string_view password :
         {"budisantoso12", "BudiSantoso!!", "2200112345!!", "budisantoso2200112345",
          "budi.santoso@kampus.ac.id", "bud1sant0so99"}) {
        CAPTURE(password);
        CHECK_FALSE(accepted(password));
    }
    // Enough of something else behind a common word is fine, a few digits are not.
    CHECK(accepted("sayangku7305918264"));
    CHECK_FALSE(accepted("sayangku!!2024"));
    // One's own name inside a longer sentence is fine.
    CHECK(accepted("budisantoso suka makan rendang"));
}

TEST_CASE("the minimum length is a setting") {
    PasswordRules rules;
    rules.min_length = 8;
    CHECK_FALSE(password_problem("kudalaut", kBudi, rules));
    CHECK(password_problem("12345678", kBudi, rules));
    CHECK(password_problem("password", kBudi, rules));
    rules.min_length = 20;
    CHECK(password_problem("kudalautbiru berena", kBudi, rules));
}

TEST_CASE("the list of common passwords is compared whole") {
    CHECK(is_common_password("letmein123"));
    CHECK(is_common_password("rahasia123"));
    CHECK_FALSE(is_common_password("letmein1234567"));
    CHECK_FALSE(is_common_password(""));
}
