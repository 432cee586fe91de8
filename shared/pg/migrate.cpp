#include "shared/pg/migrate.hpp"

#include <libpq-fe.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "shared/base/encoding.hpp"
#include "shared/log/log.hpp"
#include "shared/pg/conninfo.hpp"
#include "shared/pg/pg.hpp"

namespace shared::pg {
namespace {

namespace fs = std::filesystem;

using ConnectionPtr = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using ResultPtr = std::unique_ptr<PGresult, decltype(&PQclear)>;

// "schema migrations of this project": any number, the same for all versions.
constexpr const char* kLockKey = "7316842501172";
constexpr auto kLockPatience = std::chrono::seconds(120);

struct File {
    int version;
    std::string name;
    std::string sql;
    std::string checksum;
};

void ignore_notice(void*, const char*) {}

std::string trimmed(const char* message) {
    std::string text = message != nullptr ? message : "";
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

[[noreturn]] void raise(const std::string& context, const PGconn* connection, const PGresult* result) {
    const char* field = result != nullptr ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
    const auto errc = from_sqlstate(field != nullptr ? field : "");
    const auto message = context + ": " + trimmed(PQerrorMessage(connection));
    if (errc == Errc::unavailable || errc == Errc::timeout || errc == Errc::serialization_failure) {
        throw MigrationUnavailable(message);
    }
    throw std::runtime_error(message);
}

ConnectionPtr connect(const std::string& conninfo) {
    auto keywords = parse_conninfo(conninfo);
    set_default(keywords, "connect_timeout", "5");
    set_default(keywords, "client_encoding", "UTF8");
    set_default(keywords, "keepalives_idle", "30");
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : keywords) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    ConnectionPtr connection(PQconnectdbParams(names.data(), values.data(), 0), PQfinish);
    if (!connection || PQstatus(connection.get()) != CONNECTION_OK) {
        throw MigrationUnavailable("cannot connect to the database: " +
                                   trimmed(PQerrorMessage(connection.get())));
    }
    PQsetNoticeProcessor(connection.get(), ignore_notice, nullptr);
    return connection;
}

ResultPtr execute(PGconn* connection, const std::string& context, const std::string& sql,
                  const std::vector<std::string>& params = {}) {
    std::vector<const char*> values;
    for (const auto& param : params) values.push_back(param.c_str());
    // Several statements in one text need the simple protocol, which has no values.
    ResultPtr result(params.empty() ? PQexec(connection, sql.c_str())
                                    : PQexecParams(connection, sql.c_str(), static_cast<int>(values.size()),
                                                   nullptr, values.data(), nullptr, nullptr, 0),
                     PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) raise(context, connection, result.get());
    return result;
}

// Line ends do not count, so that a checkout with CRLF has the same checksum.
std::string checksum(const std::string& sql) {
    std::string text;
    std::remove_copy(sql.begin(), sql.end(), std::back_inserter(text), '\r');
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 is not available");
    }
    return to_hex(std::string(digest.begin(), digest.begin() + length));
}

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return text;
}

std::vector<File> load(const fs::path& folder) {
    if (!fs::is_directory(folder))
        throw std::runtime_error("no folder with migrations at " + folder.string());
    std::map<int, File> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const auto name = entry.path().filename().string();
        if (!entry.is_regular_file() || entry.path().extension() != ".sql") continue;
        const bool well_named =
            name.size() > 9 && name[4] == '_' &&
            std::all_of(name.begin(), name.begin() + 4, [](char c) { return c >= '0' && c <= '9'; });
        if (!well_named) throw std::runtime_error(name + ": a migration is named NNNN_name.sql");
        const int version = std::stoi(name.substr(0, 4));
        auto sql = read(entry.path());
        auto sum = checksum(sql);
        if (!files.emplace(version, File{version, name, std::move(sql), std::move(sum)}).second) {
            throw std::runtime_error(name + ": there is another migration with this number");
        }
    }
    std::vector<File> ordered;
    for (auto& [version, file] : files) ordered.push_back(std::move(file));
    return ordered;
}

void lock(PGconn* connection) {
    const auto until = std::chrono::steady_clock::now() + kLockPatience;
    while (true) {
        const auto result = execute(connection, "migration lock",
                                    std::string("SELECT pg_try_advisory_lock(") + kLockKey + ")");
        if (std::string_view(PQgetvalue(result.get(), 0, 0)) == "t") return;
        if (std::chrono::steady_clock::now() > until) {
            throw MigrationUnavailable("another process has been migrating for two minutes");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

void in_transaction(PGconn* connection, const std::string& name, const std::string& sql) {
    execute(connection, name, "BEGIN");
    execute(connection, name, sql);
    if (PQtransactionStatus(connection) != PQTRANS_INTRANS) {
        throw std::runtime_error(name + ": a file may not end its transaction itself");
    }
}

}  // namespace

int migrate(const std::string& conninfo, const fs::path& folder, std::string component) {
    if (component.empty()) component = fs::absolute(folder).lexically_normal().filename().string();
    const auto files = load(folder);
    const auto connection = connect(conninfo);
    PGconn* db = connection.get();
    execute(db, "migration settings", "SET lock_timeout = '30s'; SET statement_timeout = 0");
    lock(db);  // ends with the connection
    execute(db, "schema_migrations",
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            " component text NOT NULL, version integer NOT NULL, name text NOT NULL, checksum text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (component, version))");

    std::map<int, std::string> applied;
    const auto rows =
        execute(db, "schema_migrations",
                "SELECT version, checksum FROM schema_migrations WHERE component = $1", {component});
    for (int i = 0; i < PQntuples(rows.get()); ++i) {
        applied.emplace(std::stoi(PQgetvalue(rows.get(), i, 0)), PQgetvalue(rows.get(), i, 1));
    }
    // Everything is checked before anything is changed.
    const int newest = applied.empty() ? 0 : applied.rbegin()->first;
    for (const auto& file : files) {
        const auto found = applied.find(file.version);
        if (found == applied.end() && file.version < newest) {
            throw std::runtime_error(file.name + ": its number is below one that was applied already");
        }
        if (found != applied.end() && found->second != file.checksum) {
            throw std::runtime_error(file.name +
                                     ": was applied and has been changed since; write a new file instead");
        }
    }
    int count = 0;
    for (const auto& file : files) {
        if (applied.contains(file.version)) continue;
        in_transaction(db, file.name, file.sql);
        execute(db, file.name,
                "INSERT INTO schema_migrations (component, version, name, checksum) VALUES ($1, $2, $3, $4)",
                {component, std::to_string(file.version), file.name, file.checksum});
        execute(db, file.name, "COMMIT");
        log::info("migration_applied", {{"component", component}, {"file", file.name}});
        ++count;
    }
    return count;
}

void run_file(const std::string& conninfo, const fs::path& file) {
    const auto name = file.filename().string();
    const auto sql = read(file);
    const auto connection = connect(conninfo);
    in_transaction(connection.get(), name, sql);
    execute(connection.get(), name, "COMMIT");
}

}  // namespace shared::pg
