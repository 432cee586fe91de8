// Accounts. Uniqueness of user name, e-mail and NIM is the database's (an index), never find-then-insert.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "services/auth/domain/account.hpp"
#include "services/auth/store/errors.hpp"

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
};

// What is set is changed. `ends_sessions` gives the account a new stamp (see domain::Account).
struct AccountPatch {
    std::optional<domain::Role> role;
    std::optional<std::optional<std::string>> nim;  // inner nullopt: unlink
    std::optional<bool> disabled;
    std::optional<bool> must_change_password;
    std::optional<domain::StoredPassword> password;
    bool ends_sessions = false;
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
    // The account as it is afterwards; nullopt: there is none. `version`: only if the account still has it,
    // else version_conflict. Also nim_taken.
    virtual awaitable<Result<std::optional<Account>>> update(std::string id, AccountPatch patch,
                                                             std::optional<std::int64_t> version,
                                                             WallTime now) = 0;
    // Only if the account still has the hash `old_hash`; false: it has not. For rehashing at login, where two
    // logins may run at once, and for a change by the owner, who proved to know the old password.
    virtual awaitable<Result<bool>> replace_password(std::string id, std::string old_hash, AccountPatch patch,
                                                     WallTime now) = 0;
    // False: there is none. May answer version_conflict.
    virtual awaitable<Result<bool>> remove(std::string id, std::optional<std::int64_t> version) = 0;
    virtual awaitable<Result<bool>> any_admin() = 0;
};

}  // namespace auth::store
