// Refresh, logout, sessions, the feed: the real binary on both stores.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <future>
#include <set>
#include <thread>

#include "shared/base/random.hpp"
#include "shared/http/cursor.hpp"
#include "test/integration/auth/service_fixture.hpp"
#include "test/support/token.hpp"

using namespace std::chrono_literals;
using auth_test::feed_of;
using auth_test::kPassword;
using auth_test::Service;
using auth_test::Tokens;
using auth_test::tokens_of;
using test::Reply;
using Kind = test::UserStore;

namespace {

std::set<std::string> sids_of(const Reply& reply) {
    std::set<std::string> result;
    const auto json = reply.json();
    for (const auto& entry : json["entries"].GetArray()) result.insert(entry["sid"].GetString());
    return result;
}

std::string current_sid(Service& service, const std::string& access) {
    return service.call("GET", "/api/auth/verify", "", access).header("X-Session-Id");
}

}  // namespace

TEST_CASE("a refresh token rotates and each one leads on once") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    auto tokens = service.login("22001");
    for (int i = 0; i < 5; ++i) {
        const auto reply = service.refresh(tokens.refresh);
        REQUIRE(reply.status == 200);
        CHECK(reply.header("Cache-Control") == "no-store");
        const auto next = tokens_of(reply);
        CHECK(next.refresh != tokens.refresh);
        CHECK(service.get("/api/auth/me", next.access).status == 200);
        tokens = next;
    }
    for (const auto& bad : {std::string("x"), std::string("a.0.b"), tokens.refresh + "x"})
        CHECK(service.refresh(bad).status == 401);
    CHECK(service.refresh(tokens.refresh).status == 200);
}

TEST_CASE("two tabs and a lost answer get the same successor until it has been used and a while after") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto first = service.login("22001");
    const auto second = tokens_of(service.refresh(first.refresh));
    const auto again = [&] {
        const auto reply = service.refresh(first.refresh);
        return reply.status == 200 && reply.text("refresh_token") == second.refresh;
    };
    for (int i = 0; i < 12; ++i) CHECK(again());
    const auto third = tokens_of(service.refresh(second.refresh));
    for (int i = 0; i < 10; ++i) CHECK(again());
    CHECK(service.refresh(second.refresh).text("refresh_token") == third.refresh);
    const auto stolen = service.refresh(first.refresh);
    CHECK(stolen.status == 401);
    CHECK(stolen.text("code") == "refresh_token_reused");
    CHECK(service.refresh(third.refresh).status == 401);
    CHECK(service.get("/api/auth/me", third.access).status == 401);
    CHECK(service.process().wait_output("\"what\":\"refresh_token_reused\""));
}

TEST_CASE("a token from further back ends the session at once") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind, {{"REFRESH_GRACE_S", "60"}});
    const auto first = service.login("22001");
    auto last = first;
    for (int i = 0; i < 3; ++i) last = tokens_of(service.refresh(last.refresh));
    CHECK(service.refresh(first.refresh).text("code") == "refresh_token_reused");
    CHECK(service.refresh(last.refresh).status == 401);
}

TEST_CASE("without a grace window a token ends the session once its successor has been used") {
    if (!test::have_servers(Kind::postgres)) return;
    Service service(Kind::postgres, {{"REFRESH_GRACE_S", "0"}});
    const auto first = service.login("22001");
    const auto second = tokens_of(service.refresh(first.refresh));
    REQUIRE(service.refresh(second.refresh).status == 200);
    CHECK(service.refresh(first.refresh).text("code") == "refresh_token_reused");
}

TEST_CASE("a hundred parallel refreshes of one token rotate it once") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto replica = service.start_replica();
    const auto replica_port = replica->wait_port();
    const auto tokens = service.login("22001");
    std::vector<Reply> replies(100);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < replies.size(); ++i)
        threads.emplace_back([&, i] {
            replies[i] = test::post_json(i % 2 == 0 ? service.port() : replica_port, "/api/auth/refresh",
                                         R"({"refresh_token":")" + tokens.refresh + "\"}");
        });
    for (auto& thread : threads) thread.join();
    std::set<std::string> successors;
    int granted = 0;
    for (const auto& reply : replies) {
        CHECK((reply.status == 200 || reply.status == 401));
        if (reply.status != 200) continue;
        ++granted;
        successors.insert(reply.text("refresh_token"));
    }
    CHECK(successors.size() == 1);
    CHECK(granted == 100);
    CHECK(successors.begin()->find(".1.") != std::string::npos);
}

