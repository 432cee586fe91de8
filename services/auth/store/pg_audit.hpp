// Audit records in PostgreSQL: table auth_service.audit.
#pragma once

#include "services/auth/store/audit_store.hpp"
#include "shared/pg/pg.hpp"

namespace auth::store {

class PgAudit final : public AuditStore {
  public:
    explicit PgAudit(shared::pg::Pool& pool) : pool_(pool) {}

    awaitable<Result<>> append(std::vector<AuditRecord> records) override;
    awaitable<Result<std::vector<AuditRecord>>> latest(std::size_t limit) override;
    awaitable<Result<std::int64_t>> sweep(WallTime before) override;

  private:
    shared::pg::Pool& pool_;
};

}  // namespace auth::store
