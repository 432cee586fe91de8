#include "services/auth/bootstrap.hpp"

#include <stdexcept>

#include "services/auth/domain/identifiers.hpp"
#include "services/auth/domain/session.hpp"
#include "services/auth/domain/unicode.hpp"
#include "shared/domain/nim.hpp"
#include "shared/json/json.hpp"
#include "shared/log/log.hpp"

namespace auth {
namespace {

using boost::asio::awaitable;
using shared::Result;

SeedAccount read_one(const rapidjson::Value& value, std::vector<shared::json::FieldError>& errors,
                     std::string pointer, const domain::PasswordRules& rules) {
    shared::json::ObjectReader in(value, errors, std::move(pointer));
    SeedAccount account;
    account.username = in.required_text("username");
    shared::json::TextRule long_text;
    long_text.max_length = 1024;
    account.password = in.required_text("password", long_text);
    account.email = in.optional_text("email").value_or(account.username + "@kampus.example");
    const std::string role = in.required_text("role");
    account.role = domain::parse_role(role).value_or(domain::Role::mahasiswa);
    account.nim = in.nullable_text("nim").value_or(std::nullopt);
    in.finish();
    if (domain::username_problem(account.username)) in.error("username", "is no user name");
    if (domain::email_problem(account.email)) in.error("email", "is no e-mail address");
    if (!domain::parse_role(role)) in.error("role", "must be admin, dosen or mahasiswa");
    if (account.nim && !shared::domain::Nim::parse(*account.nim)) in.error("nim", "is no NIM");
    const domain::PasswordContext about{account.username, account.email,
                                        account.nim ? *account.nim : std::string_view()};
    const auto normalized = domain::to_nfc(account.password).value_or(account.password);
    if (domain::password_problem(normalized, about, rules))
        in.error("password", "is too short or too easy to guess");
    return account;
}

}  // namespace

std::vector<SeedAccount> read_seed(std::string_view json, const domain::PasswordRules& rules) {
    // Wrapped, so that the checked reader, which reads objects, reads the array too.
    auto document = shared::json::parse("{\"accounts\":" + std::string(json) + "}");
    if (!document) throw std::runtime_error("the seed file is no JSON: " + document.error().message());
    std::vector<shared::json::FieldError> errors;
    std::vector<SeedAccount> accounts;
    shared::json::ObjectReader in(*document, errors);
    if (const auto* array = in.required_array("accounts")) {
        std::size_t index = 0;
        for (const auto& value : array->GetArray()) {
            const std::string pointer = '/' + std::to_string(index++);
            if (value.IsObject())
                accounts.push_back(read_one(value, errors, pointer, rules));
            else
                errors.push_back({pointer, "must be an object"});
        }
    }
    std::string report;
    for (const auto& error : errors) report += "\n  " + error.pointer + ": " + error.detail;
    if (!report.empty()) throw std::runtime_error("the seed file has mistakes:" + report);
    return accounts;
}

awaitable<Result<>> put_account(store::Database& database, crypto::PasswordService& passwords,
                                SeedAccount account, bool update) {
    auto& users = database.users();
    auto found = co_await users.find_by_username(account.username);
    if (!found) co_return found.error();
    if (*found && !update) co_return store::Errc::username_taken;
    bool same_password = false;
    if (*found) {
        auto verdict = co_await passwords.verify((*found)->password, account.password);
        if (!verdict) co_return verdict.error();
        same_password = verdict->matches && !verdict->outdated;
    }
    const auto now = shared::system_now();
    domain::StoredPassword hash;
    if (!same_password) {
        auto hashed = co_await passwords.hash(account.password);
        if (!hashed) co_return hashed.error();
        hash = std::move(*hashed);
    }
    if (!*found) {
        store::NewAccount created;
        created.username = std::move(account.username);
        created.email = std::move(account.email);
        created.password = std::move(hash);
        created.role = account.role;
        created.nim = std::move(account.nim);
        auto inserted = co_await users.insert(std::move(created), now);
        if (!inserted) co_return inserted.error();
        co_return Result<>();
    }
    const auto& there = **found;
    if (same_password && there.role == account.role && there.nim == account.nim && !there.disabled &&
        !there.must_change_password)
        co_return Result<>();
    store::AccountPatch patch;
    patch.role = account.role;
    patch.nim = account.nim;
    patch.disabled = false;
    patch.must_change_password = false;
    if (!same_password) patch.password = std::move(hash);
    patch.ending.emplace();
    patch.ending->reason.now = now;
    patch.ending->reason.until = domain::revoked_until(now, domain::SessionRules());
    patch.ending->reason.reason = "seeded";
    auto updated = co_await users.update(there.id, std::move(patch), std::nullopt, now);
    if (!updated) co_return updated.error();
    co_return Result<>();
}

awaitable<Result<>> put_first_admin(store::Database& database, crypto::PasswordService& passwords,
                                    FirstAdmin admin) {
    auto any = co_await database.users().any_admin();
    if (!any) co_return store::to_errc(any.error());
    if (*any) {
        shared::log::warn("first_admin_ignored", {{"why", "there is an admin; unset FIRST_ADMIN_PASSWORD"}});
        co_return Result<>();
    }
    auto hashed = co_await passwords.hash(admin.password);
    if (!hashed) co_return hashed.error();
    store::NewAccount created;
    created.username = admin.username;
    created.email = admin.email;
    created.password = std::move(*hashed);
    created.role = domain::Role::admin;
    created.must_change_password = true;
    auto inserted = co_await database.users().insert(std::move(created), shared::system_now());
    // Another replica was faster, or the name is a student's: either way nothing more happens by itself.
    if (!inserted && inserted.error() != store::Errc::username_taken) co_return inserted.error();
    shared::log::info("first_admin_created",
                      {{"username", admin.username}, {"created", inserted.has_value()}});
    co_return Result<>();
}

}  // namespace auth
