// Failed logins, audit records, old databases and outages, on both stores.
#include <catch2/catch.hpp>

#include "services/auth/store/mongo_client.hpp"
#include "test/integration/auth/store_fixture.hpp"

using namespace auth::store;
using namespace std::chrono_literals;
using auth_test::new_account;
using auth_test::run;
using auth_test::run_all;
using auth_test::StoreFixture;
using Kind = test::UserStore;

namespace {

const WallTime kNow{std::chrono::milliseconds(1'800'000'000'123)};

}  // namespace

TEST_CASE("of many who replace what they have seen of a budget one does") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    auto& throttle = store.throttle();
    FailureState seen = run(store.io, throttle.state("a")).value();
    CHECK(seen == FailureState());
    for (const FailureState& next :
         {FailureState{1, kNow, WallTime{}}, FailureState{2, kNow, kNow + 60s},
          FailureState{0, kNow, WallTime{}}, FailureState{1, kNow + 1ms, WallTime{}}}) {
        std::vector<awaitable<Result<bool>>> tries;
        for (int i = 0; i < 10; ++i) tries.push_back(throttle.replace("a", seen, next));
        int replaced = 0;
        for (const auto& result : run_all(store.io, tries)) replaced += result.value() ? 1 : 0;
        CHECK(replaced == 1);
        CHECK_FALSE(run(store.io, throttle.replace("a", FailureState(), next)).value());
        seen = run(store.io, throttle.state("a")).value();
        CHECK(seen == next);
    }
    CHECK(run(store.io, throttle.state("b")).value() == FailureState());
}

TEST_CASE("budgets are cleared one by one and leave when they are old") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    auto& throttle = store.throttle();
    const FailureState none;
    REQUIRE(run(store.io, throttle.replace("a", none, FailureState{3, kNow, kNow + 60s})).value());
    REQUIRE(run(store.io, throttle.clear("a")).has_value());
    CHECK(run(store.io, throttle.state("a")).value() == none);
    REQUIRE(run(store.io, throttle.clear("a")).has_value());

    REQUIRE(run(store.io, throttle.replace("old", none, FailureState{1, kNow - 48h, WallTime{}})).value());
    REQUIRE(run(store.io, throttle.replace("new", none, FailureState{1, kNow, WallTime{}})).value());
    CHECK(run(store.io, throttle.sweep(kNow - 24h)).value() == 1);
    CHECK(run(store.io, throttle.state("new"))->failures == 1);
}

TEST_CASE("audit records are kept in order and leave when they are old") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind);
    std::vector<AuditRecord> records;
    for (int i = 0; i < 3; ++i) {
        AuditRecord record;
        record.at = kNow - 100h * (2 - i);
        record.event = "event_" + std::to_string(i);
        record.actor = "actor";
        record.subject = "subject";
        record.name = "a \"name\" '; drop table -- \\ {$ne:1} \xC3\xA9";
        record.client_address = "10.0.0.1";
        record.request_id = "r-1";
        record.detail = "role=admin";
        records.push_back(record);
    }
    REQUIRE(run(store.io, store.audit().append(records)).has_value());
    REQUIRE(run(store.io, store.audit().append({})).has_value());
    AuditQuery query;
    query.limit = 2;
    const auto latest = run(store.io, store.audit().list(query)).value();
    REQUIRE(latest.size() == 2);
    CHECK(latest[0].event == "event_2");
    CHECK(latest[1].event == "event_1");
    CHECK(latest[0].at == kNow);
    CHECK(latest[0].name == records[0].name);
    CHECK(latest[0].detail == "role=admin");
    CHECK(run(store.io, store.audit().sweep(kNow - 150h)).value() == 1);
    query.limit = 10;
    CHECK(run(store.io, store.audit().list(query))->size() == 2);
}

TEST_CASE("preparing twice and from two replicas at once is fine") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind, false);
    const auto other = store.open_again();
    std::vector<awaitable<Result<>>> preparations;
    preparations.push_back(store.database().prepare());
    preparations.push_back(other->prepare());
    for (const auto& done : run_all(store.io, preparations)) CHECK(done.has_value());
    CHECK(run(store.io, store.database().prepare()).has_value());
    CHECK(run(store.io, store.users().insert(new_account("budi"), kNow)).has_value());
    CHECK(run(store.io, other->ping()));
}

TEST_CASE("without schema and indexes nothing is inserted") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    StoreFixture store(kind, false);
    CHECK_FALSE(run(store.io, store.users().insert(new_account("budi"), kNow)).has_value());
}

