// DELETE /api/auth/users/{id}
#include "services/auth/api/answers.hpp"
#include "services/auth/api/attempts.hpp"
#include "services/auth/api/endpoints.hpp"
#include "services/auth/api/issue.hpp"

namespace auth::api {

Answer delete_user(Context& context, Request& request) {
    const std::string id = request.param("id");
    if (id == request.claims->sub)
        co_return shared::http::problem_response(409, "own_account", "Akun sendiri tidak dapat dihapus");
    auto removed = co_await context.database.users().remove(id, expected_version(request));
    if (!removed) co_return store_failure(removed.error());
    if (!*removed) co_return account_not_found();
    context.audit.record(audit_record(context, request, "account_deleted", id));
    // After the account: a login that is under way then finds it gone and ends its own session.
    auto ended = co_await end_all_sessions(context, id, "", "account_deleted");
    if (!ended) co_return store_failure(ended.error());
    co_return shared::http::no_content();
}

}  // namespace auth::api
