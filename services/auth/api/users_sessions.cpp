// DELETE /api/auth/users/{id}/sessions
#include "services/auth/api/answers.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/login_sessions.hpp"

namespace auth::api {

Answer end_user_sessions(Context& context, Request& request) {
    const std::string id = request.param("id");
    // The new stamp first: a login that is under way then ends its own session.
    store::AccountPatch patch;
    patch.ends_sessions = true;
    auto updated =
        co_await context.database.users().update(id, std::move(patch), std::nullopt, context.clock());
    if (!updated) co_return store_failure(updated.error());
    if (!*updated) co_return account_not_found();
    auto ended = co_await end_all_sessions(context, id, "", "ended_by_admin");
    if (!ended) co_return store_failure(ended.error());
    context.audit.record(audit_record(context, request, "sessions_ended_by_admin", id));
    co_return shared::http::no_content();
}

}  // namespace auth::api