TEST_CASE("a database that is not there gives unavailable soon") {
    const std::string uri = GENERATE("mongodb://127.0.0.1:1/auth", "postgresql://postgres@127.0.0.1:1/auth");
    CAPTURE(uri);
    boost::asio::io_context io;
    DatabaseOptions options;
    options.uri = uri;
    options.sql_dir = test::source_path("sql/auth");
    const auto database = open_database(io, options);
    const auto start = std::chrono::steady_clock::now();
    CHECK(run(io, database->users().find_by_id("x")).error() == Errc::unavailable);
    CHECK(run(io, database->sessions().rotate("s", 0, kNow, SessionRules())).error() == Errc::unavailable);
    CHECK_FALSE(run(io, database->prepare()).has_value());
    CHECK_FALSE(run(io, database->ping()));
    CHECK(std::chrono::steady_clock::now() - start < 15s);
}

TEST_CASE("documents of the first version are taken over with every field") {
    if (!test::have_mongo()) return;
    StoreFixture store(Kind::mongo, false);
    MongoClient client(store.uri(), 1);
    auto fill = [](MongoSession& session) -> Result<> {
        std::vector<Bson> documents;
        for (const auto& [name, email] :
             {std::pair{"Budi", "Budi@Kampus.ac.id"}, std::pair{"budi", "b2@kampus.ac.id"},
              std::pair{"siti", "siti@kampus.ac.id"}}) {
            documents.emplace_back();
            documents.back()
                .id("_id", new_object_id())
                .text("username", name)
                .text("email", email)
                .text("password", "$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234")
                .text("role", "user")
                .time("createdAt", kNow);
        }
        documents.emplace_back();  // half a document: nothing may fall over it
        documents.back().text("_id", "odd").text("username", "odd");
        return session.insert("users", documents);
    };
    REQUIRE(run(store.io, client.run(fill)).has_value());
    REQUIRE(run(store.io, store.database().prepare()).has_value());

    const auto siti = run(store.io, store.users().find_by_username("SITI")).value();
    REQUIRE(siti);
    CHECK(siti->role == auth::domain::Role::mahasiswa);
    CHECK(siti->password.preparation == "raw");
    CHECK(siti->password.hash.starts_with("$2b$10$"));
    CHECK(siti->created_at == kNow);
    CHECK(siti->version == 1);
    // Two that differ by case only both stay reachable by their exact spelling.
    const auto first = run(store.io, store.users().find_by_username("Budi")).value();
    const auto second = run(store.io, store.users().find_by_username("budi")).value();
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->id != second->id);
    CHECK(run(store.io, store.users().find_by_email("budi@kampus.ac.id")).value()->id == first->id);
    CHECK(run(store.io, store.users().find_by_id("odd")).value()->username == "odd");
    // And no new account takes a name of theirs.
    CHECK(run(store.io, store.users().insert(new_account("Siti"), kNow)).error() == Errc::username_taken);
    AccountQuery everyone;
    CHECK(run(store.io, store.users().list(everyone))->size() == 4);

    // One that the old version of the service writes while both run is taken over when it is first seen.
    auto late = [](MongoSession& session) -> Result<> {
        std::vector<Bson> documents;
        documents.emplace_back();
        documents.back()
            .id("_id", new_object_id())
            .text("username", "Late")
            .text("email", "late@kampus.ac.id");
        documents.back().text("role", "user").text("password", "x").time("createdAt", kNow);
        return session.insert("users", documents);
    };
    REQUIRE(run(store.io, client.run(late)).has_value());
    CHECK(run(store.io, store.users().find_by_username("Late")).value()->version == 1);
    CHECK(run(store.io, store.users().find_by_username("LATE")).value()->version == 1);
}

TEST_CASE("ending a session that was interrupted between its two writes is finished by the sweeper") {
    if (!test::have_mongo()) return;
    StoreFixture store(Kind::mongo);
    Session session;
    session.sid = "s1";
    session.user_id = "u";
    session.created_at = session.last_used_at = kNow;
    session.expires_at = kNow + std::chrono::days(90);
    REQUIRE(run(store.io, store.sessions().insert(session, {})).has_value());
    MongoClient client(store.uri(), 1);
    auto half = [](MongoSession& mongo) -> Result<> {
        std::vector<Bson> documents;
        documents.emplace_back();
        documents.back().text("_id", "s1").time("ended_at", kNow).time("until", kNow + 900s);
        return mongo.insert("revocations", documents);
    };
    REQUIRE(run(store.io, client.run(half)).has_value());
    REQUIRE(run(store.io, store.sessions().sweep(kNow + 901s, SessionRules())).has_value());
    CHECK(run(store.io, store.sessions().find("s1")).value()->revoked);
    CHECK_FALSE(run(store.io, store.sessions().rotate("s1", 0, kNow + 901s, SessionRules()))->has_value());
}
