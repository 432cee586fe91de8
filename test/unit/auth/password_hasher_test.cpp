#include <crypt.h>
#include <time.h>

#include <catch2/catch.hpp>
#include <memory>

#include "services/auth/crypto/password_hasher.hpp"

using auth::crypto::Argon2Cost;
using auth::crypto::PasswordHasher;
using auth::domain::StoredPassword;

namespace {

std::string bcrypt(const std::string& password, const std::string& prefix) {
    const auto data = std::make_unique<crypt_data>();
    const std::string salt = prefix + "04$abcdefghijklmnopqrstuu";
    return crypt_r(password.c_str(), salt.c_str(), data.get());
}

StoredPassword legacy(const std::string& hash) {
    StoredPassword stored;
    stored.hash = hash;
    stored.preparation = "raw";
    return stored;
}

}  // namespace

TEST_CASE("a new hash is a PHC string with the set cost and verifies only its password") {
    const PasswordHasher hasher({}, std::nullopt);
    const auto stored = hasher.hash("kuda laut biru 9");
    CHECK(stored.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    CHECK(stored.preparation == "nfc");
    const auto right = hasher.verify(stored, "kuda laut biru 9");
    CHECK(right.matches);
    CHECK_FALSE(right.outdated);
    CHECK_FALSE(hasher.verify(stored, "kuda laut biru 8").matches);
    CHECK_FALSE(hasher.verify(stored, "").matches);
    CHECK(hasher.hash("kuda laut biru 9").hash != stored.hash);  // another salt
}

TEST_CASE("the same password in composed and decomposed Unicode is one password") {
    const PasswordHasher hasher({}, std::nullopt);
    const auto stored = hasher.hash("caf\xC3\xA9 di tepi laut");
    CHECK(hasher.verify(stored, "cafe\xCC\x81 di tepi laut").matches);
}

TEST_CASE("a hash of lower cost verifies and is reported as outdated") {
    const PasswordHasher weak(Argon2Cost{8192, 1, 1}, std::nullopt);
    const PasswordHasher today({}, std::nullopt);
    const auto stored = weak.hash("kuda laut biru 9");
    const auto verdict = today.verify(stored, "kuda laut biru 9");
    CHECK(verdict.matches);
    CHECK(verdict.outdated);
    // A higher cost than ours is not taken back.
    CHECK_FALSE(weak.verify(today.hash("kuda laut biru 9"), "kuda laut biru 9").outdated);
}

TEST_CASE("a hash is outdated by each figure that is below today's and by any other number of lanes") {
    const PasswordHasher today(Argon2Cost{64, 2, 2}, std::nullopt);
    const auto outdated = [&](Argon2Cost cost) {
        const auto verdict =
            today.verify(PasswordHasher(cost, std::nullopt).hash("kuda laut biru 9"), "kuda laut biru 9");
        CHECK(verdict.matches);
        return verdict.outdated;
    };
    CHECK_FALSE(outdated({64, 2, 2}));
    CHECK(outdated({63, 2, 2}));
    CHECK_FALSE(outdated({65, 2, 2}));
    CHECK(outdated({64, 1, 2}));
    CHECK_FALSE(outdated({64, 3, 2}));
    CHECK(outdated({64, 2, 1}));
    CHECK(outdated({64, 2, 3}));
}

TEST_CASE("a hash of more than a hundred passes is not computed, whatever it would say") {
    const PasswordHasher today(Argon2Cost{8, 1, 1}, std::nullopt);
    const auto matches = [&](std::uint32_t passes) {
        return today
            .verify(PasswordHasher(Argon2Cost{8, passes, 1}, std::nullopt).hash("kuda laut biru 9"),
                    "kuda laut biru 9")
            .matches;
    };
    CHECK(matches(100));
    CHECK_FALSE(matches(101));
}

TEST_CASE("bcrypt hashes of the first version verify and are outdated") {
    const PasswordHasher hasher({}, std::nullopt);
    for (const std::string prefix : {"$2a$", "$2b$", "$2y$"}) {
        const auto stored = legacy(bcrypt("rahasia lama", prefix));
        REQUIRE(stored.hash.size() == 60);
        const auto verdict = hasher.verify(stored, "rahasia lama");
        CHECK(verdict.matches);
        CHECK(verdict.outdated);
        CHECK_FALSE(hasher.verify(stored, "rahasia baru").matches);
        // bcrypt itself stops at a NUL; we do not.
        CHECK_FALSE(hasher.verify(stored, std::string("rahasia lama\0x", 14)).matches);
    }
}

TEST_CASE("a value that is no hash matches nothing") {
    const PasswordHasher hasher({}, std::nullopt);
    for (const std::string hash :
         {"", "rahasia", "$argon2id$v=19$m=19456,t=2,p=1$",
          "$argon2i$v=19$m=19456,t=2,p=1$YWFhYWFhYWE$YWFhYWFhYWE",
          "$argon2id$v=19$m=99999999,t=2,p=1$YWFhYWFhYWE$YWFhYWFhYWE", "$2b$10$short", "$1$abc$def", "*0"}) {
        CAPTURE(hash);
        CHECK_FALSE(hasher.verify(legacy(hash), "").matches);
        CHECK_FALSE(hasher.verify(legacy(hash), "rahasia").matches);
        CHECK_FALSE(hasher.verify(legacy(hash), hash).matches);
    }
}

TEST_CASE("a pepper goes into new hashes and old ones are taken over") {
    const std::string pepper(32, 'p');
    const PasswordHasher plain({}, std::nullopt);
    const PasswordHasher peppered({}, pepper);
    const auto before = plain.hash("kuda laut biru 9");
    const auto verdict = peppered.verify(before, "kuda laut biru 9");
    CHECK(verdict.matches);
    CHECK(verdict.outdated);
    const auto after = peppered.hash("kuda laut biru 9");
    CHECK(after.preparation == "nfc+pepper");
    CHECK(peppered.verify(after, "kuda laut biru 9").matches);
    CHECK_FALSE(peppered.verify(after, "kuda laut biru 9").outdated);
    // The database alone is of no use.
    CHECK_FALSE(plain.verify(after, "kuda laut biru 9").matches);
    CHECK_FALSE(PasswordHasher({}, std::string(32, 'q')).verify(after, "kuda laut biru 9").matches);
}

TEST_CASE("a password kept in a way that is not known matches nothing, pepper or not") {
    for (const auto& pepper : {std::optional<std::string>(), std::optional(std::string(32, 'p'))}) {
        const PasswordHasher hasher(Argon2Cost{8, 1, 1}, pepper);
        auto stored = hasher.hash("kuda laut biru 9");
        CHECK(hasher.verify(stored, "kuda laut biru 9").matches);
        stored.preparation = "nfc+salt";
        CHECK_FALSE(hasher.verify(stored, "kuda laut biru 9").matches);
    }
}

TEST_CASE("a name that no account has costs as much as a wrong password") {
    const PasswordHasher hasher(Argon2Cost{4096, 3, 1}, std::nullopt);
    const auto stored = hasher.hash("kuda laut biru 9");
    const auto cpu_time = [](auto work) {
        timespec before{};
        timespec after{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        for (int i = 0; i < 5; ++i) work();
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        return static_cast<double>(after.tv_sec - before.tv_sec) +
               static_cast<double>(after.tv_nsec - before.tv_nsec) * 1e-9;
    };
    const auto wrong = cpu_time([&] { CHECK_FALSE(hasher.verify(stored, "kuda laut biru 8").matches); });
    const auto nobody = cpu_time([&] { hasher.verify_nothing("kuda laut biru 8"); });
    CHECK(nobody > wrong / 2);
    CHECK(nobody < wrong * 2);
}

TEST_CASE("text that is no UTF-8 is refused when hashed and matches nothing") {
    const PasswordHasher hasher({}, std::nullopt);
    CHECK_THROWS(hasher.hash("\xFF\xFE kuda laut"));
    CHECK_FALSE(hasher.verify(hasher.hash("kuda laut biru 9"), "\xFF\xFE").matches);
}