TEST_CASE("after the 204 of a logout no token of that session lives") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    for (int round = 0; round < 8; ++round) {
        const auto tokens = service.login("22001");
        auto refreshing = std::async(std::launch::async, [&] { return service.refresh(tokens.refresh); });
        const auto logout = service.post("/api/auth/logout", "", tokens.access);
        const auto refreshed = refreshing.get();
        REQUIRE(logout.status == 204);
        CHECK(service.get("/api/auth/me", tokens.access).status == 401);
        CHECK(service.refresh(tokens.refresh).status == 401);
        if (refreshed.status == 200) {
            CHECK(service.get("/api/auth/me", refreshed.text("access_token")).status == 401);
            CHECK(service.refresh(refreshed.text("refresh_token")).status == 401);
        }
    }
    CHECK(service.post("/api/auth/logout", "").status == 401);
}

TEST_CASE("a refresh at one replica against the logout at another leaves no token that lives") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto replica = service.start_replica();
    const std::uint16_t ports[] = {service.port(), replica->wait_port()};
    const auto refresh_at = [](std::uint16_t port, const std::string& token) {
        return test::post_json(port, "/api/auth/refresh", R"({"refresh_token":")" + token + "\"}");
    };
    for (int round = 0; round < 8; ++round) {
        const auto tokens = service.login("22001");
        auto refreshing =
            std::async(std::launch::async, [&] { return refresh_at(ports[1], tokens.refresh); });
        const auto logout = service.post("/api/auth/logout", "", tokens.access);
        const auto ended = std::chrono::steady_clock::now();
        REQUIRE(logout.status == 204);
        const auto refreshed = refreshing.get();
        std::vector<std::string> access{tokens.access};
        // Whoever won, the session is over for every refresh token of it, at once and everywhere.
        std::vector<std::string> refresh{tokens.refresh};
        if (refreshed.status == 200) {
            access.push_back(refreshed.text("access_token"));
            refresh.push_back(refreshed.text("refresh_token"));
        }
        for (const auto port : ports) {
            for (const auto& token : refresh) CHECK(refresh_at(port, token).status == 401);
            for (const auto& token : access) {
                unsigned status = 204;
                while (status == 204 && std::chrono::steady_clock::now() - ended < 1s)
                    status = test::get(port, "/api/auth/verify", {test::bearer(token)}).status;
                CHECK(status == 401);
            }
        }
    }
}

TEST_CASE("sessions are listed and ended one by one or all but this one") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto here = service.login("22001");
    const auto second = service.login("22001");
    const auto third = service.login("22001");
    const auto other = service.login("dosen");
    const auto list = service.get("/api/auth/sessions", here.access);
    REQUIRE(list.status == 200);
    const auto json = list.json();
    REQUIRE(json.Size() == 3);
    int current = 0;
    for (const auto& session : json.GetArray()) current += session["current"].GetBool() ? 1 : 0;
    CHECK(current == 1);

    const auto foreign = current_sid(service, other.access);
    CHECK(service.call("DELETE", "/api/auth/sessions/" + foreign, "", here.access).status == 404);
    CHECK(service.call("DELETE", "/api/auth/sessions/none", "", here.access).status == 404);
    CHECK(service.get("/api/auth/me", other.access).status == 200);
    const auto sid = current_sid(service, second.access);
    CHECK(service.call("DELETE", "/api/auth/sessions/" + sid, "", here.access).status == 204);
    CHECK(service.get("/api/auth/me", second.access).status == 401);
    CHECK(service.call("DELETE", "/api/auth/sessions", "", here.access).status == 204);
    CHECK(service.get("/api/auth/me", third.access).status == 401);
    CHECK(service.get("/api/auth/me", here.access).status == 200);
    CHECK(service.get("/api/auth/sessions", here.access).json().Size() == 1);
}

