// Failed attempts by key: an account, a name as it was typed, a device. domain/throttle.hpp has the rules.
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

    // All zero for a key that is not there.
    virtual awaitable<Result<FailureState>> state(std::string key) = 0;
    // Puts `next` in the place of `seen`, atomically; false: it is no longer what was seen.
    virtual awaitable<Result<bool>> replace(std::string key, FailureState seen, FailureState next) = 0;
    virtual awaitable<Result<>> clear(std::string key) = 0;
    // Every key that begins with `prefix`, whose last character is ':'.
    virtual awaitable<Result<>> clear_below(std::string prefix) = 0;
    virtual awaitable<Result<std::int64_t>> sweep(WallTime before) = 0;
};

}  // namespace auth::store
