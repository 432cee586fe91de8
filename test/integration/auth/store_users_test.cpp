// The contract of UserStore, on both stores.
#include <catch2/catch.hpp>
#include <set>

#include "test/integration/auth/store_fixture.hpp"

using namespace auth::store;
using auth::domain::Role;
using auth_test::new_account;
using auth_test::run;
using auth_test::StoreFixture;
using Kind = test::UserStore;

namespace {

const WallTime kNow{std::chrono::milliseconds(1'800'000'000'123)};

}  // namespace

TEST_CASE("an account is found by id and by name and e-mail in any case") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    auto account = new_account("Budi.Santoso");
    account.nim = "22001";
    account.role = Role::dosen;
    account.must_change_password = true;
    account.password.preparation = "nfc+pepper";
    const auto inserted = run(store.io, store.users().insert(account, kNow));
    REQUIRE(inserted.has_value());
    CHECK(inserted->id.size() == 24);

    for (const auto& found : {run(store.io, store.users().find_by_id(inserted->id)),
                              run(store.io, store.users().find_by_username("budi.santoso")),
                              run(store.io, store.users().find_by_username("Budi.Santoso")),
                              run(store.io, store.users().find_by_email("BUDI.SANTOSO@Kampus.ac.id"))}) {
        REQUIRE(found.has_value());
        REQUIRE(found->has_value());
        CHECK((*found)->id == inserted->id);
        CHECK((*found)->username == "Budi.Santoso");
        CHECK((*found)->email == "Budi.Santoso@kampus.ac.id");
        CHECK((*found)->password.hash == account.password.hash);
        CHECK((*found)->password.preparation == "nfc+pepper");
        CHECK((*found)->role == Role::dosen);
        CHECK((*found)->nim == "22001");
        CHECK((*found)->must_change_password);
        CHECK_FALSE((*found)->disabled);
        CHECK((*found)->version == 1);
        CHECK((*found)->created_at == kNow);
    }
    for (const std::string id : {"", "x", "000000000000000000000000", "{\"$ne\":null}"}) {
        const auto none = run(store.io, store.users().find_by_id(id));
        REQUIRE(none.has_value());
        CHECK_FALSE(none->has_value());
    }
    CHECK_FALSE(run(store.io, store.users().find_by_username("$ne"))->has_value());
    CHECK_FALSE(run(store.io, store.users().find_by_email("' or 1=1 --"))->has_value());
}

TEST_CASE("a name an address and a NIM belong to one account only") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    auto first = new_account("budi");
    first.nim = "22001";
    REQUIRE(run(store.io, store.users().insert(first, kNow)).has_value());

    auto same_name = new_account("BUDI");
    same_name.email = "other@kampus.ac.id";
    CHECK(run(store.io, store.users().insert(same_name, kNow)).error() == Errc::username_taken);
    auto same_email = new_account("other");
    same_email.email = "Budi@KAMPUS.ac.id";
    CHECK(run(store.io, store.users().insert(same_email, kNow)).error() == Errc::email_taken);
    auto same_nim = new_account("third");
    same_nim.nim = "22001";
    CHECK(run(store.io, store.users().insert(same_nim, kNow)).error() == Errc::nim_taken);

    // Any number of accounts have none.
    for (const std::string name : {"fourth", "fifth"})
        CHECK(run(store.io, store.users().insert(new_account(name), kNow)).has_value());
    const auto fourth = run(store.io, store.users().find_by_username("fourth"));
    AccountPatch patch;
    patch.nim = std::optional<std::string>("22001");
    CHECK(run(store.io, store.users().update((*fourth)->id, patch, std::nullopt, kNow)).error() ==
          Errc::nim_taken);
}

TEST_CASE("of many registrations of one name at once exactly one wins") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    std::vector<awaitable<Result<Account>>> inserts;
    for (int i = 0; i < 40; ++i) {
        auto account = new_account(i % 2 == 0 ? "budi" : "BUDI");
        account.email = "budi" + std::to_string(i) + "@kampus.ac.id";
        inserts.push_back(store.users().insert(account, kNow));
    }
    int won = 0;
    for (const auto& result : auth_test::run_all(store.io, inserts)) {
        if (result)
            ++won;
        else
            CHECK(result.error() == Errc::username_taken);
    }
    CHECK(won == 1);
}

