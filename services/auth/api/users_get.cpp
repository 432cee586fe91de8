// GET /api/auth/users/{id}
#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "shared/http/etag.hpp"

namespace auth::api {

Answer get_user(Context& context, Request& request) {
    auto account = co_await account_by_id(context, request.param("id"));
    if (!account) co_return account.error();
    co_return shared::http::versioned(request, admin_account(200, *account), account->version);
}

}  // namespace auth::api
