// Proving a password, with everything that keeps guessing slow: for login and for changing the password.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "services/auth/api/context.hpp"
#include "shared/http/message.hpp"

namespace auth::api {

struct Attempt {
    bool proved = false;
    bool outdated = false;                          // the hash should be renewed
    std::optional<shared::http::Response> refusal;  // throttled or unable: not an answer about the password
};

// Checks `password` against the account, or against nothing where there is none, taking as long. Failures
// count against the account (or `name_key`, where no account has that name) and the client's address; success
// clears the account's.
boost::asio::awaitable<Attempt> attempt_password(Context& context, const shared::http::Request& request,
                                                 const std::optional<domain::Account>& account,
                                                 std::string name_key, std::string password);

// Under which key an account's failures are counted.
std::string throttle_key(const domain::Account& account);

}  // namespace auth::api
