#include "test/support/system.hpp"

#include <signal.h>

#include <fstream>
#include <stdexcept>
#include <thread>

#include "shared/base/random.hpp"
#include "shared/json/json.hpp"
#include "test/support/token.hpp"

namespace test {

const char* to_string(UserStore store) {
    return store == UserStore::mongo ? "mongo" : "postgres";
}

bool have_servers(UserStore store) {
    return have_postgres() && (store == UserStore::postgres || have_mongo());
}

namespace {

void run_command(const std::string& name, std::vector<std::string> arguments,
                 std::map<std::string, std::string> environment, const std::string& input = "") {
    const auto command = arguments.front();
    Process process(binary(name), std::move(arguments), std::move(environment), input);
    if (const int code = process.wait_exit(std::chrono::seconds(60)); code != 0)
        throw std::runtime_error(name + " " + command + " ended with " + std::to_string(code) + ":\n" +
                                 process.output());
}

void terminate(std::unique_ptr<Process>& process) {
    process->signal(SIGTERM);
    process->wait_exit(std::chrono::seconds(30));
    process.reset();
}

}  // namespace

System::System(UserStore store) : store_(store) {
    if (store == UserStore::mongo)
        auth_mongo_ = std::make_unique<MongoDatabase>();
    else
        auth_postgres_ = std::make_unique<PostgresDatabase>();

    shared::json::Writer accounts;
    accounts.array([&] {
        const std::pair<const char*, const char*> rows[] = {
            {"22001", "mahasiswa"}, {"22002", "mahasiswa"}, {"dosen", "dosen"}, {"admin", "admin"}};
        for (const auto& [username, role] : rows) {
            passwords_[username] = shared::random_id(18);
            accounts.object([&] {
                accounts.member("username", username);
                accounts.member("password", passwords_[username]);
                accounts.member("role", role);
                if (std::string(role) == "mahasiswa")
                    accounts.member("nim", username);
                else
                    accounts.member_null("nim");
            });
        }
    });
    accounts_json_ = accounts.str();
    const auto accounts_file = "/tmp/accounts-" + shared::random_id();
    std::ofstream(accounts_file) << accounts_json_;

    run_command("acad-service", {"migrate"}, acad_environment());
    run_command("acad-service", {"seed-demo"}, acad_environment());
    run_command("auth-service", {"migrate"}, auth_environment());
    run_command("auth-service", {"seed-demo", accounts_file}, auth_environment());
    std::remove(accounts_file.c_str());

    start_auth();
    start_acad();
    gateway_ = std::make_unique<Process>(
        binary("gateway"),
        std::vector<std::string>{"run", "--config", source_path("deploy/config/gateway.json")},
        std::map<std::string, std::string>{
            {"GATEWAY_PORT", "0"},
            {"ADMIN_PORT", "0"},
            {"AUTH_SERVICE", "127.0.0.1:" + std::to_string(auth_port_)},
            {"ACAD_SERVICE", "127.0.0.1:" + std::to_string(acad_port_)},
            {"PORTAL_DIR", source_path("services/portal")},
            {"DOCS_DIR", source_path("docs/openapi")},
            {"JWT_SECRET", kJwtSecret},
        });
    gateway_port_ = gateway_->wait_port("listening");
    admin_port_ = gateway_->wait_port("admin_listening");
    if (!wait_ready(200)) throw std::runtime_error("the gateway is not ready:\n" + gateway_->output());
}

System::~System() = default;

std::map<std::string, std::string> System::auth_environment() const {
    return {{"PORT", std::to_string(auth_port_)},
            {"LISTEN_ADDRESS", "127.0.0.1"},
            {"MONGO_URI", auth_mongo_ ? auth_mongo_->uri() : auth_postgres_->uri()},
            {"JWT_SECRET", kJwtSecret},
            {"SQL_DIR", source_path("sql/auth")}};
}

std::map<std::string, std::string> System::acad_environment() const {
    return {{"PORT", std::to_string(acad_port_)},
            {"LISTEN_ADDRESS", "127.0.0.1"},
            {"DATABASE_URL", acad_database_.uri()},
            {"JWT_SECRET", kJwtSecret},
            {"AUTH_FEED_URL", "http://127.0.0.1:" + std::to_string(auth_port_) + "/internal/revocations"},
            {"SQL_DIR", source_path("sql/acad")},
            {"SEED_DIR", source_path("sql/seed")}};
}

void System::start_auth() {
    auth_ = std::make_unique<Process>(binary("auth-service"), std::vector<std::string>{"serve"},
                                      auth_environment());
    auth_port_ = auth_->wait_port();
}

void System::start_acad() {
    acad_ = std::make_unique<Process>(binary("acad-service"), std::vector<std::string>{"serve"},
                                      acad_environment());
    acad_port_ = acad_->wait_port();
}

void System::stop_auth() {
    terminate(auth_);
}
void System::stop_acad() {
    terminate(acad_);
}

bool System::wait_ready(unsigned status) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
        if (test::get(gateway_port_, "/ready").status == status) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));  // polling is what /ready is for
    }
    return false;
}

std::string System::login(const std::string& username) {
    shared::json::Writer body;
    body.object([&] {
        body.member("username", username);
        body.member("password", password(username));
    });
    const auto reply = post_json(gateway_port_, "/api/auth/login", body.str());
    if (reply.status != 200)
        throw std::runtime_error("login of " + username + ": " + std::to_string(reply.status) + " " +
                                 reply.body);
    return reply.text("access_token");
}

Reply System::get_as(const std::string& username, const std::string& target) {
    auto& token = tokens_[username];
    if (token.empty()) token = login(username);
    return test::get(gateway_port_, target, {bearer(token)});
}

}  // namespace test
