// Looking up the account that a request is about.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "services/auth/api/context.hpp"
#include "shared/http/refused.hpp"

namespace auth::api {

// 404 where there is none, 503 where the store cannot say.
boost::asio::awaitable<shared::http::Refused<domain::Account>> account_by_id(Context& context,
                                                                             std::string id);

// The account of the token, where the token's session is alive and began with the credentials and rights that
// the account has now; else 401.
boost::asio::awaitable<shared::http::Refused<domain::Account>> own_account(
    Context& context, const shared::http::Request& request);

}  // namespace auth::api
