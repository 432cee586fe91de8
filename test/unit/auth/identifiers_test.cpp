#include <catch2/catch.hpp>

#include "services/auth/domain/account.hpp"
#include "services/auth/domain/identifiers.hpp"
#include "services/auth/domain/unicode.hpp"

using namespace auth::domain;

TEST_CASE("user names are letters digits and a few signs") {
    for (const std::string name : {"22001", "budi", "Budi.Santoso-2", "a_b"}) {
        CAPTURE(name);
        CHECK_FALSE(username_problem(name));
    }
    for (const std::string name : {"", "ab", "budi santoso", "budi@kampus", ".budi", "-budi",
                                   "b\xC3\xBC"
                                   "di",
                                   "budi\n", "{\"$ne\":1}"}) {
        CAPTURE(name);
        CHECK(username_problem(name));
    }
}

TEST_CASE("user names and e-mail addresses are bounded") {
    CHECK_FALSE(username_problem(std::string(64, 'x')));
    CHECK(username_problem(std::string(65, 'x')));
    CHECK_FALSE(email_problem(std::string(64, 'x') + "@kampus.id"));
    CHECK(email_problem(std::string(65, 'x') + "@kampus.id"));
    CHECK(email_problem("a@" + std::string(300, 'x') + ".id"));
    CHECK_FALSE(email_problem("a@" + std::string(63, 'x') + ".id"));
    CHECK(email_problem("a@" + std::string(64, 'x') + ".id"));
    const std::string local(64, 'x');
    const std::string labels = std::string(63, 'y') + '.' + std::string(63, 'y') + '.' + std::string(58, 'y');
    CHECK_FALSE(email_problem(local + '@' + labels + ".id"));  // 254
    CHECK(email_problem(local + '@' + labels + ".idn"));
}

TEST_CASE("e-mail addresses have a local part and a domain with a dot") {
    for (const std::string email :
         {"a@b.id", "budi.santoso+kuliah@student.kampus.ac.id", "O'Brien@kampus.ac.id"}) {
        CAPTURE(email);
        CHECK_FALSE(email_problem(email));
    }
    for (const std::string email :
         {"", "budi", "@kampus.id", "budi@", "budi@kampus", "budi@@kampus.id", "bu di@kampus.id",
          "budi@-kampus.id", "budi@kampus..id", ".budi@kampus.id", "budi.@kampus.id", "budi@kampus.id ",
          "budi@kam_pus.id"}) {
        CAPTURE(email);
        CHECK(email_problem(email));
    }
}

TEST_CASE("names that speak for the office and numbers are reserved, also where they only look like it") {
    for (const std::string name :
         {"admin",   "Admin",  "ADMIN2", "administrator", "admin.kampus", "4dm1n",   "a.d.m.i.n",
          "adrnin",  "adm-in", "admln",  "root",          "R00T",         "r-o-o-t", "support",
          "5upp0rt", "system", "sy5tem", "5y57em",        "22001",        "0"}) {
        CAPTURE(name);
        CHECK(reserved_username(name));
    }
    for (const std::string name : {"budi", "roots", "rootini", "supporter", "sistem", "a22001", "22001a",
                                   "padmini", "madmin", "systema", "s22-001"}) {
        CAPTURE(name);
        CHECK_FALSE(reserved_username(name));
    }
}

TEST_CASE("names are compared without case and width") {
    CHECK(username_key("BUDI") == username_key("budi"));
    CHECK(username_key("\xEF\xBC\xA2udi") == "budi");  // full-width B
    CHECK(username_key("bu\xC2\xAD"
                       "di") == "budi");  // what is not seen does not count: a soft hyphen
    CHECK(email_key("Budi@Kampus.AC.ID") == "budi@kampus.ac.id");
    CHECK(username_key("budi") != username_key("budj"));
    CHECK(username_key("\xFF") == "\xFF");  // never fails
}

TEST_CASE("the roles of the first version become today's") {
    CHECK(role_from_store("user") == Role::mahasiswa);
    CHECK(role_from_store("") == Role::mahasiswa);
    CHECK(role_from_store("Admin") == Role::mahasiswa);  // not exact: the least rights
    CHECK(role_from_store("admin") == Role::admin);
    CHECK(role_from_store("dosen") == Role::dosen);
    CHECK_FALSE(parse_role("user"));
    for (const auto role : {Role::admin, Role::dosen, Role::mahasiswa})
        CHECK(parse_role(to_string(role)) == role);
}

TEST_CASE("normalization joins what is typed in two ways and refuses what is no text") {
    CHECK(to_nfc("e\xCC\x81") == std::string("\xC3\xA9"));
    CHECK(to_nfc("") == std::string());
    CHECK_FALSE(to_nfc("\xC3"));
    CHECK_FALSE(fold_case("\xED\xA0\x80"));
}
