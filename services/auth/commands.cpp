#include "services/auth/commands.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "services/auth/bootstrap.hpp"
#include "services/auth/crypto/issuer_keys.hpp"
#include "services/auth/domain/identifiers.hpp"
#include "services/auth/domain/unicode.hpp"
#include "services/auth/store/database.hpp"

namespace auth {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr int kTries = 30;  // about a second apart

awaitable<bool> prepare(store::Database& database, asio::io_context& io) {
    for (int attempt = 1;; ++attempt) {
        auto prepared = co_await database.prepare();
        if (prepared) co_return true;
        if (attempt == kTries || prepared.error() != store::Errc::unavailable) {
            std::cerr << "MONGO_URI: " << prepared.error().message() << '\n';
            co_return false;
        }
        asio::steady_timer pause(io, std::chrono::seconds(1));
        co_await pause.async_wait(asio::use_awaitable);
    }
}

awaitable<bool> put_all(store::Database& database, crypto::PasswordService& passwords,
                        std::vector<SeedAccount> accounts, bool update) {
    for (const auto& account : accounts) {
        auto done = co_await put_account(database, passwords, account, update);
        if (!done) {
            std::cerr << account.username << ": " << done.error().message() << '\n';
            co_return false;
        }
        std::cerr << account.username << " (" << domain::to_string(account.role) << "): ready\n";
    }
    co_return true;
}

awaitable<bool> run_all(store::Database& database, asio::io_context& io, crypto::PasswordService& passwords,
                        std::vector<SeedAccount> accounts, bool update) {
    const bool prepared = co_await prepare(database, io);
    if (!prepared) co_return false;
    co_return co_await put_all(database, passwords, std::move(accounts), update);
}

int run(const Settings& settings, std::vector<SeedAccount> accounts, bool update) {
    asio::io_context io(1);
    store::DatabaseOptions options;
    options.uri = settings.database_uri;
    options.sql_dir = settings.sql_dir;
    options.connections = 1;
    const auto database = store::open_database(io, options);
    crypto::PasswordService passwords(crypto::PasswordHasher(settings.argon2, settings.pepper), 1, 4);
    bool done = false;
    std::exception_ptr failure;
    asio::co_spawn(io, run_all(*database, io, passwords, std::move(accounts), update),
                   [&](std::exception_ptr error, bool result) {
                       failure = error;
                       done = result;
                       io.stop();
                   });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return done ? 0 : 1;
}

std::optional<std::string> option(const std::vector<std::string>& arguments, const std::string& name) {
    for (std::size_t i = 0; i + 1 < arguments.size(); ++i)
        if (arguments[i] == name) return arguments[i + 1];
    return std::nullopt;
}

}  // namespace

int migrate(const Settings& settings) {
    return run(settings, {}, false);
}

int create_admin(const Settings& settings, const std::vector<std::string>& arguments) {
    SeedAccount admin;
    admin.role = domain::Role::admin;
    admin.username = option(arguments, "--username").value_or("");
    admin.email = option(arguments, "--email").value_or("");
    if (admin.username.empty() || admin.email.empty()) {
        std::cerr << "usage: auth-service create-admin --username NAME --email ADDRESS < password\n";
        return 2;
    }
    std::getline(std::cin, admin.password);
    if (admin.password.ends_with('\r')) admin.password.pop_back();  // a file with the line ends of Windows
    if (domain::username_problem(admin.username)) {
        std::cerr << "--username: 3 to 64 letters, digits, '.', '_' or '-'\n";
        return 1;
    }
    if (domain::email_problem(admin.email)) {
        std::cerr << "--email: no e-mail address\n";
        return 1;
    }
    const auto normalized = domain::to_nfc(admin.password).value_or("");
    const domain::PasswordContext about{admin.username, admin.email, ""};
    if (domain::password_problem(normalized, about, settings.passwords)) {
        std::cerr << "the password on standard input is shorter than " << settings.passwords.min_length
                  << " characters or too easy to guess\n";
        return 1;
    }
    return run(settings, {admin}, false);
}

int seed_demo(const Settings& settings, const std::vector<std::string>& arguments) {
    if (arguments.size() != 1) {
        std::cerr << "usage: auth-service seed-demo FILE   (- reads standard input)\n";
        return 2;
    }
    std::string json;
    if (arguments[0] == "-") {
        json.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        std::ifstream file(arguments[0]);
        if (!file) {
            std::cerr << arguments[0] << ": cannot be read\n";
            return 1;
        }
        json.assign(std::istreambuf_iterator<char>(file), {});
    }
    return run(settings, read_seed(json, settings.passwords), true);
}

int rotate_key(const Settings& settings, const std::vector<std::string>& arguments) {
    const auto algorithm = shared::jwt::parse_algorithm(option(arguments, "--alg").value_or("ES256"));
    if (!algorithm || *algorithm == shared::jwt::Algorithm::hs256) {
        std::cerr << "usage: auth-service rotate-key [--alg ES256|RS256|PS256|EdDSA]\n";
        return 2;
    }
    if (!settings.signing_keys_dir) {
        std::cerr
            << "SIGNING_KEYS_DIR: not set; tokens are signed with JWT_SECRET, there is no key to rotate\n";
        return 1;
    }
    crypto::Rotation rotation;
    rotation.algorithm = *algorithm;
    rotation.publish_for = settings.key_publish_time;
    // The last token it signed, the most lenient verifier, and the seconds until every replica has read the
    // change.
    rotation.retire_after =
        settings.sessions.access_ttl + settings.sessions.leeway + std::chrono::seconds(60);
    std::cerr << crypto::rotate_key_files(*settings.signing_keys_dir, rotation, shared::system_now()) << '\n';
    return 0;
}

}  // namespace auth
