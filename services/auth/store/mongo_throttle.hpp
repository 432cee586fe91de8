// Failed logins in MongoDB: collection `login_failures`, one document per key.
#pragma once

#include "services/auth/store/mongo_client.hpp"
#include "services/auth/store/throttle_store.hpp"

namespace auth::store {

class MongoThrottle final : public ThrottleStore {
  public:
    explicit MongoThrottle(MongoClient& client) : client_(client) {}

    awaitable<Result<FailureState>> state(std::string key) override;
    awaitable<Result<bool>> replace(std::string key, FailureState seen, FailureState next) override;
    awaitable<Result<>> clear(std::string key) override;
    awaitable<Result<>> clear_below(std::string prefix) override;
    awaitable<Result<std::int64_t>> sweep(WallTime before) override;

  private:
    MongoClient& client_;
};

}  // namespace auth::store
