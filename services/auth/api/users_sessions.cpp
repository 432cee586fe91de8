// DELETE /api/auth/users/{id}/sessions
#include "services/auth/api/accounts.hpp"
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"

namespace auth::api {

Answer end_user_sessions(Context& context, Request& request) {
    auto account = co_await account_by_id(context, request.param("id"));
    if (!account) co_return account.error();
    const auto record = audit_record(context, request, "sessions_ended_by_admin", account->id);
    store::AccountPatch patch;
    patch.ending = ending_now(context, "ended_by_admin");
    patch.audit = just(record);
    const auto reason = patch.ending->reason;
    auto updated = co_await context.database.users().update(account->id, std::move(patch), std::nullopt,
                                                            context.clock());
    if (!updated) co_return store_failure(updated.error());
    if (!*updated) co_return account_not_found();
    log_audit(record);
    tell_ended(context, reason, (*updated)->ended);
    co_return shared::http::no_content();
}

}  // namespace auth::api
