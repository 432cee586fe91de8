// Password hashing off the I/O thread, with a bounded queue: hashing is the dearest thing the service does,
// and a flood of logins must end in 503s, not in memory. The queue is served in turn by address, and one
// account has a few places in it, so that neither of them keeps others from signing in.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "services/auth/crypto/password_hasher.hpp"
#include "shared/async/bounded_pool.hpp"
#include "shared/async/fair_gate.hpp"
#include "shared/base/result.hpp"

namespace auth::crypto {

// Who a hash is computed for. Empty: the service itself.
struct Asker {
    Asker() = default;
    Asker(std::string address_, std::string account_)
        : address(std::move(address_)), account(std::move(account_)) {}

    std::string address;  // as clients are counted
    std::string account;  // an id, or any other text that stands for the account
};

class PasswordService {
  public:
    static constexpr std::size_t kPerAccount = 4;  // hashes that run or wait for one account

    // At most `queue_limit` wait.
    PasswordService(PasswordHasher hasher, std::size_t threads, std::size_t queue_limit);

    // The only error is shared::async::Errc::queue_full: answer 503 with Retry-After. One thread.
    boost::asio::awaitable<shared::Result<domain::StoredPassword>> hash(std::string password,
                                                                        Asker asker = {});
    boost::asio::awaitable<shared::Result<PasswordHasher::Verdict>> verify(domain::StoredPassword stored,
                                                                           std::string password,
                                                                           Asker asker = {});
    // As long as verify(), for a name that no account has.
    boost::asio::awaitable<shared::Result<PasswordHasher::Verdict>> verify_nothing(std::string password,
                                                                                   Asker asker = {});

    // Hashes that are computed or wait for it.
    std::size_t in_use() const { return threads_.taken() + threads_.waiting() + accounts_.waiting(); }

  private:
    template <class Work, class Value = std::invoke_result_t<Work&>>
    boost::asio::awaitable<shared::Result<Value>> run(Asker asker, Work work);

    PasswordHasher hasher_;
    shared::async::FairGate accounts_;  // then
    shared::async::FairGate threads_;   // by address
    shared::async::BoundedPool pool_;
};

}  // namespace auth::crypto
