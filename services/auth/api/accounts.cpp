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

boost::asio::awaitable<shared::http::Refused<domain::Account>> own_account(
    Context& context, const shared::http::Request& request) {
    const auto& claims = *request.claims;
    auto account = co_await context.database.users().find_by_id(claims.sub);
    if (!account) co_return store_failure(account.error());
    auto session = co_await context.database.sessions().find(claims.sid);
    if (!session) co_return store_failure(session.error());
    const bool current = *account && *session && !(*session)->revoked &&
                         (*session)->user_id == (*account)->id && session_current(**session, **account);
    if (!current) co_return unauthorized("token_invalid", "Token tidak sah atau sudah kedaluwarsa");
    co_return std::move(**account);
}

}  // namespace auth::api
