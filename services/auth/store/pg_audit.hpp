// Audit records in PostgreSQL: table auth_service.audit.
#pragma once

#include "services/auth/store/audit_store.hpp"
#include "shared/pg/pg.hpp"

namespace auth::store {

// The records as the one parameter, with the subject where theirs is empty, that PG_AUDIT_ROWS reads.
std::string pg_audit_rows(const AuditRecords& records, std::string_view subject = {});

// For any statement that stores records with what they are about; $n: the parameter.
#define PG_AUDIT_INTO \
    "insert into auth_service.audit (at, event, actor, subject, name, client_address, request_id, detail) "
#define PG_AUDIT_ROWS(parameter)                                                                            \
    "select to_timestamp(at_ms / 1000.0), event, actor, subject, name, client_address, request_id, detail " \
    "from jsonb_to_recordset(" parameter                                                                    \
    "::jsonb) as r(at_ms bigint, event text, actor text, subject text, name text, "                         \
    "client_address text, request_id text, detail text) "

class PgAudit final : public AuditStore {
  public:
    explicit PgAudit(shared::pg::Pool& pool) : pool_(pool) {}

    awaitable<Result<>> append(AuditRecords records) override;
    awaitable<Result<AuditRecords>> list(AuditQuery query) override;
    awaitable<Result<std::int64_t>> sweep(WallTime before) override;

  private:
    shared::pg::Pool& pool_;
};

}  // namespace auth::store
