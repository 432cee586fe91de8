#include "services/auth/store/pg_users.hpp"

#include "services/auth/domain/identifiers.hpp"
#include "services/auth/store/bson.hpp"
#include "services/auth/store/pg_audit.hpp"
#include "services/auth/store/pg_sessions.hpp"
#include "services/auth/store/pg_support.hpp"

namespace auth::store {
namespace {

using shared::pg::Params;
using shared::pg::Rows;
using shared::pg::Statement;
using shared::pg::Value;

#define ACCOUNT_COLUMNS                                                                                \
    "id, username, email, password, password_preparation, role, nim, disabled, must_change_password, " \
    "version, stamp, (extract(epoch from created_at) * 1000)::bigint, "                                \
    "(extract(epoch from updated_at) * 1000)::bigint, kept_session"

constexpr Statement kInsert{
    "with made as (insert into auth_service.users (id, username, email, username_key, email_key, password, "
    "password_preparation, "
    "role, nim, must_change_password, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
    "$10::boolean, to_timestamp($11::bigint / 1000.0), to_timestamp($11::bigint / 1000.0)) "
    "returning " ACCOUNT_COLUMNS "), noted as (" PG_AUDIT_INTO PG_AUDIT_ROWS("$12") ") select * from made"};
constexpr Statement kWhichIsTaken{
    "select exists (select 1 from auth_service.users where username_key = $1), "
    "exists (select 1 from auth_service.users where email_key = $2)"};
constexpr Statement kById{"select " ACCOUNT_COLUMNS " from auth_service.users where id = $1"};
constexpr Statement kByUsername{"select " ACCOUNT_COLUMNS " from auth_service.users where username_key = $1"};
constexpr Statement kByEmail{"select " ACCOUNT_COLUMNS " from auth_service.users where email_key = $1"};
constexpr Statement kList{"select " ACCOUNT_COLUMNS
                          " from auth_service.users where id > $1 and ($2::text is null or role = $2) and "
                          "($3::boolean is null or disabled = $3::boolean) and ($4::text is null or "
                          "position($4 in username_key) > 0) "
                          "order by id limit $5::bigint"};
// $9: what the account must still be like; NULL does not ask.
#define ACCOUNT_CHANGES                                                                              \
    "update auth_service.users set role = coalesce($2, role), "                                      \
    "nim = case when $3::boolean then $4 else nim end, disabled = coalesce($5::boolean, disabled), " \
    "must_change_password = coalesce($6::boolean, must_change_password), password = coalesce($7, "   \
    "password), "                                                                                    \
    "password_preparation = coalesce($8, password_preparation), version = version + 1, "             \
    "stamp = stamp + case when $10::boolean then 1 else 0 end, "                                     \
    "kept_session = case when $10::boolean then $12 else kept_session end, "                         \
    "updated_at = to_timestamp($11::bigint / 1000.0) "
constexpr Statement kUpdate{ACCOUNT_CHANGES
                            "where id = $1 and ($9::bigint is null or version = $9::bigint) "
                            "returning " ACCOUNT_COLUMNS};
constexpr Statement kReplacePassword{ACCOUNT_CHANGES
                                     "where id = $1 and password = $9 returning " ACCOUNT_COLUMNS};
constexpr Statement kDelete{
    "delete from auth_service.users where id = $1 and ($2::bigint is null or version = $2::bigint)"};
constexpr Statement kAnyAdmin{
    "select exists (select 1 from auth_service.users where role = 'admin' and not disabled)"};
// Whoever takes away an admin waits here for the others who do, and then sees what they have left.
constexpr Statement kLockAdmins{
    "select id from auth_service.users where role = 'admin' and not disabled order by id for update"};
constexpr Statement kAudit{PG_AUDIT_INTO PG_AUDIT_ROWS("$1")};

Account to_account(const Rows& rows, int row) {
    Account account;
    account.id = rows.text(row, 0);
    account.username = rows.text(row, 1);
    account.email = rows.text(row, 2);
    account.password.hash = rows.text(row, 3);
    account.password.preparation = rows.text(row, 4);
    account.role = domain::role_from_store(rows.text(row, 5));
    account.nim = rows.value(row, 6);
    account.disabled = rows.boolean(row, 7);
    account.must_change_password = rows.boolean(row, 8);
    account.version = rows.integer(row, 9);
    account.stamp = rows.integer(row, 10);
    account.created_at = pg_time(rows, row, 11);
    account.updated_at = pg_time(rows, row, 12);
    account.kept_session = rows.text(row, 13);
    return account;
}

Value boolean(std::optional<bool> value) {
    if (!value) return std::nullopt;
    return *value ? "true" : "false";
}

Params change_params(std::string id, const AccountPatch& patch, Value condition, WallTime now) {
    Params params;
    params.push_back(std::move(id));
    params.push_back(patch.role ? Value(domain::to_string(*patch.role)) : std::nullopt);
    params.push_back(boolean(patch.nim.has_value()));
    params.push_back(patch.nim ? *patch.nim : std::nullopt);
    params.push_back(boolean(patch.disabled));
    params.push_back(boolean(patch.must_change_password));
    params.push_back(patch.password ? Value(patch.password->hash) : std::nullopt);
    params.push_back(patch.password ? Value(patch.password->preparation) : std::nullopt);
    params.push_back(std::move(condition));
    params.push_back(boolean(patch.ending.has_value()));
    params.push_back(pg_ms(now));
    params.push_back(patch.ending ? patch.ending->kept : std::string());
    return params;
}

Value version_text(std::optional<std::int64_t> version) {
    if (!version) return std::nullopt;
    return std::to_string(*version);
}

}  // namespace

awaitable<Result<Account>> PgUsers::insert(NewAccount account, WallTime now) {
    const std::string username_key = domain::username_key(account.username);
    const std::string email_key = domain::email_key(account.email);
    Params params;
    const std::string id = new_object_id();
    for (const auto& text : {id, account.username, account.email, username_key, email_key,
                             account.password.hash, account.password.preparation})
        params.emplace_back(text);
    params.emplace_back(domain::to_string(account.role));
    params.push_back(account.nim);
    params.push_back(boolean(account.must_change_password));
    params.emplace_back(pg_ms(now));
    params.emplace_back(pg_audit_rows(account.audit, id));
    auto rows = co_await pool_.query(kInsert, std::move(params));
    if (rows) co_return to_account(*rows, 0);
    if (rows.error() != shared::pg::Errc::unique_violation) co_return pg_error(rows.error());
    // The index has decided; this only finds out what to tell the caller.
    Params keys;
    keys.emplace_back(username_key);
    keys.emplace_back(email_key);
    auto taken = co_await pool_.query(kWhichIsTaken, std::move(keys));
    if (!taken) co_return pg_error(taken.error());
    if (taken->boolean(0, 0)) co_return Errc::username_taken;
    if (taken->boolean(0, 1)) co_return Errc::email_taken;
    co_return account.nim ? Errc::nim_taken : Errc::username_taken;
}

awaitable<Result<std::optional<Account>>> PgUsers::find_one(Statement statement, std::string value) {
    Params params;
    params.emplace_back(std::move(value));
    auto rows = co_await pool_.query(statement, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    std::optional<Account> found;
    if (!rows->empty()) found = to_account(*rows, 0);
    co_return found;
}

awaitable<Result<std::optional<Account>>> PgUsers::find_by_id(std::string id) {
    return find_one(kById, std::move(id));
}

awaitable<Result<std::optional<Account>>> PgUsers::find_by_username(std::string username) {
    return find_one(kByUsername, domain::username_key(username));
}

awaitable<Result<std::optional<Account>>> PgUsers::find_by_email(std::string email) {
    return find_one(kByEmail, domain::email_key(email));
}

awaitable<Result<std::vector<Account>>> PgUsers::list(AccountQuery query) {
    Params params;
    params.emplace_back(query.after);
    params.push_back(query.role ? Value(domain::to_string(*query.role)) : std::nullopt);
    params.push_back(boolean(query.disabled));
    params.push_back(query.text.empty() ? std::nullopt : Value(domain::username_key(query.text)));
    params.emplace_back(std::to_string(query.limit));
    auto rows = co_await pool_.query(kList, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    std::vector<Account> accounts;
    for (int row = 0; row < rows->size(); ++row) accounts.push_back(to_account(*rows, row));
    co_return accounts;
}

// False: without the account `id` no enabled admin would be left.
awaitable<Result<bool>> PgUsers::leaves_an_admin(shared::pg::Transaction& transaction, std::string_view id) {
    auto admins = co_await transaction.query(kLockAdmins, Params());
    if (!admins) co_return pg_error(admins.error());
    co_return admins->size() != 1 || admins->text(0, 0) != id;
}

// What goes with a change: sessions end, the audit is written, and all of it is committed.
awaitable<Result<std::vector<std::string>>> PgUsers::finish(shared::pg::Transaction& transaction,
                                                            std::string id, std::optional<Ending> ending,
                                                            const AuditRecords& audit) {
    std::vector<std::string> ended;
    if (ending) {
        auto rows = co_await transaction.query(
            pg_end_all_statement(), pg_end_all_params(std::move(id), std::nullopt, std::move(*ending)));
        if (!rows) co_return pg_error(rows.error());
        for (int row = 0; row < rows->size(); ++row) ended.emplace_back(rows->text(row, 0));
    }
    if (!audit.empty()) {
        Params params;
        params.emplace_back(pg_audit_rows(audit));
        const auto noted = co_await transaction.query(kAudit, std::move(params));
        if (!noted) co_return pg_error(noted.error());
    }
    const auto committed = co_await transaction.commit();
    if (!committed) co_return pg_error(committed.error());
    co_return ended;
}

awaitable<Result<std::optional<Changed>>> PgUsers::change(Statement statement, std::string id,
                                                          AccountPatch patch, Value condition, WallTime now) {
    auto transaction = co_await pool_.begin();
    if (!transaction) co_return pg_error(transaction.error());
    if (takes_admin_away(patch)) {
        const auto leaves = co_await leaves_an_admin(*transaction, id);
        if (!leaves) co_return to_errc(leaves.error());
        if (!*leaves) co_return Errc::last_admin;
    }
    auto rows = co_await transaction->query(statement, change_params(id, patch, std::move(condition), now));
    if (!rows) {
        if (rows.error() == shared::pg::Errc::unique_violation) co_return Errc::nim_taken;
        co_return pg_error(rows.error());
    }
    std::optional<Changed> changed;
    if (rows->empty()) co_return changed;
    changed.emplace();
    changed->account = to_account(*rows, 0);
    auto ended = co_await finish(*transaction, std::move(id), std::move(patch.ending), patch.audit);
    if (!ended) co_return ended.error();
    changed->ended = std::move(*ended);
    co_return changed;
}

awaitable<Result<std::optional<Changed>>> PgUsers::update(std::string id, AccountPatch patch,
                                                          std::optional<std::int64_t> version, WallTime now) {
    auto changed = co_await change(kUpdate, id, std::move(patch), version_text(version), now);
    if (!changed || *changed || !version) co_return changed;
    auto there = co_await find_one(kById, std::move(id));
    if (!there) co_return there.error();
    if (*there) co_return Errc::version_conflict;
    co_return changed;
}

awaitable<Result<std::optional<Changed>>> PgUsers::replace_password(std::string id, std::string old_hash,
                                                                    AccountPatch patch, WallTime now) {
    return change(kReplacePassword, std::move(id), std::move(patch), std::move(old_hash), now);
}

awaitable<Result<std::optional<std::vector<std::string>>>> PgUsers::remove(
    std::string id, std::optional<std::int64_t> version, Ending ending, AuditRecords audit) {
    std::optional<std::vector<std::string>> ended;
    auto transaction = co_await pool_.begin();
    if (!transaction) co_return pg_error(transaction.error());
    const auto leaves = co_await leaves_an_admin(*transaction, id);
    if (!leaves) co_return to_errc(leaves.error());
    if (!*leaves) co_return Errc::last_admin;
    Params params;
    params.emplace_back(id);
    params.push_back(version_text(version));
    auto rows = co_await transaction->query(kDelete, std::move(params));
    if (!rows) co_return pg_error(rows.error());
    if (rows->affected() == 1) {
        auto finished = co_await finish(*transaction, std::move(id), std::move(ending), audit);
        if (!finished) co_return finished.error();
        ended = std::move(*finished);
        co_return ended;
    }
    if (!version) co_return ended;
    Params same;
    same.emplace_back(std::move(id));
    const auto there = co_await transaction->query(kById, std::move(same));
    if (!there) co_return pg_error(there.error());
    if (!there->empty()) co_return Errc::version_conflict;
    co_return ended;
}

awaitable<Result<bool>> PgUsers::any_admin() {
    auto rows = co_await pool_.query(kAnyAdmin, Params());
    if (!rows) co_return pg_error(rows.error());
    co_return rows->boolean(0, 0);
}

}  // namespace auth::store
