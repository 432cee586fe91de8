// POST /api/auth/users/{id}/unlock: forgets the failed logins.
#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/attempts.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"

namespace auth::api {

Answer unlock_user(Context& context, Request& request) {
    auto account = co_await account_by_id(context, request.param("id"));
    if (!account) co_return account.error();
    for (auto& key : throttle_keys(*account)) {
        auto cleared = co_await context.database.throttle().clear(std::move(key));
        if (!cleared) co_return store_failure(cleared.error());
    }
    auto cleared = co_await context.database.throttle().clear_below(device_keys(*account));
    if (!cleared) co_return store_failure(cleared.error());
    auto record = audit_record(context, request, "account_unlocked", account->id);
    co_await context.audit.record(std::move(record));
    co_return shared::http::no_content();
}

}  // namespace auth::api