TEST_CASE("the own sessions come in pages, newest first, each once") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    std::vector<std::string> sids;
    Tokens last;
    for (int i = 0; i < 5; ++i) {
        last = service.login("22001");
        sids.insert(sids.begin(), current_sid(service, last.access));
    }
    service.login("dosen");
    std::vector<std::string> listed;
    std::vector<std::size_t> sizes;
    std::string path = "/api/auth/sessions?limit=2";
    while (!path.empty() && sizes.size() < 5) {
        const auto page = service.get(path, last.access);
        REQUIRE(page.status == 200);
        const auto json = page.json();
        sizes.push_back(json.Size());
        for (const auto& session : json.GetArray()) listed.emplace_back(session["sid"].GetString());
        const auto link = page.header("Link");
        CHECK((link.empty() || link.ends_with(">; rel=\"next\"")));
        path = link.empty() ? "" : link.substr(1, link.find('>') - 1);
    }
    CHECK(sizes == std::vector<std::size_t>{2, 2, 1});
    CHECK(listed == sids);
    CHECK_FALSE(service.get("/api/auth/sessions?limit=5", last.access).has_header("Link"));
    CHECK(service.get("/api/auth/sessions?limit=4", last.access).has_header("Link"));
    // A cursor of another list is none of this one's, nor is one without a position in it.
    const auto admin = service.login("admin").access;
    const auto link = service.get("/api/auth/users?limit=1", admin).header("Link");
    const auto at = link.find("after=") + 6;
    const auto after = link.substr(at, link.find_first_of("&>", at) - at);
    CHECK(service.get("/api/auth/users?limit=1&after=" + after, admin).status == 200);
    for (const std::string& wrong :
         {after, std::string("x"), std::string(), shared::http::make_cursor("/api/auth/sessions", "5"),
          shared::http::make_cursor("/api/auth/sessions", "x.sid"),
          shared::http::make_cursor("/api/auth/sessions", ".sid"),
          shared::http::make_cursor("/api/auth/sessions", "-1.sid"),
          shared::http::make_cursor("/api/auth/sessions", "9000000000001.sid")}) {
        CAPTURE(wrong);
        const auto refused = service.get("/api/auth/sessions?after=" + wrong, admin);
        CHECK(refused.status == 422);
        CHECK(refused.body.find("\"parameter\":\"after\"") != std::string::npos);
    }
}

TEST_CASE(
    "query keys that a call does not name, and keys given twice, are refused; health and keys do not mind") {
    if (!test::have_servers(Kind::postgres)) return;
    Service service(Kind::postgres);
    const auto admin = service.login("admin").access;
    for (const std::string target :
         {"/api/auth/users?page=2", "/api/auth/users?limit=1&limit=1", "/api/auth/me?x",
          "/api/auth/sessions?sid=a", "/api/auth/verify?x=1", "/api/auth/users/none?fields=nim"}) {
        CAPTURE(target);
        CHECK(service.get(target, admin).status == 422);
    }
    CHECK(service.post("/api/auth/login?x=1", R"({"username":"admin","password":"x"})").status == 422);
    CHECK(service.feed("?wait=0&cursor=x").status == 422);
    for (const std::string target : {"/health?x=1&x=2", "/api/auth/health?x=1", "/livez?x=1", "/metrics?x=1",
                                     "/.well-known/jwks.json?x=1"}) {
        CAPTURE(target);
        CHECK(service.get(target).status == 200);
    }
    for (const auto& [path, allow] : {std::pair{"/api/auth/users/x", "DELETE, GET, HEAD, OPTIONS, PATCH"},
                                      std::pair{"/api/auth/sessions", "DELETE, GET, HEAD, OPTIONS"},
                                      std::pair{"/api/auth/login", "OPTIONS, POST"}}) {
        const auto options = service.call("OPTIONS", path);
        CHECK(options.status == 204);
        CHECK(options.header("Allow") == allow);
    }
}

