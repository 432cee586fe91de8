// Failed logins in PostgreSQL: table auth_service.login_failures.
#pragma once

#include "services/auth/store/throttle_store.hpp"
#include "shared/pg/pg.hpp"

namespace auth::store {

class PgThrottle final : public ThrottleStore {
  public:
    explicit PgThrottle(shared::pg::Pool& pool) : pool_(pool) {}

    awaitable<Result<FailureState>> state(std::string key) override;
    awaitable<Result<bool>> replace(std::string key, FailureState seen, FailureState next) override;
    awaitable<Result<>> clear(std::string key) override;
    awaitable<Result<>> clear_below(std::string prefix) override;
    awaitable<Result<std::int64_t>> sweep(WallTime before) override;

  private:
    shared::pg::Pool& pool_;
};

}  // namespace auth::store
