// Audit records in MongoDB: collection `audit`.
#pragma once

#include "services/auth/store/audit_store.hpp"
#include "services/auth/store/mongo_client.hpp"

namespace auth::store {

class MongoAudit final : public AuditStore {
  public:
    explicit MongoAudit(MongoClient& client) : client_(client) {}

    awaitable<Result<>> append(std::vector<AuditRecord> records) override;
    awaitable<Result<std::vector<AuditRecord>>> latest(std::size_t limit) override;
    awaitable<Result<std::int64_t>> sweep(WallTime before) override;

  private:
    MongoClient& client_;
};

}  // namespace auth::store
