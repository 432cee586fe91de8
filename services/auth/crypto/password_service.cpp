#include "services/auth/crypto/password_service.hpp"

namespace auth::crypto {

using boost::asio::awaitable;
using shared::Result;

awaitable<Result<domain::StoredPassword>> PasswordService::hash(std::string password) {
    auto work = [this, password = std::move(password)] { return hasher_.hash(password); };
    return pool_.run(std::move(work));
}

awaitable<Result<PasswordHasher::Verdict>> PasswordService::verify(domain::StoredPassword stored,
                                                                   std::string password) {
    auto work = [this, stored = std::move(stored), password = std::move(password)] {
        return hasher_.verify(stored, password);
    };
    return pool_.run(std::move(work));
}

awaitable<Result<PasswordHasher::Verdict>> PasswordService::verify_nothing(std::string password) {
    auto work = [this, password = std::move(password)] {
        hasher_.verify_nothing(password);
        return PasswordHasher::Verdict();
    };
    return pool_.run(std::move(work));
}

}  // namespace auth::crypto
