// Accounts. Uniqueness of user name, e-mail and NIM is the database's (an index), never find-then-insert.
//
// A change, the end of the sessions that show what was before, and its audit records are one fact: after an
// error or a crash all of it is there, or comes by itself, or none.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "services/auth/domain/account.hpp"
#include "services/auth/store/audit_store.hpp"
#include "services/auth/store/errors.hpp"
#include "services/auth/store/session_store.hpp"

namespace auth::store {

using boost::asio::awaitable;
using domain::Account;
using domain::WallTime;

struct NewAccount {
    std::string username;
    std::string email;
    domain::StoredPassword password;
    domain::Role role = domain::Role::mahasiswa;
    std::optional<std::string> nim;
    bool must_change_password = false;
    AuditRecords audit;  // an empty subject becomes the new account
};

// What is set is changed. `ending` gives the account a new stamp (see domain::Account).
struct AccountPatch {
    std::optional<domain::Role> role;
    std::optional<std::optional<std::string>> nim;  // inner nullopt: unlink
    std::optional<bool> disabled;
    std::optional<bool> must_change_password;
    std::optional<domain::StoredPassword> password;
    std::optional<Ending> ending;
    AuditRecords audit;
};

// Whether it can leave an enabled admin disabled or without that role.
inline bool takes_admin_away(const AccountPatch& patch) {
    return (patch.role && *patch.role != domain::Role::admin) || patch.disabled.value_or(false);
}

struct Changed {
    Account account;                 // as it is afterwards
    std::vector<std::string> ended;  // sessions
};

struct AccountQuery {
    std::string after;  // id of the last account of the page before; empty: from the start
    std::size_t limit = 50;
    std::optional<domain::Role> role;
    std::optional<bool> disabled;
    std::string text;  // part of the user name, without case
};

class UserStore {
  public:
    virtual ~UserStore() = default;

    // Errors: username_taken, email_taken, nim_taken.
    virtual awaitable<Result<Account>> insert(NewAccount account, WallTime now) = 0;
    virtual awaitable<Result<std::optional<Account>>> find_by_id(std::string id) = 0;
    // Compared without case. An old account whose name differs from another one's only by case is found by
    // its exact spelling.
    virtual awaitable<Result<std::optional<Account>>> find_by_username(std::string username) = 0;
    virtual awaitable<Result<std::optional<Account>>> find_by_email(std::string email) = 0;
    // In the order of ids, which is about the order of creation.
    virtual awaitable<Result<std::vector<Account>>> list(AccountQuery query) = 0;
    // nullopt: there is none. `version`: only if the account still has it, else version_conflict. Also
    // nim_taken and last_admin.
    virtual awaitable<Result<std::optional<Changed>>> update(std::string id, AccountPatch patch,
                                                             std::optional<std::int64_t> version,
                                                             WallTime now) = 0;
    // Only if the account still has the hash `old_hash`; nullopt: it has not. For rehashing at login, where
    // two logins may run at once, and for a change by the owner, who proved to know the old password.
    virtual awaitable<Result<std::optional<Changed>>> replace_password(std::string id, std::string old_hash,
                                                                       AccountPatch patch, WallTime now) = 0;
    // The sessions that it ended; nullopt: there is no such account. May answer version_conflict and
    // last_admin.
    virtual awaitable<Result<std::optional<std::vector<std::string>>>> remove(
        std::string id, std::optional<std::int64_t> version, Ending ending, AuditRecords audit) = 0;
    // An enabled one.
    virtual awaitable<Result<bool>> any_admin() = 0;
};

}  // namespace auth::store
