// kill -9 after each single write of each call that changes an account or ends sessions, on both stores: what
// was half-done is finished or has never been, and repeating the call finishes it.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "test/integration/auth/service_fixture.hpp"
#include "test/integration/auth/store_fixture.hpp"
#include "test/support/gate.hpp"
#include "test/support/token.hpp"

using namespace std::chrono_literals;
using auth_test::kPassword;
using auth_test::Service;
using auth_test::Tokens;
using test::Reply;
using Kind = test::UserStore;

namespace {

constexpr int kMostWrites = 40;  // of one call, and of what else runs meanwhile

// MongoDB: a message with a writing command; not what the sweeper deletes. PostgreSQL: any; there a call is
// one transaction or one statement.
bool is_write(Kind kind, std::string_view piece) {
    if (kind == Kind::postgres) return true;
    for (const std::string_view command : {"insert", "update", "delete", "findAndModify"}) {
        if (piece.find(command) != 26)
            continue;  // first member of its document: after 16 + 4 + 1 + 4 + 1 bytes
        return command != "delete" || piece.substr(0, 60).find("users") != std::string_view::npos ||
               piece.substr(0, 60).find("changes") != std::string_view::npos;
    }
    return false;
}

struct Target {
    std::string id;
    std::string etag;
    Tokens tokens;  // the session that the call is to end, or that makes it
    Tokens other;   // another one of the account's
};

struct Call {
    const char* name;
    const char* event;  // that the audit has once it has happened
    const char* method;
    const char* path;  // {id} is the account
    const char* body;
    bool by_owner = false;
    bool keeps_own = false;    // only the account's other sessions end
    bool one_session = false;  // the account itself stays as it is
};

const std::vector<Call> kAdminsCalls{
    {"role", "role_changed", "PATCH", "/api/auth/users/{id}", R"({"role":"dosen"})"},
    {"nim", "nim_changed", "PATCH", "/api/auth/users/{id}", R"({"nim":null})"},
    {"disabled", "account_disabled", "PATCH", "/api/auth/users/{id}", R"({"disabled":true})"},
    {"password reset", "password_reset", "PATCH", "/api/auth/users/{id}", R"({"password":"jeruk-manis-77"})"},
    {"deletion", "account_deleted", "DELETE", "/api/auth/users/{id}", ""},
    {"sessions ended by an admin", "sessions_ended_by_admin", "DELETE", "/api/auth/users/{id}/sessions", ""},
};

const std::vector<Call> kOwnersCalls{
    {"own password", "password_changed", "PUT", "/api/auth/me/password",
     R"({"current_password":"kuda-laut-biru-9","new_password":"jeruk-manis-77"})", true, true},
    {"other sessions", "other_sessions_ended", "DELETE", "/api/auth/sessions", "", true, true},
    {"logout", "logout", "POST", "/api/auth/logout", "", true, false, true},
};

class HalfDone {
  public:
    explicit HalfDone(Kind kind)
        : kind_(kind), service_(kind), gate_(port_of(service_.uri())), admin_(service_.login("admin")) {}

    Target make_target() {
        const std::string name = "orang" + std::to_string(++made_);
        const auto created = service_.post("/api/auth/users",
                                           R"({"username":")" + name + R"(","email":")" + name +
                                               R"(@kampus.ac.id","password":")" + kPassword +
                                               R"(","nim":"N)" + std::to_string(made_) + "\"}",
                                           admin_.access);
        REQUIRE(created.status == 201);
        Target target;
        target.id = created.text("id");
        target.tokens = service_.login(name);
        target.other = service_.login(name);
        target.etag = read(target).header("ETag");
        return target;
    }

    // The call at a process of its own, which is killed after its `write`th write; false: it came to its end.
    bool killed_after(int write, const Call& call, const Target& target) {
        if (!victim_ || !victim_->running()) {
            victim_ = std::make_unique<test::Process>(
                test::binary("auth-service"), std::vector<std::string>{"serve"},
                service_.environment({{"PORT", "0"}, {"MONGO_URI", through_gate()}}));
            victim_port_ = victim_->wait_port();
            REQUIRE(victim_->wait_output("\"database_prepared\""));
        }
        service_.process().signal(SIGSTOP);  // nobody heals meanwhile
        gate_.at_answer(
            write, [kind = kind_](std::string_view piece) { return is_write(kind, piece); },
            [pid = victim_->pid()] { kill(pid, SIGKILL); });
        bool answered = false;
        try {
            answered = send(victim_port_, call, target).status < 300;
        } catch (const std::exception&) {  // no answer at all
        }
        gate_.at_answer(0, nullptr, nullptr);
        std::this_thread::sleep_for(100ms);  // what the dead one had sent on another connection arrives
        service_.process().signal(SIGCONT);
        return !answered;
    }

    Reply repeat(const Call& call, const Target& target) { return send(service_.port(), call, target); }

