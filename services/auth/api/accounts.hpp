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

}  // namespace auth::api
