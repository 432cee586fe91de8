// Password hashing off the I/O thread, with a bounded queue: hashing is the dearest thing the service does,
// and a flood of logins must end in 503s, not in memory.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "services/auth/crypto/password_hasher.hpp"
#include "shared/async/bounded_pool.hpp"
#include "shared/base/result.hpp"

namespace auth::crypto {

class PasswordService {
  public:
    PasswordService(PasswordHasher hasher, std::size_t threads, std::size_t queue_limit)
        : hasher_(std::move(hasher)), pool_(threads, queue_limit) {}

    // The only error is shared::async::Errc::queue_full: answer 503 with Retry-After.
    boost::asio::awaitable<shared::Result<domain::StoredPassword>> hash(std::string password);
    boost::asio::awaitable<shared::Result<PasswordHasher::Verdict>> verify(domain::StoredPassword stored,
                                                                           std::string password);
    // As long as verify(), for a name that no account has.
    boost::asio::awaitable<shared::Result<PasswordHasher::Verdict>> verify_nothing(std::string password);

    std::size_t in_use() const { return pool_.in_use(); }

  private:
    PasswordHasher hasher_;
    shared::async::BoundedPool pool_;
};

}  // namespace auth::crypto