TEST_CASE("verify answers programs and nginx") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto tokens = service.login("22001");
    const auto post = service.post("/api/auth/verify", "", tokens.access);
    REQUIRE(post.status == 200);
    CHECK(post.json()["valid"].GetBool());
    CHECK(std::string(post.json()["user"]["nim"].GetString()) == "22001");
    const auto get = service.get("/api/auth/verify", tokens.access);
    CHECK(get.status == 204);
    CHECK(get.header("X-User-Role") == "mahasiswa");
    CHECK(get.header("X-User-Nim") == "22001");
    CHECK(get.header("X-User-Id") == service.id_of(tokens.access));
    for (const auto& headers : std::vector<test::HeaderList>{{},
                                                             {{"Authorization", "Bearer x"}},
                                                             {{"Authorization", "Basic YTpi"}},
                                                             {test::bearer(tokens.access + "x")}}) {
        for (const std::string method : {"GET", "POST"}) {
            const auto reply = test::request(service.port(), method, "/api/auth/verify", headers);
            CHECK(reply.status == 401);
            CHECK(reply.has_header("WWW-Authenticate"));
            if (method == "POST") CHECK_FALSE(reply.json()["valid"].GetBool());
        }
    }
    CHECK(test::get(service.port(), "/api/auth/verify",
                    {test::bearer(tokens.access), test::bearer(tokens.access)})
              .status == 400);
    service.post("/api/auth/logout", "", tokens.access);
    CHECK(service.get("/api/auth/verify", tokens.access).status == 401);
}

TEST_CASE("the feed gives a snapshot and then each ended session within a second from any replica") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto replica = service.start_replica();
    const auto replica_port = replica->wait_port();
    const auto before = service.login("22001");
    const auto before_sid = current_sid(service, before.access);
    REQUIRE(service.post("/api/auth/logout", "", before.access).status == 204);

    CHECK(test::get(service.port(), "/internal/revocations").status == 401);
    CHECK(test::get(service.port(), "/internal/revocations", {test::bearer(before.access)}).status == 401);
    CHECK(service.feed("?wait=31").status == 422);
    CHECK(service.feed("?wait=x").status == 422);

    const auto snapshot = service.feed();
    REQUIRE(snapshot.status == 200);
    CHECK(sids_of(snapshot) == std::set<std::string>{before_sid});
    CHECK_FALSE(snapshot.json()["reset"].GetBool());
    CHECK(service.feed("?since=nonsense").json()["reset"].GetBool());

    std::string cursor = snapshot.text("cursor");
    const auto quiet = std::chrono::steady_clock::now();
    const auto nothing = service.feed("?wait=1&since=" + cursor);
    CHECK(nothing.json()["entries"].Size() == 0);
    CHECK(std::chrono::steady_clock::now() - quiet >= 900ms);
    cursor = nothing.text("cursor");

    // Ended here and at the other replica; followed here and there with the same cursor.
    for (const auto& [ends, follows] :
         {std::pair{service.port(), service.port()}, std::pair{replica_port, service.port()},
          std::pair{service.port(), replica_port}}) {
        const auto tokens = service.login("22001");
        const auto sid = current_sid(service, tokens.access);
        auto waiting = std::async(std::launch::async, [&, follows = follows] {
            // Entries may come twice, so an answer with old ones only is none.
            auto reply = feed_of(follows, "?wait=10&since=" + cursor);
            for (int i = 0; i < 20 && !sids_of(reply).contains(sid); ++i)
                reply = feed_of(follows, "?wait=10&since=" + reply.text("cursor"));
            return std::pair{reply, std::chrono::steady_clock::now()};
        });
        std::this_thread::sleep_for(300ms);  // the long-poll is to be waiting when it happens
        const auto logout = test::request(ends, "POST", "/api/auth/logout", {test::bearer(tokens.access)});
        const auto ended_at = std::chrono::steady_clock::now();
        REQUIRE(logout.status == 204);
        const auto [reply, heard_at] = waiting.get();
        CHECK(sids_of(reply).contains(sid));
        CHECK(heard_at - ended_at < 1s);
        cursor = reply.text("cursor");
    }
}

