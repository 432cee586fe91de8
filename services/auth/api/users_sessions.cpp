// DELETE /api/auth/users/{id}/sessions
#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"

namespace auth::api {

Answer end_user_sessions(Context& context, Request& request) {
    auto account = co_await account_by_id(context, request.param("id"));
    if (!account) co_return account.error();
    auto record = audit_record(context, request, "sessions_ended_by_admin", account->id);
    auto ending = ending_now(context, "ended_by_admin");
    co_return co_await end_account_sessions(context, std::move(ending), std::move(record));
}

}  // namespace auth::api