    // Within the second in which others learn it, and what they may be late.
    bool ended(const Tokens& tokens) {
        const auto deadline = std::chrono::steady_clock::now() + 3s;
        while (service_.get("/api/auth/verify", tokens.access).status != 401) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(20ms);
        }
        return service_.get("/api/auth/me", tokens.access).status == 401 &&
               service_.refresh(tokens.refresh).status == 401;
    }
    bool alive(const Tokens& tokens) {
        return service_.get("/api/auth/verify", tokens.access).status == 204 &&
               service_.get("/api/auth/me", tokens.access).status == 200;
    }
    // Before anybody has finished what was left: the stamp alone says it.
    bool refused(const Tokens& tokens) { return service_.get("/api/auth/me", tokens.access).status == 401; }

    bool happened(const Call& call, const Target& target) {
        if (call.one_session) {  // an end that was begun is always finished
            std::this_thread::sleep_for(1s);
            return !alive(target.tokens);
        }
        const auto account = read(target);
        return account.status == 404 || account.header("ETag") != target.etag;
    }

    // Exactly one record, which may come a moment after the sessions have ended.
    bool audited(const Call& call, const Target& target) {
        const auto deadline = std::chrono::steady_clock::now() + 3s;
        while (records(call, target) == 0 && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(50ms);
        return records(call, target) == 1;
    }
    std::size_t records(const Call& call, const Target& target) {
        boost::asio::io_context io;
        auth::store::DatabaseOptions options;
        options.uri = service_.uri();
        options.sql_dir = test::source_path("sql/auth");
        const auto database = auth::store::open_database(io, options);
        auth::store::AuditQuery query;
        query.subject = target.id;
        query.event = call.event;
        return auth_test::run(io, database->audit().list(query))->size();
    }

  private:
    static std::uint16_t port_of(const std::string& uri) {
        const auto slash = uri.find('/', uri.find("://") + 3);
        return static_cast<std::uint16_t>(std::stoi(uri.substr(uri.substr(0, slash).rfind(':') + 1)));
    }
    std::string through_gate() const {
        const auto& uri = service_.uri();
        const auto slash = uri.find('/', uri.find("://") + 3);
        const auto colon = uri.substr(0, slash).rfind(':');
        const auto host = uri.find_last_of("/@", colon) + 1;
        return uri.substr(0, host) + "127.0.0.1:" + std::to_string(gate_.port()) + uri.substr(slash);
    }
    Reply read(const Target& target) { return service_.get("/api/auth/users/" + target.id, admin_.access); }
    Reply send(std::uint16_t port, const Call& call, const Target& target) {
        std::string path = call.path;
        if (const auto at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, target.id);
        const std::string body = call.body;
        test::HeaderList headers{test::bearer(call.by_owner ? target.tokens.access : admin_.access)};
        if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
        return test::request(port, call.method, path, headers, body);
    }

    Kind kind_;
    Service service_;
    test::Gate gate_;
    std::unique_ptr<test::Process> victim_;
    std::uint16_t victim_port_ = 0;
    Tokens admin_;
    int made_ = 0;
};

void kill_between_writes(Kind kind, const std::vector<Call>& calls) {
    if (!test::have_servers(kind)) return;
    HalfDone half(kind);
    for (const auto& call : calls) {
        CAPTURE(call.name);
        int kills = 0;
        for (int write = 1; write <= kMostWrites; ++write) {
            CAPTURE(write);
            const auto target = half.make_target();
            const auto& doomed = call.keeps_own ? target.other : target.tokens;
            if (!half.killed_after(write, call, target)) {
                CHECK(half.ended(doomed));
                CHECK(half.audited(call, target));
                break;
            }
            ++kills;
            REQUIRE(write < kMostWrites);
            if (half.happened(call, target)) {
                CHECK(half.refused(doomed));
                CHECK(half.ended(doomed));
                CHECK(half.audited(call, target));
            } else {
                CHECK(half.alive(target.tokens));
                CHECK(half.alive(target.other));
                CHECK(half.records(call, target) == 0);
            }
            half.repeat(call, target);
            CHECK(half.ended(doomed));
            if (call.keeps_own) CHECK(half.alive(target.tokens));
        }
        CHECK(kills >= (kind == Kind::mongo ? 4 : 1));
    }
}

}  // namespace

TEST_CASE("an admin's call that is killed between two writes is done as a whole or not at all (MongoDB)") {
    kill_between_writes(Kind::mongo, kAdminsCalls);
}

TEST_CASE("an admin's call that is killed between two writes is done as a whole or not at all (PostgreSQL)") {
    kill_between_writes(Kind::postgres, kAdminsCalls);
}

TEST_CASE("an owner's call that is killed between two writes is done as a whole or not at all (MongoDB)") {
    kill_between_writes(Kind::mongo, kOwnersCalls);
}

TEST_CASE("an owner's call that is killed between two writes is done as a whole or not at all (PostgreSQL)") {
    kill_between_writes(Kind::postgres, kOwnersCalls);
}
