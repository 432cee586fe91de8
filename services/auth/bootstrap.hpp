// What happens to an empty or old database before and beside serving.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "services/auth/crypto/password_service.hpp"
#include "services/auth/settings.hpp"
#include "services/auth/store/database.hpp"

namespace auth {

struct SeedAccount {
    std::string username;
    std::string email;
    std::string password;
    domain::Role role = domain::Role::mahasiswa;
    std::optional<std::string> nim;
};

// The accounts of a seed file: a JSON array of {"username","password","role","nim"?,"email"?}. Throws
// std::runtime_error that names every problem.
std::vector<SeedAccount> read_seed(std::string_view json, const domain::PasswordRules& rules);

// Creates the account. Where one of that name is there: makes it like `account` if `update` is set
// (idempotent), else error username_taken. The error's text is for operators.
boost::asio::awaitable<shared::Result<>> put_account(store::Database& database,
                                                     crypto::PasswordService& passwords, SeedAccount account,
                                                     bool update);

// Creates the first admin from the environment if there is no admin yet; must change the password at first
// login.
boost::asio::awaitable<shared::Result<>> put_first_admin(store::Database& database,
                                                         crypto::PasswordService& passwords,
                                                         FirstAdmin admin);

}  // namespace auth
