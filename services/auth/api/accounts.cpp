#include "services/auth/api/accounts.hpp"

#include "services/auth/api/answers.hpp"

namespace auth::api {

boost::asio::awaitable<shared::http::Refused<domain::Account>> account_by_id(Context& context,
                                                                             std::string id) {
    auto account = co_await context.database.users().find_by_id(std::move(id));
    if (!account) co_return store_failure(account.error());
    if (!*account) co_return account_not_found();
    co_return std::move(**account);
}

}  // namespace auth::api