TEST_CASE("a change gives the new account and raises its version") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    const auto account = run(store.io, store.users().insert(new_account("budi"), kNow)).value();

    AccountPatch patch;
    patch.role = Role::dosen;
    patch.nim = std::optional<std::string>("22001");
    patch.disabled = true;
    patch.ending.emplace();
    patch.ending->kept = "s1";
    const auto later = kNow + std::chrono::seconds(5);
    auto changed = run(store.io, store.users().update(account.id, patch, 1, later));
    REQUIRE(changed.has_value());
    REQUIRE(changed->has_value());
    CHECK((*changed)->account.role == Role::dosen);
    CHECK((*changed)->account.nim == "22001");
    CHECK((*changed)->account.disabled);
    CHECK((*changed)->account.version == 2);
    CHECK((*changed)->account.stamp == account.stamp + 1);
    CHECK((*changed)->account.kept_session == "s1");
    CHECK((*changed)->account.updated_at == later);
    CHECK((*changed)->account.created_at == kNow);
    CHECK((*changed)->account.password.hash == account.password.hash);

    AccountPatch unlink;
    unlink.nim = std::optional<std::string>();
    CHECK(run(store.io, store.users().update(account.id, unlink, 1, later)).error() ==
          Errc::version_conflict);
    changed = run(store.io, store.users().update(account.id, unlink, 2, later));
    CHECK_FALSE((*changed)->account.nim);
    CHECK((*changed)->account.role == Role::dosen);
    CHECK((*changed)->account.version == 3);
    CHECK((*changed)->account.stamp == account.stamp + 1);

    const std::string nobody = "000000000000000000000000";
    CHECK_FALSE(run(store.io, store.users().update(nobody, unlink, std::nullopt, later))->has_value());
    CHECK_FALSE(run(store.io, store.users().update(nobody, unlink, 1, later))->has_value());
}

TEST_CASE("a password is replaced only by who saw the old hash") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    const auto account = run(store.io, store.users().insert(new_account("budi"), kNow)).value();
    std::vector<awaitable<Result<std::optional<Changed>>>> changes;
    for (int i = 0; i < 20; ++i) {
        AccountPatch patch;
        patch.password = auth::domain::StoredPassword{"hash " + std::to_string(i), "nfc"};
        changes.push_back(store.users().replace_password(account.id, account.password.hash, patch, kNow));
    }
    int won = 0;
    for (const auto& result : auth_test::run_all(store.io, changes)) {
        REQUIRE(result.has_value());
        won += *result ? 1 : 0;
    }
    CHECK(won == 1);
    const auto now = run(store.io, store.users().find_by_id(account.id));
    CHECK((*now)->password.hash.starts_with("hash "));
    CHECK((*now)->version == 2);
    CHECK((*now)->stamp == account.stamp);
}

TEST_CASE("an account is removed once and only at the version that was seen") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    const auto account = run(store.io, store.users().insert(new_account("budi"), kNow)).value();
    CHECK(run(store.io, store.users().remove(account.id, 7, {}, {})).error() == Errc::version_conflict);
    CHECK(run(store.io, store.users().remove(account.id, 1, {}, {}))->has_value());
    CHECK_FALSE(run(store.io, store.users().remove(account.id, 1, {}, {}))->has_value());
    CHECK_FALSE(run(store.io, store.users().remove(account.id, std::nullopt, {}, {}))->has_value());
    CHECK_FALSE(run(store.io, store.users().find_by_username("budi"))->has_value());
    CHECK(run(store.io, store.users().insert(new_account("budi"), kNow))
              .has_value());  // the name is free again
}

TEST_CASE("accounts are listed page by page and filtered") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    CHECK_FALSE(run(store.io, store.users().any_admin()).value());
    std::set<std::string> all;
    for (int i = 0; i < 25; ++i) {
        auto account = new_account("user." + std::to_string(i));
        if (i % 5 == 0) account.role = i == 20 ? Role::admin : Role::dosen;
        all.insert(run(store.io, store.users().insert(account, kNow))->id);
    }
    CHECK(run(store.io, store.users().any_admin()).value());

    std::set<std::string> seen;
    AccountQuery query;
    query.limit = 10;
    std::vector<std::size_t> pages;
    while (true) {
        const auto page = run(store.io, store.users().list(query));
        REQUIRE(page.has_value());
        pages.push_back(page->size());
        if (page->empty()) break;
        for (const auto& account : *page) CHECK(seen.insert(account.id).second);
        query.after = page->back().id;
    }
    CHECK(pages == std::vector<std::size_t>{10, 10, 5, 0});
    CHECK(seen == all);

    const auto count = [&](AccountQuery wanted) {
        wanted.limit = 200;
        return run(store.io, store.users().list(wanted))->size();
    };
    AccountQuery dosen;
    dosen.role = Role::dosen;
    CHECK(count(dosen) == 4);
    AccountQuery disabled;
    disabled.disabled = true;
    CHECK(count(disabled) == 0);
    AccountQuery text;
    text.text = "USER.1";
    CHECK(count(text) == 11);
    for (const std::string pattern : {"user%", "u.er", "^user", "user_1", ".*"}) {
        CAPTURE(pattern);
        text.text = pattern;  // letters, not a pattern
        CHECK(count(text) == 0);
    }
}