TEST_CASE("a restart forgets no ended session and understands the old cursor") {
    const auto kind = GENERATE(Kind::mongo, Kind::postgres);
    CAPTURE(test::to_string(kind));
    if (!test::have_servers(kind)) return;
    Service service(kind);
    const auto tokens = service.login("22001");
    const auto sid = current_sid(service, tokens.access);
    const auto cursor = service.feed().text("cursor");
    REQUIRE(service.post("/api/auth/logout", "", tokens.access).status == 204);
    service.restart();
    CHECK(service.get("/api/auth/me", tokens.access).status == 401);
    CHECK(service.refresh(tokens.refresh).status == 401);
    CHECK(sids_of(service.feed()).contains(sid));
    const auto later = service.feed("?since=" + cursor);
    CHECK_FALSE(later.json()["reset"].GetBool());
    CHECK(sids_of(later).contains(sid));
}

TEST_CASE("signing keys rotate under load with no token refused") {
    if (!test::have_servers(Kind::postgres)) return;
    const auto folder = std::filesystem::temp_directory_path() / ("keys-" + shared::random_id());
    const std::map<std::string, std::string> keys{{"SIGNING_KEYS_DIR", folder.string()},
                                                  {"SIGNING_KEY_PUBLISH_S", "0"}};
    {
        // The first keys, before the service starts.
        test::Process first(test::binary("auth-service"), {"rotate-key"},
                            {{"SIGNING_KEYS_DIR", folder.string()},
                             {"MONGO_URI", "postgresql://localhost/none"},
                             {"JWT_SECRET", test::kJwtSecret}});
        REQUIRE(first.wait_exit() == 0);
    }
    Service service(Kind::postgres, keys);
    CHECK(service.get("/.well-known/jwks.json").json()["keys"].Size() == 2);
    const auto old = service.login("22001");
    CHECK(old.access.starts_with("eyJhbGciOiJFUzI1NiI"));  // {"alg":"ES256"
    for (const std::string algorithm : {"EdDSA", "ES256"}) {
        const auto jwks = service.get("/.well-known/jwks.json").body;
        REQUIRE(service.command({"rotate-key", "--alg", algorithm}, "") == 0);
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (service.get("/.well-known/jwks.json").body == jwks &&
               std::chrono::steady_clock::now() < deadline)
            CHECK(service.get("/api/auth/me", old.access).status == 200);
        CHECK(service.get("/.well-known/jwks.json").body != jwks);
        CHECK(service.get("/api/auth/me", old.access).status == 200);
        const auto fresh = service.login("22001");
        CHECK(fresh.access.substr(0, fresh.access.find('.')) != old.access.substr(0, old.access.find('.')));
        CHECK(service.get("/api/auth/me", fresh.access).status == 200);
    }
    std::filesystem::remove_all(folder);
}

TEST_CASE("stopping answers long-polls at once and ends with 0") {
    if (!test::have_servers(Kind::postgres)) return;
    Service service(Kind::postgres);
    const auto cursor = service.feed().text("cursor");
    auto waiting = std::async(std::launch::async, [&] { return service.feed("?wait=30&since=" + cursor); });
    std::this_thread::sleep_for(300ms);  // the long-poll is to be waiting
    const auto start = std::chrono::steady_clock::now();
    service.process().signal(SIGTERM);
    CHECK(waiting.get().status == 200);
    CHECK(service.process().wait_exit() == 0);
    CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("with a drain delay it says that it stops, and answers and feeds until others are found") {
    if (!test::have_servers(Kind::postgres)) return;
    Service service(Kind::postgres, {{"DRAIN_DELAY_MS", "1500"}});
    const auto tokens = service.login("22001");
    service.process().signal(SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + 1s;
    while (service.get("/health").status == 200 && std::chrono::steady_clock::now() < deadline) {
    }
    CHECK(service.get("/health").text("status") == "stopping");
    CHECK(service.get("/livez").status == 200);
    const auto me = service.get("/api/auth/me", tokens.access);
    CHECK(me.status == 200);
    CHECK(me.header("Connection") == "close");
    CHECK(service.feed().status == 200);
    CHECK(service.process().wait_exit() == 0);
}
