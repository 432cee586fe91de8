#include "services/auth/crypto/password_service.hpp"

#include <limits>

namespace auth::crypto {

using boost::asio::awaitable;
using shared::Result;
using shared::async::FairGate;
using shared::async::GateLimits;

namespace {

GateLimits account_limits(std::size_t queue_limit) {
    GateLimits limits;
    limits.places = std::numeric_limits<std::size_t>::max();
    limits.per_key = PasswordService::kPerAccount;
    limits.waiting = queue_limit;
    return limits;
}

GateLimits thread_limits(std::size_t threads, std::size_t queue_limit) {
    GateLimits limits;
    limits.places = threads;
    limits.per_key = threads;
    limits.waiting = queue_limit;
    return limits;
}

}  // namespace

PasswordService::PasswordService(PasswordHasher hasher, std::size_t threads, std::size_t queue_limit)
    : hasher_(std::move(hasher)),
      accounts_(account_limits(queue_limit)),
      threads_(thread_limits(threads, queue_limit)),
      pool_(threads, 0) {}

template <class Work, class Value>
awaitable<Result<Value>> PasswordService::run(Asker asker, Work work) {
    std::optional<FairGate::Place> account;
    if (!asker.account.empty()) {
        account = co_await accounts_.enter(std::move(asker.account));
        if (!account) co_return shared::async::make_error_code(shared::async::Errc::queue_full);
    }
    const auto place = co_await threads_.enter(std::move(asker.address));
    if (!place) co_return shared::async::make_error_code(shared::async::Errc::queue_full);
    co_return co_await pool_.run(std::move(work));
}

awaitable<Result<domain::StoredPassword>> PasswordService::hash(std::string password, Asker asker) {
    auto work = [this, password = std::move(password)] { return hasher_.hash(password); };
    return run(std::move(asker), std::move(work));
}

awaitable<Result<PasswordHasher::Verdict>> PasswordService::verify(domain::StoredPassword stored,
                                                                   std::string password, Asker asker) {
    auto work = [this, stored = std::move(stored), password = std::move(password)] {
        return hasher_.verify(stored, password);
    };
    return run(std::move(asker), std::move(work));
}

awaitable<Result<PasswordHasher::Verdict>> PasswordService::verify_nothing(std::string password,
                                                                           Asker asker) {
    auto work = [this, password = std::move(password)] {
        hasher_.verify_nothing(password);
        return PasswordHasher::Verdict();
    };
    return run(std::move(asker), std::move(work));
}

}  // namespace auth::crypto
