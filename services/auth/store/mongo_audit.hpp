// Audit records in MongoDB: collection `audit`.
#pragma once

#include "services/auth/store/audit_store.hpp"
#include "services/auth/store/mongo_client.hpp"

namespace auth::store {

inline constexpr const char* kAuditCollection = "audit";

// A record without an id gets one.
std::vector<Bson> to_documents(const AuditRecords& records);
AuditRecord to_audit_record(const Bson& document);

class MongoAudit final : public AuditStore {
  public:
    explicit MongoAudit(MongoClient& client) : client_(client) {}

    awaitable<Result<>> prepare();

    awaitable<Result<>> append(AuditRecords records) override;
    awaitable<Result<AuditRecords>> list(AuditQuery query) override;
    awaitable<Result<std::int64_t>> sweep(WallTime before) override;

  private:
    MongoClient& client_;
};

}  // namespace auth::store
