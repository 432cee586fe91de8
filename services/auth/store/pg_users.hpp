// Accounts in PostgreSQL: table auth_service.users.
#pragma once

#include "services/auth/store/user_store.hpp"
#include "shared/pg/pg.hpp"

namespace auth::store {

class PgUsers final : public UserStore {
  public:
    explicit PgUsers(shared::pg::Pool& pool) : pool_(pool) {}

    awaitable<Result<Account>> insert(NewAccount account, WallTime now) override;
    awaitable<Result<std::optional<Account>>> find_by_id(std::string id) override;
    awaitable<Result<std::optional<Account>>> find_by_username(std::string username) override;
    awaitable<Result<std::optional<Account>>> find_by_email(std::string email) override;
    awaitable<Result<std::vector<Account>>> list(AccountQuery query) override;
    awaitable<Result<std::optional<Account>>> update(std::string id, AccountPatch patch,
                                                     std::optional<std::int64_t> version,
                                                     WallTime now) override;
    awaitable<Result<bool>> replace_password(std::string id, std::string old_hash, AccountPatch patch,
                                             WallTime now) override;
    awaitable<Result<bool>> remove(std::string id, std::optional<std::int64_t> version) override;
    awaitable<Result<bool>> any_admin() override;

  private:
    awaitable<Result<std::optional<Account>>> find_one(shared::pg::Statement statement, std::string value);

    shared::pg::Pool& pool_;
};

}  // namespace auth::store
