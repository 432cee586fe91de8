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
    awaitable<Result<std::optional<Changed>>> update(std::string id, AccountPatch patch,
                                                     std::optional<std::int64_t> version,
                                                     WallTime now) override;
    awaitable<Result<std::optional<Changed>>> replace_password(std::string id, std::string old_hash,
                                                               AccountPatch patch, WallTime now) override;
    awaitable<Result<std::optional<std::vector<std::string>>>> remove(std::string id,
                                                                      std::optional<std::int64_t> version,
                                                                      Ending ending,
                                                                      AuditRecords audit) override;
    awaitable<Result<bool>> any_admin() override;

  private:
    awaitable<Result<std::optional<Account>>> find_one(shared::pg::Statement statement, std::string value);
    awaitable<Result<std::optional<Changed>>> change(shared::pg::Statement statement, std::string id,
                                                     AccountPatch patch, shared::pg::Value condition,
                                                     WallTime now);
    awaitable<Result<bool>> leaves_an_admin(shared::pg::Transaction& transaction, std::string_view id);
    awaitable<Result<std::vector<std::string>>> finish(shared::pg::Transaction& transaction, std::string id,
                                                       std::optional<Ending> ending,
                                                       const AuditRecords& audit);

    shared::pg::Pool& pool_;
};

}  // namespace auth::store
