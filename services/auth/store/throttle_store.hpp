// Failed logins per account, or per name where no account has it: the outside cannot tell the two apart.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "services/auth/domain/throttle.hpp"
#include "services/auth/store/errors.hpp"

namespace auth::store {

using boost::asio::awaitable;
using domain::FailureState;
using domain::WallTime;

class ThrottleStore {
  public:
    virtual ~ThrottleStore() = default;

    // All zero for a key that has no failures.
    virtual awaitable<Result<FailureState>> state(std::string key) = 0;
    // Counts one more, atomically; the count afterwards.
    virtual awaitable<Result<std::int64_t>> record_failure(std::string key, WallTime now) = 0;
    // Only ever later.
    virtual awaitable<Result<>> block_until(std::string key, WallTime until) = 0;
    virtual awaitable<Result<>> clear(std::string key) = 0;
    virtual awaitable<Result<std::int64_t>> sweep(WallTime before) = 0;
};

}  // namespace auth::store
