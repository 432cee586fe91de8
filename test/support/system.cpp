#include "test/support/system.hpp"

#include <signal.h>

#include <stdexcept>
#include <thread>

#include "shared/base/random.hpp"
#include "shared/json/json.hpp"
#include "shared/session/feed_token.hpp"
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

System::System(UserStore store, SystemOptions options)
    : store_(store), options_(std::move(options)), auths_(options_.auths), gateways_(options_.gateways) {
    if (store == UserStore::mongo)
        auth_mongo_ = std::make_unique<MongoDatabase>();
    else
        auth_postgres_ = std::make_unique<PostgresDatabase>();
    // Whichever auth-service starts first makes the first keys.
    if (options_.signing_keys)
        keys_dir_ = std::filesystem::temp_directory_path() / ("keys-" + shared::random_id());
    load_demo_data();
    for (std::size_t i = 0; i < auths_.size(); ++i) start_auth(i);
    start_acad();
    for (std::size_t i = 0; i < gateways_.size(); ++i) {
        start_gateway(i);
        if (!wait_ready(200, i))
            throw std::runtime_error("the gateway is not ready:\n" + gateway(i).output());
    }
}

System::~System() {
    std::error_code ignored;
    if (!keys_dir_.empty()) std::filesystem::remove_all(keys_dir_, ignored);
}

void System::load_demo_data() {
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
    run_command("acad-service", {"migrate"}, acad_environment());
    run_command("acad-service", {"seed-demo"}, acad_environment());
    run_command("auth-service", {"migrate"}, auth_environment(0));
    run_command("auth-service", {"seed-demo", "-"}, auth_environment(0), accounts.str());
}

std::string System::auth_url(std::size_t i, const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(auths_[i % auths_.size()].port) + path;
}

System::Environment System::auth_environment(std::size_t i) const {
    Environment values{{"PORT", std::to_string(auths_[i].port)},
                       {"LISTEN_ADDRESS", "127.0.0.1"},
                       {"MONGO_URI", auth_mongo_ ? auth_mongo_->uri() : auth_postgres_->uri()},
                       {"JWT_SECRET", kJwtSecret},
                       {"REGISTRATION", "open"},
                       {"SQL_DIR", source_path("sql/auth")}};
    if (!keys_dir_.empty()) values["SIGNING_KEYS_DIR"] = keys_dir_.string();
    for (const auto& [name, value] : options_.auth) values[name] = value;
    return values;
}

System::Environment System::acad_environment() const {
    Environment values{
        {"PORT", std::to_string(acad_.port)},   {"LISTEN_ADDRESS", "127.0.0.1"},
        {"DATABASE_URL", acad_database_.uri()}, {"AUTH_FEED_URL", auth_url(0, "/internal/revocations")},
        {"SQL_DIR", source_path("sql/acad")},   {"SEED_DIR", source_path("sql/seed")}};
    if (keys_dir_.empty()) {
        values["JWT_SECRET"] = kJwtSecret;
    } else {
        values["JWKS_URL"] = auth_url(0, "/.well-known/jwks.json");
        values["FEED_TOKEN"] = shared::session::derive_feed_token(kJwtSecret);
    }
    for (const auto& [name, value] : options_.acad) values[name] = value;
    return values;
}

System::Environment System::gateway_environment(std::size_t i) const {
    const auto& part = gateways_[i];
    Environment values{{"GATEWAY_PORT", std::to_string(part.port)},
                       {"ADMIN_PORT", std::to_string(part.admin_port)},
                       {"AUTH_SERVICE", "127.0.0.1:" + std::to_string(auths_[i % auths_.size()].port)},
                       {"ACAD_SERVICE", "127.0.0.1:" + std::to_string(acad_.port)},
                       {"PORTAL_DIR", source_path("services/portal")},
                       {"DOCS_DIR", source_path("docs/openapi")}};
    if (keys_dir_.empty()) {
        values["JWT_SECRET"] = kJwtSecret;
    } else {
        values["JWKS_URL"] = auth_url(i, "/.well-known/jwks.json");
        values["FEED_TOKEN"] = shared::session::derive_feed_token(kJwtSecret);
    }
    for (const auto& [name, value] : options_.gateway) values[name] = value;
    return values;
}

void System::rotate_key() {
    run_command("auth-service", {"rotate-key"}, auth_environment(0));
}

void System::start_auth(std::size_t i) {
    auths_[i].process = std::make_unique<Process>(binary("auth-service"), std::vector<std::string>{"serve"},
                                                  auth_environment(i));
    auths_[i].port = auths_[i].process->wait_port();
}

void System::start_acad() {
    acad_.process = std::make_unique<Process>(binary("acad-service"), std::vector<std::string>{"serve"},
                                              acad_environment());
    acad_.port = acad_.process->wait_port();
}

void System::start_gateway(std::size_t i) {
    auto& part = gateways_[i];
    part.process = std::make_unique<Process>(
        binary("gateway"),
        std::vector<std::string>{"run", "--config", source_path("deploy/config/gateway.json")},
        gateway_environment(i));
    part.port = part.process->wait_port("listening");
    part.admin_port = part.process->wait_port("admin_listening");
}

void System::stop_auth(std::size_t i) {
    terminate(auths_[i].process);
}
void System::stop_acad() {
    terminate(acad_.process);
}
void System::stop_gateway(std::size_t i) {
    terminate(gateways_[i].process);
}

bool System::wait_ready(unsigned status, std::size_t i) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
        if (test::get(gateway_port(i), "/ready").status == status) return true;
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
    const auto reply = post_json(gateway_port(), "/api/auth/login", body.str());
    if (reply.status != 200)
        throw std::runtime_error("login of " + username + ": " + std::to_string(reply.status) + " " +
                                 reply.body);
    return reply.text("access_token");
}

Reply System::get_as(const std::string& username, const std::string& target) {
    auto& token = tokens_[username];
    if (token.empty()) token = login(username);
    return test::get(gateway_port(), target, {bearer(token)});
}

}  // namespace test
