// GET /api/auth/users/{id}
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"

namespace auth::api {

Answer get_user(Context& context, Request& request) {
    auto account = co_await context.database.users().find_by_id(request.param("id"));
    if (!account) co_return store_failure(account.error());
    if (!*account) co_return account_not_found();
    co_return admin_account(200, **account);
}

}  // namespace auth::api
