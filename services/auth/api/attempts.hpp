// Proving a password, with everything that keeps guessing slow: for login and for changing the password.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/auth/api/context.hpp"
#include "shared/http/message.hpp"

namespace auth::api {

// Where an attempt is counted: against each of the keys, and against the client's network.
struct Budgets {
    std::vector<std::string> keys;
    bool by_network = false;
};

// A login: against the name as it was typed and against the account, whether there is one or not, so that
// the two look the same. From a device where the account has signed in before: against that alone, so that
// nobody else's failures keep its owner out.
Budgets login_budgets(const Context& context, const std::optional<domain::Account>& account,
                      std::string_view typed, std::string_view device_token);
// In a live session: against the account's attempts of this kind alone.
Budgets session_budgets(const domain::Account& account);
// All keys of an account that an admin can unlock.
std::vector<std::string> throttle_keys(const domain::Account& account);
// What the keys of its known devices begin with.
std::string device_keys(const domain::Account& account);

struct Attempt {
    bool proved = false;
    bool outdated = false;                          // the hash should be renewed
    bool truncated = false;                         // the password should be (PasswordHasher::Verdict)
    std::optional<shared::http::Response> refusal;  // throttled or unable: not an answer about the password
};

// Checks `password` against the account, or against nothing where there is none, taking as long. It is
// counted before that; success clears the budgets.
boost::asio::awaitable<Attempt> attempt_password(Context& context, const shared::http::Request& request,
                                                 const std::optional<domain::Account>& account,
                                                 Budgets budgets, std::string password);

}  // namespace auth::api
