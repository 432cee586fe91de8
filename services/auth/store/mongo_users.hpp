// Accounts in MongoDB: collection `users`, the documents of the first version among them. Field names that it
// wrote stay (`createdAt`, `password`); what is new is added when a document is taken over.
#pragma once

#include "services/auth/store/mongo_client.hpp"
#include "services/auth/store/user_store.hpp"

namespace auth::store {

class MongoUsers final : public UserStore {
  public:
    explicit MongoUsers(MongoClient& client) : client_(client) {}

    // Indexes, and every old document taken over: comparison keys, role names, version.
    awaitable<Result<>> prepare();

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
    MongoClient& client_;
    std::atomic<bool> prepared_{false};  // before the unique indexes are there nothing may be inserted
};

}  // namespace auth::store
